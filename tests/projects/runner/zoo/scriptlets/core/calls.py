"""Found as core.calls by recipes of the template dialect."""


def prepare(base_url, timeout):
    return {"client": {"url": base_url, "timeout": timeout}}


def request(client, path):
    return f"{client['url']}{path}"
