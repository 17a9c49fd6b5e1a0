/* The byte budget: what the first page loads, and everything that is built, both gzipped. */
import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const FIRST_PAGE_MAX_BYTES = 80_000;
const WHOLE_MAX_BYTES = 200_000;

const dist = fileURLToPath(new URL("../dist/", import.meta.url));
const files = readdirSync(dist, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => `${entry.path}/${entry.name}`.replaceAll("//", "/"));
const bytes = new Map(files.map((file) => [file, gzipSync(readFileSync(file)).length]));
const page = readFileSync(`${dist}index.html`, "utf8");

let first = 0;
let whole = 0;
for (const [file, size] of bytes) {
  const url = file.slice(dist.length - 1);
  const onFirstPage = url === "/index.html" || page.includes(`"${url}"`);
  whole += size;
  first += onFirstPage ? size : 0;
  console.log(`${String(size).padStart(8)} B  ${url}${onFirstPage ? "  (first page)" : ""}`);
}
console.log(`first page ${first} of ${FIRST_PAGE_MAX_BYTES} B, whole ${whole} of ${WHOLE_MAX_BYTES} B, gzipped`);
if (first > FIRST_PAGE_MAX_BYTES || whole > WHOLE_MAX_BYTES) {
  console.error("over the byte budget");
  process.exit(1);
}
