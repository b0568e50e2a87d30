// node azure.js SCHEMA FILE: what Azure's own language service says about a pipeline, one finding a line, exit 1 with any
const fs = require("fs");
const { TextDocument } = require("vscode-languageserver-textdocument");
const { getLanguageService } = require("azure-pipelines-language-service/lib/yamlLanguageService.js");
const parser = require("azure-pipelines-language-service/lib/parser/yamlParser.js");

const [schemaFile, file] = process.argv.slice(2);
const write = console.log;
console.log = () => {}; // the library talks
const schema = JSON.parse(fs.readFileSync(schemaFile, "utf8"));
// an answer that is no object is taken for "no problems"
const service = getLanguageService(async () => schema, [], async () => "file:///schema.json", null, Promise);
service.configure({ validate: true, schemas: [] });

(async () => {
  const text = TextDocument.create("file:///pipeline.yml", "azure-pipelines", 1, fs.readFileSync(file, "utf8"));
  const found = await service.doValidation(text, parser.parse(text.getText()));
  found.forEach((one) => write(`${file}:${one.range.start.line + 1}: ${one.message}`));
  process.exit(found.length ? 1 : 0);
})().catch((error) => {
  console.error(error);
  process.exit(2);
});
