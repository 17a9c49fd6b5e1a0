/* The byte budget: what the first page loads, all that can be loaded in one language (the largest), and what the first
 * page loads of a language, all gzipped. */
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
const languages = new Map(); // name -> bytes of its part for the first page, of all its parts
for (const [file, size] of bytes) {
  const url = file.slice(dist.length - 1);
  const onFirstPage = url === "/index.html" || page.includes(`"${url}"`);
  const [, language, part] = /\/language-([a-z]+)(-[a-z]+)?-[^/]{8}\.js$/.exec(url) ?? [];
  if (language !== undefined) {
    const of = languages.get(language) ?? { first: 0, whole: 0 };
    of.whole += size;
    if (part === undefined) of.first += size;
    languages.set(language, of);
  } else {
    whole += size;
    first += onFirstPage ? size : 0;
  }
  console.log(`${String(size).padStart(8)} B  ${url}${onFirstPage ? "  (first page)" : ""}`);
}
for (const [name, of] of languages) console.log(`language ${name}: ${of.first} B at first, ${of.whole} B in all`);
const largest = (part) => Math.max(0, ...[...languages.values()].map((of) => of[part]));
const budgets = [
  ["first page", first + largest("first"), FIRST_PAGE_MAX_BYTES],
  ["whole", whole + largest("whole"), WHOLE_MAX_BYTES],
  ["a language", largest("first"), LANGUAGE_MAX_BYTES],
];
console.log(budgets.map(([name, bytes, max]) => `${name} ${bytes} of ${max} B`).join(", "), "gzipped");
if (languages.size === 0) {
  console.error("no file of a language: its budget was not checked");
  process.exit(1);
}
if (budgets.some(([, bytes, max]) => bytes > max)) {
  console.error("over the byte budget");
  process.exit(1);
}
