// Minify corong.js into dist/corong.js, and keep it within its budget.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { minify } from 'terser';

const BUDGET_BYTES = 1500; // gzipped

const here = new URL('./', import.meta.url);
const source = await readFile(new URL('corong.js', here), 'utf8');
const { code } = await minify(source, {
  ecma: 2018,
  compress: { passes: 3, unsafe_arrows: true, unsafe_methods: true, booleans_as_integers: true },
  mangle: true,
  format: { comments: false },
});
const bytes = gzipSync(code, { level: 9 }).length;

await mkdir(new URL('dist/', here), { recursive: true });
await writeFile(new URL('dist/corong.js', here), code + '\n');
console.log(`corong.js: ${code.length} bytes, ${bytes} gzipped (budget ${BUDGET_BYTES})`);
if (bytes > BUDGET_BYTES) {
  console.error('corong.js is over its budget');
  process.exitCode = 1;
}
