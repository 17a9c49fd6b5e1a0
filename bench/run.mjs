// make bench: what this machine does with generated shop traffic. Times are of whole commands, as a
// person waits for them, medians of several runs; the engine's own time stands beside them.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { up } from "../tests/e2e/lib/corong.mjs";
import { describeMachine, median, timed, times } from "./machine.mjs";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const corong = join(root, "build/corong");
const generate = join(root, "build/release/bench/bench-generate");
const [visitorsPerWeek, weeks] = [process.argv[2] ?? "20000", process.argv[3] ?? "13"];
const folder = mkdtempSync(join(tmpdir(), "corong-bench-"));
const data = join(folder, "data");

const run = (...args) =>
  execFileSync(corong, [...args, "--data", data], { encoding: "utf8", maxBuffer: 1 << 28 });

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
