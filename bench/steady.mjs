// make bench-steady: what stays as it is under steady load.
//   - from beacon to figure: at 5,000 events a second, how long until a dashboard that asks once a
//     second shows a visitor
//   - the collector's memory: at the knee for minutes, 3,000 user agents a second that nobody has
//     seen before among the traffic
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { corongOk, up } from "../tests/e2e/lib/corong.mjs";
import { describeMachine, median, percentile, sleep } from "./machine.mjs";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const client = join(root, "build/release/bench/bench-ingest");
const freshSeconds = Number(process.argv[2] ?? 60);
const memorySeconds = Number(process.argv[3] ?? 600);
const RATE = 5000;
const POLL_MS = 1000; // as the dashboard's report does
const PROBE_MS = 150; // between probes, on average
const folder = mkdtempSync(join(tmpdir(), "corong-bench-"));
const data = join(folder, "data");
const say = (text) => process.stdout.write(`${text}\n`);

/** Load of our own client: resolves to its figures. */
function load(port, key, seconds, rate, ...more) {
  return new Promise((done, fail) => {
    const child = spawn(client, [port, 64, seconds, rate, 1, "keep", key, ...more].map(String));
    let out = "";
    child.stdout.on("data", (d) => (out += d));
    child.on("exit", (code) => (code === 0 ? done(JSON.parse(out)) : fail(new Error(`bench-ingest: ${out}`))));
  });
}

async function signIn(product) {
  const account = { email: "bench@shop.example", password: "twelve small figures" };
  const headers = { "Content-Type": "application/json", "X-Corong": "1" };
  await corongOk(data, ["user", "add", account.email, "--role", "owner"], { input: `${account.password}\n` });
  const reply = await fetch(`${product.web}/api/v1/session`, { method: "POST", headers, body: JSON.stringify(account) });
  if (!reply.ok) throw new Error(`signing in: ${reply.status} ${await reply.text()}`);
  return { ...headers, Cookie: reply.headers.get("set-cookie").split(";")[0] };
}

const stage = (name) => ({ name, rule: { attribute: "event", op: "is", values: [name] } });

/** Times from the sending of a probe to the first figure that counts it, in ms. */
async function measureFreshness(product, key) {
  const headers = await signIn(product);
  const ask = async () => {
    const reply = await fetch(`${product.web}/api/v1/sites/shop/report`, {
      method: "POST",
      headers,
      body: JSON.stringify({ funnel: { name: "probes", window: "1h", stages: [stage("probe"), stage("sale")] } }),
    });
    if (!reply.ok) throw new Error(`report: ${reply.status} ${await reply.text()}`);
    return (await reply.json()).entered;
  };
  const sent = [];
  const seen = [];
  const end = Date.now() + freshSeconds * 1000;

  const probe = async () => {
    while (Date.now() < end) {
      const at = performance.now();
      const id = `probe-${sent.length}`;
      const reply = await fetch(`${product.collector}/e`, {
        method: "POST",
        headers: { "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0" },
        body: JSON.stringify({ site: key, visitor: id, sent: Date.now(), events: [{ event: "probe", id }] }),
      });
      if (reply.status !== 204) throw new Error(`probe: ${reply.status}`);
      sent.push(at);
      await sleep(2 * PROBE_MS * Math.random());
    }
  };
  const poll = async () => {
    while (Date.now() < end + 5000) {
      const next = performance.now() + POLL_MS;
      const n = await ask();
      while (seen.length < n) seen.push(performance.now() - sent[seen.length]);
      await sleep(Math.max(0, next - performance.now()));
    }
  };
  await Promise.all([probe(), poll()]);
  if (seen.length !== sent.length) throw new Error(`${sent.length} probes sent, ${seen.length} counted`);
  return seen;
}

const residentMB = (pid) => Number(readFileSync(`/proc/${pid}/status`, "utf8").match(/VmRSS:\s+(\d+)/)[1]) / 1024;

async function measureMemory(port, key, pid) {
  const samples = [];
  let isDone = false;
  const both = Promise.all([
    load(port, key, memorySeconds, 0),
    load(port, key, memorySeconds, 3000, "agents"),
  ]).finally(() => (isDone = true));
  while (!isDone) {
    samples.push(residentMB(pid));
    await sleep(1000);
  }
  return { samples, figures: await both };
}

async function main() {
  say(describeMachine(folder));
  const product = await up(data, ["--collector-threads", "320", "--collector-keep-alive", "10000"]);
  try {
    const port = new URL(product.collector).port;
    await corongOk(data, ["site", "add", "shop", "--domain", "shop.example"]);
    const sites = JSON.parse(await corongOk(data, ["site", "list", "--json"]));
    const { key } = (sites.sites ?? sites).find((s) => s.name === "shop");
    const { processes } = JSON.parse(readFileSync(join(data, "up.json")));

    const [figures, fresh] = await Promise.all([
      load(port, key, freshSeconds, RATE),
      measureFreshness(product, key),
    ]);
    say(`\nfrom beacon to figure, ${figures.per_second} events/s beside it, asked every ${POLL_MS / 1000} s: ` +
      `p50 ${median(fresh).toFixed(0)} ms, p99 ${percentile(fresh, 0.99).toFixed(0)} ms, ` +
      `largest ${Math.max(...fresh).toFixed(0)} ms of ${fresh.length}`);

    const { samples, figures: [knee, agents] } = await measureMemory(port, key, processes.collector);
    const tenth = Math.ceil(samples.length / 10);
    say(`memory of the collector, ${memorySeconds} s at ${knee.per_second + agents.per_second} beacons/s, ` +
      `${agents.per_second} of them from browsers never seen before: largest ${Math.max(...samples).toFixed(1)} MB, ` +
      `median of the second tenth of the time ${median(samples.slice(tenth, 2 * tenth)).toFixed(1)} MB, of the last ` +
      `${median(samples.slice(-tenth)).toFixed(1)} MB`);
  } finally {
    await product.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

await main();
