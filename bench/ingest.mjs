// make bench-ingest: how many beacons this machine acknowledges, every one of them on disk, beside
// nginx's bare `return 204` under the same client. Loopback only; one run, one machine.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import {
  closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync,
} from "node:fs";
import { createServer } from "node:net";
import { cpus, tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { corongOk, up } from "../tests/e2e/lib/corong.mjs";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const client = process.env.BENCH_INGEST ?? join(root, "build/release/bench/bench-ingest");
const seconds = Number(process.argv[2] ?? 8);
const KNEE_SHARE = 0.7;
const folder = mkdtempSync(join(tmpdir(), "corong-bench-"));
const data = join(folder, "data");
const sleep = (ms) => new Promise((later) => setTimeout(later, ms));
const say = (text) => process.stdout.write(`${text}\n`);

function fsyncMs() {
  const fd = openSync(join(folder, "fsync"), "w");
  const block = Buffer.alloc(4096, 1);
  const list = Array.from({ length: 300 }, () => {
    const start = performance.now();
    writeSync(fd, block);
    fdatasyncSync(fd);
    return performance.now() - start;
  }).sort((a, b) => a - b);
  closeSync(fd);
  return list[list.length >> 1];
}

const freePort = () => new Promise((done) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address();
    server.close(() => done(port));
  });
});

function measure(port, { connections, mode, batch = 1, rate = 0 }, key) {
  const out = spawnSync(client,
    [port, connections, seconds, rate, batch, mode, key].map(String), { encoding: "utf8" });
  if (out.status !== 0) throw new Error(`bench-ingest: ${out.stdout}${out.stderr}`);
  return JSON.parse(out.stdout);
}

async function startNginx() {
  if (spawnSync("nginx", ["-v"]).error) {
    say("skipped: nginx is not installed, so there is nothing to compare with");
    return null;
  }
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
  await sleep(500);
  return { port, stop: () => child.kill("SIGTERM") };
}

const SHAPES = [
  { name: "64 kept alive", connections: 64, mode: "keep" },
  { name: "256 kept alive", connections: 256, mode: "keep" },
  { name: "64 at once, a new connection each", connections: 64, mode: "new" },
  { name: "64 kept alive, batches of 10", connections: 64, mode: "keep", batch: 10 },
];

async function awaitStored(wanted) {
  const deadline = Date.now() + 120_000;
  const began = Date.now();
  for (;; await sleep(500)) {
    const s = JSON.parse(await corongOk(data, ["status", "--json"]));
    if (s.redis?.entries_waiting === 0 && s.events >= wanted)
      return { events: s.events, ms: Date.now() - began };
    if (Date.now() > deadline) return { events: s.events, ms: Date.now() - began };
  }
}

const figure = (n) => Math.round(n).toLocaleString("en-US").padStart(9);

async function main() {
  say(`${cpus().length} x ${cpus()[0].model}; fdatasync of 4 KB: p50 ${fsyncMs().toFixed(2)} ms; ` +
    `${seconds} s each; client, server, Redis and aggregator share the machine`);
  const product = await up(data, ["--collector-threads", "320", "--collector-keep-alive", "10000"]);
  const nginx = await startNginx();
  let acknowledged = 0;
  let unknown = 0;
  const count = (r, batch = 1) => {
    acknowledged += r.events;
    unknown += (r.failed + r.unanswered) * batch;
    return r;
  };

  try {
    const port = new URL(product.collector).port;
    await corongOk(data, ["site", "add", "shop", "--domain", "shop.example"]);
    const sites = JSON.parse(await corongOk(data, ["site", "list", "--json"]));
    const { key } = (sites.sites ?? sites).find((s) => s.name === "shop");
    await sleep(1500);

    say("beacons acknowledged a second     corong     nginx   ratio    corong's p50      p99");
    for (const shape of SHAPES) {
      const own = count(measure(port, shape, key), shape.batch);
      const other = nginx ? measure(nginx.port, shape, key) : null;
      say(`${shape.name.padEnd(30)}${figure(own.per_second)} ${other ? figure(other.per_second) : "        -"}` +
        `   ${other ? (own.per_second / other.per_second).toFixed(2) : "   -"}` +
        `   ${own.p50_ms.toFixed(1).padStart(9)} ms ${own.p99_ms.toFixed(1).padStart(6)} ms` +
        (own.refused + own.failed ? `   (${own.refused} refused, ${own.failed} failed)` : ""));
      if (shape.mode === "keep") {
        const rate = Math.max(1, Math.floor(own.per_second * KNEE_SHARE));
        const open = count(measure(port, { ...shape, rate }, key), shape.batch);
        say(`  open loop at ${Math.round(KNEE_SHARE * 100)}%: ${open.acknowledged} of ${open.due} ` +
          `acknowledged; p50 ${open.p50_ms} ms, p99 ${open.p99_ms} ms, largest ${open.max_ms} ms`);
      }
    }
    const rest = await awaitStored(acknowledged);
    say(`${acknowledged} events acknowledged, ${unknown} of unknown fate, ${rest.events} stored ` +
      `${(rest.ms / 1000).toFixed(1)} s after the end`);
    if (rest.events < acknowledged || rest.events > acknowledged + unknown)
      throw new Error("what is stored is not what was acknowledged");
    const memory = execFileSync("ps", ["-o", "rss=,args=", "-A"], { encoding: "utf8" })
      .split("\n").find((l) => / collector /.test(l) && l.includes(data));
    if (memory) say(`memory of the collector: ${(parseInt(memory, 10) / 1024).toFixed(0)} MB`);
  } finally {
    nginx?.stop();
    await product.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

await main();
