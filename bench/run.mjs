// make bench: import of NDJSON on this machine, and the memory of a stack at rest. The questions are
// bench/query.mjs's.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { up } from "../tests/e2e/lib/corong.mjs";
import { describeMachine, timed } from "./machine.mjs";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const corong = join(root, "build/corong");
const generate = join(root, "build/release/bench/bench-generate");
const [visitorsPerWeek, weeks] = [process.argv[2] ?? "20000", process.argv[3] ?? "13"];
const folder = mkdtempSync(join(tmpdir(), "corong-bench-"));
const data = join(folder, "data");

const run = (...args) =>
  execFileSync(corong, [...args, "--data", data], { encoding: "utf8", maxBuffer: 1 << 28 });

/** Resident memory of every process of a `corong up` that has nothing to do, in MB. */
async function atRest() {
  const stack = await up(join(folder, "rest"));
  await new Promise((r) => setTimeout(r, 3000));
  const { processes, pid } = JSON.parse(readFileSync(join(folder, "rest", "up.json")));
  const rss = ([name, p]) =>
    [name, Number(readFileSync(`/proc/${p}/status`, "utf8").match(/VmRSS:\s+(\d+)/)[1]) / 1024];
  const parts = [["up", pid], ...Object.entries(processes)].map(rss);
  await stack.stop();
  return parts;
}

try {
  console.log(`${describeMachine(folder)}\n`);

  const file = join(folder, "events.ndjson");
  const made = spawnSync("sh", ["-c", `"${generate}" --visitors-per-week ${visitorsPerWeek} --weeks ${weeks} >"${file}"`], { encoding: "utf8" });
  const events = Number(made.stderr.match(/^(\d+) events/)[1]);
  run("site", "add", "bench", "--domain", "shop.example", "--currency", "USD");
  const importMs = timed(() => run("import", "bench", file));
  const status = JSON.parse(run("status", "--json"));
  const mb = (bytes) => (bytes / 1e6).toFixed(1);

  console.log("| what | figure |\n|---|---|");
  console.log(`| events generated | ${events.toLocaleString("en")} (${mb(statSync(file).size)} MB of NDJSON) |`);
  console.log(`| import of them | ${(importMs / 1000).toFixed(2)} s, ${Math.round(events / importMs * 1000).toLocaleString("en")} events/s |`);
  console.log(`| stored | ${mb(status.bytes)} MB, ${(status.bytes / events).toFixed(1)} bytes an event |`);
  const parts = await atRest();
  const sum = parts.reduce((n, [, m]) => n + m, 0);
  console.log(`| resident at rest | ${sum.toFixed(1)} MB (${parts.map(([n, m]) => `${n} ${m.toFixed(1)}`).join(", ")}) |`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
