/* The byte budget: what the first page loads, everything that is built, and a language, all gzipped. */
import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const FIRST_PAGE_MAX_BYTES = 80_000;
const WHOLE_MAX_BYTES = 200_000;
const LANGUAGE_MAX_BYTES = 12_000;

const dist = fileURLToPath(new URL("../dist/", import.meta.url));
const files = readdirSync(dist, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => `${entry.path}/${entry.name}`.replaceAll("//", "/"));
const bytes = new Map(files.map((file) => [file, gzipSync(readFileSync(file)).length]));
const page = readFileSync(`${dist}index.html`, "utf8");

let first = 0;
let whole = 0;
let language = 0;
for (const [file, size] of bytes) {
  const url = file.slice(dist.length - 1);
  const onFirstPage = url === "/index.html" || page.includes(`"${url}"`);
  whole += size;
  first += onFirstPage ? size : 0;
  language = /\/language-[^/]*\.js$/.test(url) ? Math.max(language, size) : language;
  console.log(`${String(size).padStart(8)} B  ${url}${onFirstPage ? "  (first page)" : ""}`);
}
const budgets = [
  ["first page", first, FIRST_PAGE_MAX_BYTES],
  ["whole", whole, WHOLE_MAX_BYTES],
  ["a language", language, LANGUAGE_MAX_BYTES],
];
console.log(budgets.map(([name, bytes, max]) => `${name} ${bytes} of ${max} B`).join(", "), "gzipped");
if (language === 0) {
  console.error("no file of a language: its budget was not checked");
  process.exit(1);
}
if (budgets.some(([, bytes, max]) => bytes > max)) {
  console.error("over the byte budget");
  process.exit(1);
}
