// make bench: what this machine does with generated shop traffic. Times are of whole commands, as a
// person waits for them, medians of several runs; the engine's own time stands beside them.
import { execFileSync, spawnSync } from "node:child_process";
import {
  closeSync, fdatasyncSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync,
  writeSync,
} from "node:fs";
import { cpus, tmpdir, totalmem, release } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { up } from "../tests/e2e/lib/corong.mjs";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const corong = join(root, "build/corong");
const generate = join(root, "build/release/bench/bench-generate");
const [visitorsPerWeek, weeks] = [process.argv[2] ?? "20000", process.argv[3] ?? "13"];
const folder = mkdtempSync(join(tmpdir(), "corong-bench-"));
const data = join(folder, "data");

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
const times = (n, fn) => Array.from({ length: n }, (_, i) => fn(i));
const timed = (fn) => {
  const start = performance.now();
  fn();
  return performance.now() - start;
};
const run = (...args) =>
  execFileSync(corong, [...args, "--data", data], { encoding: "utf8", maxBuffer: 1 << 28 });

function fsyncMs() {
  const fd = openSync(join(folder, "fsync"), "w");
  const block = Buffer.alloc(4096, 1);
  const list = times(200, () => timed(() => { writeSync(fd, block); fdatasyncSync(fd); }));
  closeSync(fd);
  return median(list);
}

function memoryGBs() {
  const from = Buffer.alloc(1 << 28, 1);
  const to = Buffer.alloc(1 << 28);
  const ms = median(times(5, () => timed(() => from.copy(to))));
  return (2 * from.length) / ms / 1e6; // read and written
}

const event = (name) => ({ attribute: "event", op: "is", values: [name] });
const FUNNELS = {
  "page view > basket > sale": ["pageview", "add_to_cart", "sale"],
  "page view > basket > checkout > sale": ["pageview", "add_to_cart", "checkout", "sale"],
};

function runFunnel(stages, preset) {
  const path = join(folder, "funnel.json");
  writeFileSync(path, JSON.stringify({
    name: "bench", window: "30d", preset, stages: stages.map((s) => ({ name: s, rule: event(s) })),
  }));
  const engine = [];
  let report;
  const whole = times(5, () => timed(() => {
    report = JSON.parse(run("funnel", "run", "bench", path, "--json"));
    engine.push(report.elapsed_ms);
  }));
  return { whole: median(whole), engine: median(engine), report };
}

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
  const cpu = cpus()[0].model.trim();
  console.log(`machine: ${cpu}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GB, Linux ${release()}; ` +
    `fdatasync of 4 KB ${fsyncMs().toFixed(2)} ms, memory copied at ${memoryGBs().toFixed(1)} GB/s\n`);

  const file = join(folder, "events.ndjson");
  const made = spawnSync("sh", ["-c", `"${generate}" ${visitorsPerWeek} ${weeks} >"${file}"`], { encoding: "utf8" });
  const events = Number(made.stderr.match(/^(\d+) events/)[1]);
  run("site", "add", "bench", "--domain", "shop.example", "--currency", "USD");
  const importMs = timed(() => run("import", "bench", file));
  const status = JSON.parse(run("status", "--json"));
  const mb = (bytes) => (bytes / 1e6).toFixed(1);

  console.log("| what | figure |\n|---|---|");
  console.log(`| events generated | ${events.toLocaleString("en")} (${mb(statSync(file).size)} MB of NDJSON) |`);
  console.log(`| import of them | ${(importMs / 1000).toFixed(2)} s, ${Math.round(events / importMs * 1000).toLocaleString("en")} events/s |`);
  console.log(`| stored | ${mb(status.bytes)} MB, ${(status.bytes / events).toFixed(1)} bytes an event |`);
  for (const [name, stages] of Object.entries(FUNNELS)) {
    for (const preset of ["open", "sequential"]) {
      const r = runFunnel(stages, preset);
      console.log(`| ${name}, ${preset}, all time | ${r.whole.toFixed(0)} ms the command, ${r.engine.toFixed(1)} ms the engine (${r.report.entered.toLocaleString("en")} entered, ${r.report.converted.toLocaleString("en")} converted) |`);
    }
  }
  const parts = await atRest();
  const sum = parts.reduce((n, [, m]) => n + m, 0);
  console.log(`| resident at rest | ${sum.toFixed(1)} MB (${parts.map(([n, m]) => `${n} ${m.toFixed(1)}`).join(", ")}) |`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
