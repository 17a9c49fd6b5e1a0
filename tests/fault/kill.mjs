// kill -9 of each process at random, under load, with an outside ledger.
//
// `corong up` runs in a folder of its own. A sender posts events with unique ids at a steady rate
// and writes down what became of each: acknowledged (2xx), or unknown (no answer, 503). Half of the
// events are sent again until they are acknowledged, as the snippet does; half are sent once.
// Meanwhile one process after the other is killed: redis-server, aggregator, collector, web, and
// `up` itself, which is then started again; or Redis hangs (SIGSTOP) for three seconds, and half-way
// the collector is killed, so that what it had spooled is another's to send. At the end everything that is stored is read back with
// `corong visitor show` and compared:
//
//   lost     acknowledged, and not stored           must be 0
//   double   stored more than once                  must be 0
//   phantom  stored, and never sent like that       must be 0
//
// An event of unknown fate may be stored or not: its sender was promised nothing.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { createServer } from "node:net";
import { join } from "node:path";
import { argv, exit, kill, stderr, stdout } from "node:process";
import { binary, corong, corongOk, temporaryFolder, inParallel } from "../e2e/lib/corong.mjs";

const USAGE = `usage: node tests/fault/kill.mjs [--kills 20] [--rate 500] [--seed N] [--keep]

Kills processes of a running Corong at random under load and compares with a ledger (minutes).
--keep leaves the data folder. The binary is CORONG_BINARY, by default build/corong.
`;

const VISITORS = 250;
const IN_FLIGHT_MAX = 3000;
const SOCKETS = 48;
const ANSWER_MS = 10_000;
const RESEND_MS = 60_000;
const TICK_MS = 20;
const HANG_MS = 1500;
const PROCESSES = ["redis-server", "aggregator", "collector", "web", "up"];
const VICTIMS = [...PROCESSES, "hang"];

const number = (name, initial) => {
  const i = argv.indexOf(name);
  const n = i < 0 ? initial : Number(argv[i + 1]);
  if (!Number.isFinite(n)) usage(2);
  return n;
};

function usage(code) {
  (code ? stderr : stdout).write(USAGE);
  exit(code);
}

const say = (text) => stdout.write(`${new Date().toISOString().slice(11, 23)} ${text}\n`);
const sleep = (ms) => new Promise((later) => setTimeout(later, ms));

/** A small generator of its own, so that --seed repeats the victims and the pauses. */
function dice(seed) {
  let s = seed >>> 0;
  return (n) => {
    s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
    return Math.floor((s / 2 ** 32) * n);
  };
}

function freePort() {
  return new Promise((done) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}

/** `corong up`, startable again on the same folder and ports. */
class Product {
  constructor(data, collectorPort, webPort) {
    Object.assign(this, { data, collectorPort, webPort, words: "" });
  }

  async start() {
    this.process = spawn(binary, ["up", "--data", this.data,
      "--collector-port", String(this.collectorPort), "--web-port", String(this.webPort),
      "--collector-keep-alive", "500"], { stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    this.process.stderr.on("data", (d) => (this.words += d));
    this.ended = new Promise((done) => this.process.once("exit", done));
    await new Promise((ready, fail) => {
      this.process.stdout.on("data", (d) => (said += d).includes("Ctrl-C") && ready());
      this.process.once("exit", (code) => fail(new Error(`up ended: ${code}\n${this.words}`)));
    });
    this.process.removeAllListeners("exit");
    this.ended = new Promise((done) => this.process.once("exit", done));
  }

  /** Its children end with it, but not at the same moment: until then their ports are taken. */
  async startAgain() {
    for (let tries = 1; ; tries++) {
      await sleep(300);
      try {
        return await this.start();
      } catch (error) {
        if (tries === 40) throw error;
      }
    }
  }

  /** The process id of a child, as the state file says; undefined while it is down. */
  pid(name) {
    if (name === "up") return this.process.pid;
    try {
      const pid = JSON.parse(readFileSync(join(this.data, "up.json"), "utf8")).processes[name];
      return pid > 0 ? pid : undefined;
    } catch {
      return undefined; // being replaced
    }
  }

  async awaitPid(name) {
    for (let i = 0; i < 600; i++, await sleep(50)) {
      const pid = this.pid(name);
      if (pid === undefined) continue;
      try {
        kill(pid, 0);
        return pid;
      } catch { /* the one before */ }
    }
    throw new Error(`${name} does not come back\n${this.words.slice(-2000)}`);
  }

  async strike(name) {
    if (name === "hang") return this.hang();
    const pid = await this.awaitPid(name);
    kill(pid, "SIGKILL");
    if (name === "up") {
      await this.ended;
      await this.startAgain();
    }
    return pid;
  }

  async hang() {
    const pid = await this.awaitPid("redis-server");
    kill(pid, "SIGSTOP");
    await sleep(HANG_MS);
    await this.strike("collector");
    await sleep(HANG_MS);
    kill(pid, "SIGCONT");
    return pid;
  }

  async stop() {
    this.process.kill("SIGTERM");
    await this.ended;
  }
}

/** What was sent and what became of it. */
class Ledger {
  constructor() {
    this.events = new Map(); // id -> {visitor, time, acknowledged, tries}
  }

  open(id, visitor, time) {
    const e = { visitor, time, acknowledged: false, tries: 0 };
    this.events.set(id, e);
    return e;
  }

  count(test) {
    let n = 0;
    for (const e of this.events.values()) n += test(e) ? 1 : 0;
    return n;
  }
}

class Sender {
  constructor(port, site, ledger) {
    Object.assign(this, { port, site, ledger, n: 0, inFlight: 0, skipped: 0, isOver: false });
    this.statuses = {};
    this.agent = new Agent({ keepAlive: true, maxSockets: SOCKETS });
    this.free = SOCKETS;
    this.waiting = [];
  }

  start(rate) {
    let due = 0;
    let last = performance.now();
    this.timer = setInterval(() => {
      const now = performance.now();
      due += ((now - last) * rate) / 1000;
      last = now;
      for (; due >= 1; due--) {
        if (this.inFlight < IN_FLIGHT_MAX) this.one();
        else this.skipped++;
      }
    }, TICK_MS);
  }

  async stop() {
    clearInterval(this.timer);
    this.isOver = true;
    while (this.inFlight > 0) await sleep(50);
    this.agent.destroy();
  }

  /** A body says when it was sent: it is made when a socket is free, or the wait for one would look like a slow clock. */
  async post(makeBody) {
    if (this.free > 0) this.free--;
    else await new Promise((turn) => this.waiting.push(turn));
    try {
      return await this.send(makeBody());
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.free++;
    }
  }

  send(body) {
    return new Promise((done) => {
      const to = request({
        host: "127.0.0.1", port: this.port, path: "/e", method: "POST", agent: this.agent,
        timeout: ANSWER_MS,
        headers: { "Content-Type": "text/plain", "Content-Length": Buffer.byteLength(body) },
      }, (answer) => {
        answer.resume();
        answer.once("end", () => done(answer.statusCode));
        answer.once("error", (error) => done(error.code));
      });
      to.once("timeout", () => to.destroy(Object.assign(new Error(), { code: "no answer" })));
      to.once("error", (error) => done(error.code));
      to.end(body);
    });
  }

  async one() {
    const n = this.n++;
    const id = `event-${n}`;
    const visitor = `visitor-${n % VISITORS}`;
    const time = Date.now();
    const entry = this.ledger.open(id, visitor, time);
    const until = time + RESEND_MS;
    const resends = n % 2 === 0;

    this.inFlight++;
    do {
      entry.tries++;
      const status = await this.post(() => JSON.stringify({
        site: this.site, visitor, sent: Date.now(),
        events: [{ event: "pageview", id, time, url: `https://shop.example/${n % 50}` }],
      }));
      this.statuses[status] = (this.statuses[status] ?? 0) + 1;
      entry.acknowledged = status >= 200 && status < 300;
      if (!entry.acknowledged && resends) await sleep(200);
    } while (!entry.acknowledged && resends && Date.now() < until);
    this.inFlight--;
  }
}

/** Wait until the aggregator has read everything and written it. */
async function awaitQuiet(data) {
  const deadline = Date.now() + 60_000;
  for (let quiet = 0; quiet < 3; await sleep(700)) {
    const status = JSON.parse(await corongOk(data, ["status", "--json"]));
    quiet = status.redis?.entries_waiting === 0 ? quiet + 1 : 0;
    if (Date.now() > deadline) throw new Error(`never quiet: ${JSON.stringify(status)}`);
  }
}

/** {id: [{visitor, time}..]} of everything that is stored. */
async function readBack(data) {
  const stored = new Map();
  const visitors = Array.from({ length: VISITORS }, (_, i) => `visitor-${i}`);
  await inParallel(visitors, 2, async (visitor) => {
    const got = await corong(data, ["visitor", "show", "shop", visitor, "--json"]);
    if (got.code !== 0 && !got.err.includes("no visitor")) throw new Error(got.err);
    for (const e of got.code === 0 ? JSON.parse(got.out).events : []) {
      const list = stored.get(e.id) ?? [];
      list.push({ visitor, time: Date.parse(e.time) });
      stored.set(e.id, list);
    }
  });
  return stored;
}

function compare(ledger, stored) {
  const lost = [];
  const double = [];
  const phantom = [];
  for (const [id, e] of ledger.events) if (e.acknowledged && !stored.has(id)) lost.push(id);
  for (const [id, copies] of stored) {
    const e = ledger.events.get(id);
    if (copies.length > 1) double.push(id);
    if (!e || copies.some((c) => c.visitor !== e.visitor || c.time !== e.time)) phantom.push(id);
  }
  return { lost, double, phantom };
}

if (argv.includes("--help") || argv.includes("-h")) usage(0);
const kills = number("--kills", 20);
const rate = number("--rate", 500);
const seed = number("--seed", Date.now() % 1_000_000);
const roll = dice(seed);
const folder = temporaryFolder();
const product = new Product(folder.dir, await freePort(), await freePort());
const struck = {};
let failed = false;

say(`seed ${seed}, ${kills} kills under ${rate} events a second, in ${folder.dir}`);
await product.start();
try {
  await corongOk(folder.dir,
    ["site", "add", "shop", "--domain", "shop.example", "--max-events", "60000"]);
  const sites = JSON.parse(await corongOk(folder.dir, ["site", "list", "--json"]));
  const { key } = (sites.sites ?? sites).find((s) => s.name === "shop");
  const ledger = new Ledger();
  const sender = new Sender(product.collectorPort, key, ledger);

  sender.start(rate);
  await sleep(2000);
  for (let i = 0; i < kills; i++) {
    // every process gets its turn before chance decides
    const victim = i < VICTIMS.length ? VICTIMS[i] : VICTIMS[roll(VICTIMS.length)];
    const pid = await product.strike(victim);
    struck[victim] = (struck[victim] ?? 0) + 1;
    say(`${i + 1}: killed ${victim} (${pid}); ${ledger.events.size} sent, ` +
      `${ledger.count((e) => e.acknowledged)} acknowledged`);
    await sleep(300 + roll(2500));
  }
  for (const name of PROCESSES) await product.awaitPid(name);
  await sleep(2000);
  await sender.stop();
  await awaitQuiet(folder.dir);

  const stored = await readBack(folder.dir);
  const found = compare(ledger, stored);
  const checked = await corong(folder.dir, ["check"]);
  const acknowledged = ledger.count((e) => e.acknowledged);
  const figures = {
    seed, kills: struck, sent: ledger.events.size, acknowledged,
    sent_again: ledger.count((e) => e.tries > 1), answers: sender.statuses,
    stored: stored.size, unknown_but_stored:
      [...stored.keys()].filter((id) => ledger.events.get(id)?.acknowledged === false).length,
    lost: found.lost.length, double: found.double.length, phantom: found.phantom.length,
    check: checked.code,
  };
  stdout.write(`${JSON.stringify(figures, null, 2)}\n`);
  for (const [what, ids] of Object.entries(found))
    if (ids.length > 0) say(`${what}: ${ids.slice(0, 20).join(" ")}`);
  failed = found.lost.length + found.double.length + found.phantom.length > 0 ||
    checked.code !== 0 || acknowledged < ledger.events.size / 4;
  if (checked.code !== 0) say(`corong check: ${checked.out}${checked.err}`);
} catch (error) {
  failed = true;
  say(`${error.stack}\n${product.words.slice(-3000)}`);
} finally {
  await product.stop();
  if (argv.includes("--keep") || failed) say(`kept ${folder.dir}`);
  else folder.remove();
}
say(failed ? "FAILED" : "every acknowledged event is there exactly once");
exit(failed ? 1 : 0);
