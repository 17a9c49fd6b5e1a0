// make bench-ingest: how many beacons this machine acknowledges, every one of them on disk, beside
// nginx's bare `return 204` under the same client. Throughput by wrk, the two in turns, medians of
// the rounds; latencies by an open-loop client of our own. Loopback only; one run, one machine.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { corongOk, up } from "../tests/e2e/lib/corong.mjs";
import { describeMachine, freePort, median, sleep } from "./machine.mjs";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const client = process.env.BENCH_INGEST ?? join(root, "build/release/bench/bench-ingest");
const seconds = Number(process.argv[2] ?? 3);
const rounds = Number(process.argv[3] ?? 5);
const KNEE_SHARE = 0.7;
const DRAIN_MS = 30_000;
const folder = mkdtempSync(join(tmpdir(), "corong-bench-"));
const data = join(folder, "data");
const say = (text) => process.stdout.write(`${text}\n`);
const figure = (n) => Math.round(n).toLocaleString("en-US").padStart(9);

const SHAPES = [
  { name: "64 kept alive", connections: 64, bar: 0.35 },
  { name: "256 kept alive", connections: 256, bar: 0.35 },
  { name: "64, a new connection each", connections: 64, isNew: true, bar: 0.7 },
  { name: "256, a new connection each", connections: 256, isNew: true, bar: 0.7 },
  { name: "64 kept alive, batches of 10", connections: 64, batch: 10 },
];

function wrk(port, { connections, isNew, batch = 1 }, key) {
  const out = spawnSync("wrk", ["-t2", `-c${connections}`, `-d${seconds}s`, "--timeout", "10s", "-s",
    join(root, "bench/beacons.lua"), `http://127.0.0.1:${port}/`], {
    encoding: "utf8",
    env: { ...process.env, SITE_KEY: key, BATCH: String(batch), CONNECTION: isNew ? "close" : "keep-alive" },
  });
  if (out.error || !/^JSON /m.test(out.stdout)) throw new Error(`wrk: ${out.error ?? out.stdout + out.stderr}`);
  const got = JSON.parse(out.stdout.match(/^JSON (.*)$/m)[1]);
  return { ...got, acknowledged: got.requests - got.refused, per_second: (got.requests - got.refused) / got.seconds };
}

function openLoop(port, { connections, batch = 1 }, rate, key) {
  const out = spawnSync(client, [port, connections, seconds * 2, rate, batch, "keep", key].map(String), { encoding: "utf8" });
  if (out.status !== 0) throw new Error(`bench-ingest: ${out.stdout}${out.stderr}`);
  return JSON.parse(out.stdout);
}

async function startNginx() {
  const port = await freePort();
  const file = join(folder, "nginx.conf");
  writeFileSync(file, `daemon off; worker_processes auto; pid ${folder}/nginx.pid;
error_log ${folder}/nginx.log crit; worker_rlimit_nofile 8192;
events { worker_connections 4096; }
http { access_log off; keepalive_requests 1000000000;
  client_body_temp_path ${folder}/b; proxy_temp_path ${folder}/p; fastcgi_temp_path ${folder}/f;
  uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
  server { listen 127.0.0.1:${port}; location / { return 204; } } }
`);
  const child = spawn("nginx", ["-p", folder, "-c", file], { stdio: "ignore" });
  await new Promise((started, fail) => {
    child.on("error", () => fail(new Error("nginx is needed to compare with: scripts/setup.sh bench")));
    setTimeout(started, 500);
  });
  return { port, stop: () => child.kill("SIGTERM") };
}

/** Until everything acknowledged is in the store: {events, ms}. */
async function awaitStored(wanted) {
  const began = Date.now();
  for (;; await sleep(250)) {
    const s = JSON.parse(await corongOk(data, ["status", "--json"]));
    const isThere = s.redis?.entries_waiting === 0 && s.events >= wanted;
    if (isThere || Date.now() - began > 4 * DRAIN_MS) return { events: s.events, ms: Date.now() - began };
  }
}

function collectorMB() {
  const line = execFileSync("ps", ["-o", "rss=,args=", "-A"], { encoding: "utf8" })
    .split("\n").find((l) => / collector /.test(l) && l.includes(data));
  return line ? parseInt(line, 10) / 1024 : NaN;
}

async function main() {
  say(describeMachine(folder));
  say(`${rounds} rounds of ${seconds} s each, medians; client, server, Redis and aggregator share the machine\n`);
  const product = await up(data, ["--collector-threads", "320", "--collector-keep-alive", "10000"]);
  const nginx = await startNginx();
  const ledger = { acknowledged: 0, unknown: 0 };
  const note = (acknowledged, unknown, batch = 1) => {
    ledger.acknowledged += acknowledged * batch;
    ledger.unknown += unknown * batch;
  };

  try {
    const port = new URL(product.collector).port;
    await corongOk(data, ["site", "add", "shop", "--domain", "shop.example"]);
    const sites = JSON.parse(await corongOk(data, ["site", "list", "--json"]));
    const { key } = (sites.sites ?? sites).find((s) => s.name === "shop");

    say("| beacons acknowledged a second | corong | nginx | ratio (bar) | open loop at 70%: p50, p99, largest |");
    say("|---|---|---|---|---|");
    for (const shape of SHAPES) {
      const own = [], other = [];
      for (let i = 0; i < rounds; i++) {
        own.push(wrk(port, shape, key));
        // what was under way when wrk stopped may or may not have been taken
        note(own[i].acknowledged, own[i].failed + shape.connections, shape.batch);
        other.push(wrk(nginx.port, shape, key));
      }
      const ratio = median(own.map((o, i) => o.per_second / other[i].per_second));
      const perSecond = median(own.map((o) => o.per_second));
      const bad = own.reduce((n, o) => n + o.refused + o.failed, 0);
      let latency = "";
      if (!shape.isNew) {
        const open = openLoop(port, shape, Math.max(1, Math.floor(perSecond * KNEE_SHARE)), key);
        note(open.acknowledged, open.failed + open.unanswered, shape.batch);
        latency = `${open.p50_ms} ms, ${open.p99_ms} ms, ${open.max_ms} ms`;
      }
      const events = shape.batch ? ` (${figure(perSecond * shape.batch).trim()} events)` : "";
      say(`| ${shape.name} | ${figure(perSecond)}${events} | ${figure(median(other.map((o) => o.per_second)))} | ` +
        `${ratio.toFixed(2)}${shape.bar ? ` (${shape.bar})` : ""} | ${latency} |${bad ? ` ${bad} refused or failed` : ""}`);
    }
    const rest = await awaitStored(ledger.acknowledged);
    say(`\n${ledger.acknowledged} events acknowledged, ${ledger.unknown} of unknown fate, ${rest.events} stored ` +
      `${(rest.ms / 1000).toFixed(1)} s after the end; collector ${collectorMB().toFixed(0)} MB`);
    if (rest.events < ledger.acknowledged || rest.events > ledger.acknowledged + ledger.unknown)
      throw new Error("what is stored is not what was acknowledged");
    if (rest.ms > DRAIN_MS) say(`draining took more than ${DRAIN_MS / 1000} s`);
  } finally {
    nginx.stop();
    await product.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

await main();
