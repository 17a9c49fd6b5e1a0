/* Bundles every tests/*.test.ts(x) with the esbuild that vite brings and runs the result with node's
 * own test runner: the same way on Node 18 (which strips no types) and later ones. */
import { spawnSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { makeWords } from "./words.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const out = `${root}.test`;
const entries = readdirSync(`${root}tests`)
  .filter((name) => /\.test\.tsx?$/.test(name))
  .map((name) => `${root}tests/${name}`);

makeWords(); // what is wrong with them is a test
rmSync(out, { recursive: true, force: true });
await build({
  entryPoints: entries,
  outdir: out,
  outExtension: { ".js": ".mjs" },
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node18",
  jsx: "automatic",
  jsxImportSource: "preact",
  sourcemap: "inline",
  logLevel: "warning",
});

const files = entries.map((entry) =>
  entry.replace(`${root}tests/`, `${out}/`).replace(/\.tsx?$/, ".mjs"),
);
const run = spawnSync(process.execPath, ["--enable-source-maps", "--test", ...files], {
  stdio: "inherit",
  cwd: root,
});
process.exit(run.status ?? 1);
