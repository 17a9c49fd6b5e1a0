// make bench-aggregate: how fast the aggregator takes what waits in Redis. A stream is filled with
// the shop's traffic before it starts; the time is from its start until every entry is committed
// to segments and gone from Redis, merging beside it included; alone, and with a funnel a second.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describeMachine, freePort, median, sleep } from "./machine.mjs";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const corong = process.env.CORONG_BINARY ?? join(root, "build/corong");
const tool = join(root, "build/release/bench/bench-stream");
const events = Number(process.argv[2] ?? 2_000_000);
const batch = process.argv[3] ?? "100";
const rounds = Number(process.argv[4] ?? 3);

/** Processor time of a process's threads so far, in seconds, the first thread's first. */
function threadSeconds(pid) {
  return readdirSync(`/proc/${pid}/task`).map((id) => {
    const fields = readFileSync(`/proc/${pid}/task/${id}/stat`, "utf8").replace(/^.*\) /, "").split(" ");
    return (Number(fields[11]) + Number(fields[12])) / 100;
  });
}

const ended = (child) => new Promise((done) => child.once("exit", done));

/** A funnel of three stages over all time, once a second; returns how long each took, in ms. */
function askEachSecond(data, path) {
  const took = [];
  let isOver = false;
  const asking = (async () => {
    while (!isOver) {
      const start = performance.now();
      await ended(spawn(corong, ["funnel", "run", "bench", path, "--json", "--data", data], { stdio: "ignore" }));
      took.push(performance.now() - start);
      await sleep(Math.max(0, 1000 - (performance.now() - start)));
    }
  })();
  return async () => { isOver = true; await asking; return took; };
}

async function round(withQuery) {
  const folder = mkdtempSync(join(tmpdir(), "corong-bench-"));
  const data = join(folder, "data");
  const port = String(await freePort());
  const redis = spawn("redis-server", ["--port", port, "--bind", "127.0.0.1", "--dir", folder,
    "--save", "", "--appendonly", "yes", "--appendfsync", "everysec", "--maxmemory-policy", "noeviction"], { stdio: "ignore" });
  const address = `127.0.0.1:${port}`;
  const funnel = join(folder, "funnel.json");
  const rule = (name) => ({ attribute: "event", op: "is", values: [name] });
  writeFileSync(funnel, JSON.stringify({ name: "bench", window: "30d", preset: "sequential",
    stages: ["pageview", "add_to_cart", "sale"].map((name) => ({ name, rule: rule(name) })) }));
  let aggregator;
  try {
    execFileSync(corong, ["site", "add", "bench", "--domain", "shop.example", "--currency", "USD", "--data", data]);
    await sleep(300);
    execFileSync(tool, ["fill", address, "1", String(events), batch]);
    execFileSync("redis-cli", ["-p", port, "config", "set", "appendfsync", "always"]);
    const stop = withQuery ? askEachSecond(data, funnel) : async () => [];
    const start = performance.now();
    aggregator = spawn(corong, ["aggregator", "--redis", address, "--data", data], { stdio: ["ignore", "inherit", "inherit"] });
    await ended(spawn(tool, ["drain", address], { stdio: "ignore" }));
    const seconds = (performance.now() - start) / 1000;
    const [reading, ...others] = threadSeconds(aggregator.pid);
    const server = threadSeconds(redis.pid).reduce((a, b) => a + b);
    const took = await stop();
    aggregator.kill("SIGTERM");
    await ended(aggregator);
    const stored = JSON.parse(execFileSync(corong, ["status", "--json", "--data", data], { encoding: "utf8" }));
    if (stored.events !== events) throw new Error(`${stored.events} events are stored, not ${events}`);
    const each = (s) => s * 1e6 / events;
    return { rate: events / seconds, query: took.length ? median(took) : null, reading: each(reading),
      others: each(others.reduce((a, b) => a + b, 0)), redis: each(server) };
  } finally {
    aggregator?.kill("SIGKILL");
    redis.kill("SIGKILL");
    await sleep(100);
    rmSync(folder, { recursive: true, force: true });
  }
}

console.log(`${describeMachine(tmpdir())}\n`);
const show = (n) => Math.round(n).toLocaleString("en");
const idle = [];
const busy = [];
for (let i = 0; i < rounds; i++) {
  idle.push(await round(false));
  busy.push(await round(true));
}
const of = (list, what) => median(list.map((r) => r[what]));
const [alone, besides] = [of(idle, "rate"), of(busy, "rate")];
console.log("| what | figure |\n|---|---|");
console.log(`| events that waited in Redis, ${batch} an entry | ${show(events)} |`);
console.log(`| committed | ${show(alone)} events/s |`);
console.log(`| processor time an event | ${of(idle, "reading").toFixed(2)} µs reading, ${of(idle, "others").toFixed(2)} µs other threads (writing, merging), ${of(idle, "redis").toFixed(2)} µs Redis, its filling included |`);
console.log(`| with a funnel of three stages a second | ${show(besides)} events/s (${(100 * (1 - besides / alone)).toFixed(0)}% slower), the command ${show(of(busy, "query"))} ms |`);
