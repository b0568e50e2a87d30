class Sum:
    def run(self, context, params):
        return {"sum": sum(params["numbers"])}
