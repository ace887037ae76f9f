// Prints crates/dispatcher/script/signalbox.js minified.
import { readFileSync } from "node:fs";
import { minify } from "terser";

const source = readFileSync(new URL("../../crates/dispatcher/script/signalbox.js", import.meta.url), "utf8");
const { code } = await minify(source, { ecma: 2020, compress: { passes: 3, unsafe_arrows: true }, mangle: true });
console.log(code);
