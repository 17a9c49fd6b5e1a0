// make bench-query, bench-full: the same generated shop in Corong and in ClickHouse, the same questions
// to both. Answers are compared before their time counts; one that differs ends the run with exit 1.
//
//     node bench/query.mjs [--people] MILLIONS_OF_EVENTS...
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { ClickHouse, missing } from "./clickhouse/clickhouse.mjs";
import { loadPeople, loadTable, sizeOf } from "./clickhouse/shop.mjs";
import { describeMachine, median } from "./machine.mjs";
import { difference, QUESTIONS } from "./questions.mjs";
import { Server } from "./server.mjs";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const corong = process.env.CORONG_BINARY ?? join(root, "build/corong");
const tool = (name) => join(root, "build/release/bench", name);
const ROUNDS = 5;
const IN_ORDER = [0, 1].map((yes) => `optimize_aggregation_in_order=${yes}`); // or by hash

const count = (n) => n.toLocaleString("en");
const seconds = (ms) => `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
const millis = (ms) => `${ms.toFixed(ms < 10 ? 1 : 0)} ms`;
const row = (...cells) => console.log(`| ${cells.join(" | ")} |`);
const head = (...cells) => { row(...cells); row(...cells.map(() => "---")); };

/* ---- a Corong command, and what its process came to ---- */

/** {own_mb: memory of its own, read_mb: pages of segments that it has touched}, or null once it has ended. */
function memoryOf(pid) {
  try {
    const own = readFileSync(`/proc/${pid}/status`, "utf8").match(/RssAnon:\s+(\d+)/);
    const segments = readFileSync(`/proc/${pid}/smaps`, "utf8").matchAll(/\.seg\nSize:.*\n(?:.*\n)*?Rss:\s+(\d+)/g);
    return own && { own_mb: own[1] / 1024, read_mb: [...segments].reduce((sum, [, kb]) => sum + kb / 1024, 0) };
  } catch {
    return null;
  }
}

/** Run a command to its end: {out, own_mb, read_mb}, the peaks. Being looked at slows it down. */
function watched(args) {
  return new Promise((done, fail) => {
    const child = spawn(corong, args, { stdio: ["ignore", "pipe", "inherit"] });
    const peak = { own_mb: 0, read_mb: 0 };
    const look = setInterval(() => {
      const now = memoryOf(child.pid);
      for (const key of now === null ? [] : Object.keys(peak)) peak[key] = Math.max(peak[key], now[key]);
    }, 1);
    let out = "";
    child.stdout.on("data", (bytes) => { out += bytes; });
    child.on("close", (code) => {
      clearInterval(look);
      if (code === 0) done({ out, ...peak });
      else fail(new Error(`corong ${args.join(" ")}: exit ${code}`));
    });
  });
}

/* ---- one size ---- */

/** A way of ClickHouse that needs more than its 8 GB is none. */
function unlessOutOfMemory(error) {
  if (!/MEMORY_LIMIT/.test(error.message)) throw error;
  return {};
}

class Shop {
  constructor(folder, millions, isPeople) {
    this.folder = folder;
    this.isPeople = isPeople;
    this.millions = millions;
    this.file = join(folder, "shop.csv");
    this.data = join(folder, "data");
    this.house = new ClickHouse(join(folder, "clickhouse"));
  }

  corong(...args) {
    return execFileSync(corong, [...args, "--data", this.data], { encoding: "utf8", maxBuffer: 1 << 28 });
  }

  generate() {
    const fd = openSync(this.file, "w");
    const made = spawnSync(tool("bench-generate"), ["--profile", this.isPeople ? "people" : "table", "--format", "csv",
      "--events", String(Math.round(this.millions * 1e6))], { stdio: ["ignore", fd, "pipe"], encoding: "utf8" });
    closeSync(fd);
    const [events, visitors] = made.stderr.match(/\d+/g).map(Number);
    return { events, visitors, bytes: statSync(this.file).size };
  }

  async loadCorong() {
    this.corong("site", "add", "bench", "--domain", "shop.example", "--currency", "SGD");
    const start = performance.now();
    this.corong("import", "bench", this.file, "--json");
    const ms = performance.now() - start;
    const { bytes, events, segments } = JSON.parse(this.corong("status", "--json"));
    return { ms, bytes, events, segments };
  }

  erase(visitors) {
    for (const visitor of visitors) this.corong("visitor", "erase", "bench", visitor);
  }

  async loadClickHouse() {
    const took = this.isPeople ? await loadPeople(this.house, this.file, ERASED) : await loadTable(this.house, this.file);
    return { ...took, ...await sizeOf(this.house) };
  }

  /** The arguments of `corong funnel run` for the counts of a question. */
  arguments({ funnel, request }) {
    const path = (name, json) => {
      const file = join(this.folder, name);
      writeFileSync(file, JSON.stringify(json));
      return file;
    };
    const flags = Object.entries(request).flatMap(([name, value]) => {
      if (name === "filters") return ["--where", path("where.json", value)];
      return name === "breakdown" ? ["--breakdown", value[0].attribute] : [`--${name}`, String(value)];
    });
    return ["funnel", "run", "bench", path("funnel.json", funnel), "--figures", "counts", ...flags, "--json",
      "--data", this.data];
  }

  async serve() {
    this.server = await Server.on(this.data);
  }

  /** What the running server says its answer took. */
  async elapsed({ funnel, request }, figures) {
    return (await this.server.report("bench", { funnel, ...request, figures })).elapsed_ms;
  }

  /** The fastest way of ClickHouse to answer; every way's answer must be Corong's. */
  async bestWay(question, report) {
    let best;
    for (const sql of this.isPeople ? question.sqlOfPeople : question.sql) {
      for (const settings of IN_ORDER) {
        const { text, ms } = await this.house.ask(sql, settings).catch(unlessOutOfMemory);
        if (text === undefined) continue;
        const differs = difference(question, report, text);
        if (differs.length > 0) throw new Error(`${question.name}: the answers differ:\n${differs.slice(0, 20).join("\n")}`);
        if (best === undefined || ms < best.ms) best = { sql, settings, ms };
      }
    }
    if (best === undefined) throw new Error(`${question.name}: ClickHouse has no way to answer within its 8 GB`);
    return best;
  }

  /** All asked in turns. */
  async ask(question) {
    const args = this.arguments(question);
    const { out, own_mb, read_mb } = await watched(args);
    const way = await this.bestWay(question, JSON.parse(out));
    const rounds = [];
    for (let i = 0; i < ROUNDS; i++) {
      const start = performance.now();
      execFileSync(corong, args, { maxBuffer: 1 << 28 });
      const whole = performance.now() - start;
      const engine = await this.elapsed(question, "counts");
      const theirs = await this.house.ask(way.sql, way.settings);
      rounds.push({ whole, engine, all: await this.elapsed(question, "all"), theirs: theirs.ms });
    }
    const middle = (key) => median(rounds.map((r) => r[key]));
    return { whole: middle("whole"), engine: middle("engine"), all: middle("all"), theirs: middle("theirs"),
      own_mb, read_mb, isInOrder: way.settings === IN_ORDER[1] };
  }

  /** The whole command with ClickHouse: start, open the folder, ask, end. */
  async wholeOfClickHouse(question) {
    await this.house.close();
    const start = performance.now();
    const house = new ClickHouse(join(this.folder, "clickhouse"));
    await house.ask(question.sql[0]);
    await house.close();
    const ms = performance.now() - start;
    this.house = new ClickHouse(join(this.folder, "clickhouse"));
    return ms;
  }
}

const ERASED = "visitor % 1000 = 7";

async function measure(folder, millions, isPeople, memory) {
  const shop = new Shop(mkdtempSync(join(folder, "size-")), millions, isPeople);
  try {
    const made = shop.generate();
    console.log(`\n## ${count(made.events)} events of ${count(made.visitors)} visitors${isPeople ? ", people over a long time" : ""}` +
      ` (${(made.bytes / 1e6).toFixed(0)} MB of CSV)\n`);
    const ours = await shop.loadCorong();
    const theirs = await shop.loadClickHouse();
    if (isPeople) shop.erase(theirs.erased);
    else if (ours.events !== theirs.rows) throw new Error(`${ours.events} events in Corong, ${theirs.rows} rows in ClickHouse`);
    rmSync(shop.file);
    head("", "Corong", "ClickHouse", "Corong / ClickHouse");
    row("load of the CSV, merged", seconds(ours.ms), seconds(theirs.ms), (ours.ms / theirs.ms).toFixed(2));
    row("events a second", count(Math.round(made.events / ours.ms * 1000)), count(Math.round(made.events / theirs.ms * 1000)), "");
    const [a, b] = [ours.bytes / ours.events, theirs.bytes / theirs.rows];
    row("bytes an event", `${a.toFixed(1)} (${ours.segments} segments)`, b.toFixed(1), (a / b).toFixed(2));
    row("the whole command, 3 stages", "below", seconds(await shop.wholeOfClickHouse(QUESTIONS[0])), "");
    console.log("");
    await shop.serve();
    head("question", "Corong", "ClickHouse", "faster", "wanted", "with times and values", "whole command", "read",
      "of memory's speed", "memory");
    const results = [];
    for (const question of QUESTIONS) {
      const r = await shop.ask(question);
      const speed = r.read_mb / r.engine; // MB a ms: GB/s
      row(question.name, millis(r.engine), `${millis(r.theirs)} (${r.isInOrder ? "in order" : "hash"})`,
        `${(r.theirs / r.engine).toFixed(1)}x`, `${question.bar}x`, millis(r.all), millis(r.whole), `${r.read_mb.toFixed(0)} MB`,
        `${(100 * speed / memory.all).toFixed(0)}%`, `${r.own_mb.toFixed(1)} MB`);
      results.push(r);
    }
    return { millions, events: made.events, results };
  } finally {
    await shop.server?.close();
    await shop.house.close();
    rmSync(shop.folder, { recursive: true, force: true });
  }
}

/** How time grows with size: each size beside the one before. */
function printGrowth(sizes) {
  console.log("\n## Growth of the engine's time with size\n");
  head("question", ...sizes.map((s) => `${count(s.events)} events`));
  QUESTIONS.forEach((question, q) => row(question.name, ...sizes.map(({ results, events }, i) => {
    const before = sizes[i - 1];
    const ms = results[q].engine;
    return before === undefined ? millis(ms)
      : `${millis(ms)} (${(ms / before.results[q].engine).toFixed(1)}x for ${(events / before.events).toFixed(1)}x the events)`;
  })));
}

function readMemory() {
  const [one, all] = execFileSync(tool("bench-memory"), { encoding: "utf8" }).trim().split(" ").map(Number);
  return { one, all };
}

const isPeople = process.argv.includes("--people");
const sizes = process.argv.slice(2).filter((a) => a !== "--people").map(Number);
if (sizes.length === 0 || sizes.some((n) => !(n > 0))) {
  console.error("usage: node bench/query.mjs [--people] MILLIONS_OF_EVENTS...");
  process.exit(2);
}
if (missing()) {
  console.error(missing());
  process.exit(1);
}
const folder = mkdtempSync(join(tmpdir(), "corong-bench-"));
const clean = () => rmSync(folder, { recursive: true, force: true });
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => { clean(); process.exit(130); });
try {
  const memory = readMemory();
  console.log(`${describeMachine(folder)}; memory read at ${memory.one} GB/s by one core, ${memory.all} GB/s by all`);
  console.log("times are medians of 5 rounds in turns, warm; answers were compared before");
  const measured = [];
  for (const millions of sizes) measured.push(await measure(folder, millions, isPeople, memory));
  if (measured.length > 1) printGrowth(measured);
} catch (error) {
  console.error(`bench: ${error.message}`);
  process.exitCode = 1;
} finally {
  clean();
}
