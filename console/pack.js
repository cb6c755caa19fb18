// Compresses what Vite built into dist/, where the server takes it from, and says what it weighs.
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { gunzipSync, gzipSync } from "node:zlib";

const here = (path) => new URL(path, import.meta.url);
const names = readdirSync(here("build/")).sort();
rmSync(here("dist/"), { recursive: true, force: true });
mkdirSync(here("dist/"));
let total = 0;
for (const name of names) {
  const packed = gzipSync(readFileSync(here(`build/${name}`)), { level: 9 });
  if (!gunzipSync(packed).equals(readFileSync(here(`build/${name}`)))) throw new Error(name);
  writeFileSync(here(`dist/${name}.gz`), packed);
  total += packed.length;
  console.log(`${String(packed.length).padStart(8)} bytes  ${name}`);
}
const max = 150 * 1024;
console.log(`${String(total).padStart(8)} bytes in all, of at most ${max}`);
if (total > max) process.exit(1);
