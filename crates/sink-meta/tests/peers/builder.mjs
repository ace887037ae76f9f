// Meta's parameter builder as a child: a JSON array of [field, value] a line, answered by a line of what it makes of each.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(new URL("../../../../tests/peers/package.json", import.meta.url));
const { getNormalizedPII, getNormalizedAndHashedPII } = require("capi-param-builder-nodejs/src/piiUtil/PIIUtil");

const TYPES = {
  em: "email", ph: "phone", fn: "first_name", ln: "last_name", ct: "city", st: "state", zp: "zip_code",
  country: "country", external_id: "external_id",
};

function normalise([field, value]) {
  const hashed = getNormalizedAndHashedPII(value, TYPES[field]);
  // What follows the digest is the builder's own mark.
  return hashed === null ? null : [getNormalizedPII(value, TYPES[field]), hashed.split(".")[0]];
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(JSON.stringify(JSON.parse(line).map(normalise)) + "\n");
}
