// node gateway.mjs FILE...: what the schema of the Gateway API's own definitions says about routes (JSON), exit 1 with any
import fs from "node:fs";
import { HTTPRoute } from "@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1";

const found = process.argv.slice(2).flatMap((file) => {
  try {
    new HTTPRoute(JSON.parse(fs.readFileSync(file, "utf8"))).validate();
    return [];
  } catch (error) {
    return [`${file}: ${error.message}`];
  }
});
found.forEach((line) => console.log(line));
process.exit(found.length ? 1 : 0);
