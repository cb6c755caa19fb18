// Compresses what Vite built into dist/, where the server takes it from, and says what it weighs; with --compare it
// only says whether dist/ is what was built.
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { gunzipSync, gzipSync } from "node:zlib";

const WEIGHT_MAX = 150 * 1024;
const here = (path) => new URL(path, import.meta.url);
const names = readdirSync(here("build/")).sort();

if (process.argv.includes("--compare")) {
  // Compression differs between versions of Node; what comes out of it does not.
  const held = readdirSync(here("dist/")).sort().map((name) => name.replace(/\.gz$/, ""));
  const other = names.filter((name) => !held.includes(name) || !gunzipSync(readFileSync(here(`dist/${name}.gz`))).equals(readFileSync(here(`build/${name}`))));
  if (other.length > 0 || held.length !== names.length) {
    console.error(`dist/ is not what the sources build: ${other.join(", ") || held.join(", ")}; run \`npm run build\` and commit it`);
    process.exit(1);
  }
  console.log("dist/ is what the sources build");
} else {
  rmSync(here("dist/"), { recursive: true, force: true });
  mkdirSync(here("dist/"));
  let total = 0;
  for (const name of names) {
    const packed = gzipSync(readFileSync(here(`build/${name}`)), { level: 9 });
    writeFileSync(here(`dist/${name}.gz`), packed);
    total += packed.length;
    console.log(`${String(packed.length).padStart(8)} bytes  ${name}`);
  }
  console.log(`${String(total).padStart(8)} bytes in all, of at most ${WEIGHT_MAX}`);
  if (total > WEIGHT_MAX) process.exit(1);
}
