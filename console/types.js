// Writes src/schema.d.ts: the API's description as types.
import { writeFileSync } from "node:fs";
import openapiTS, { astToString } from "openapi-typescript";

const description = new URL("../formats/management.openapi.json", import.meta.url);
const types = astToString(await openapiTS(description));
writeFileSync(new URL("src/schema.d.ts", import.meta.url), `// @generated from formats/management.openapi.json by \`npm run types\`.\n${types}`);
