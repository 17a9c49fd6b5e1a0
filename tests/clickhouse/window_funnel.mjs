// make check-full: random sequential funnels over random sites, each visitor's depth as Corong gives it
// against ClickHouse's windowFunnel, where the definitions coincide: its default mode where no two stages
// have the same rule (one event may serve several stages), strict_once where some do and the rules are
// otherwise of different events. Ties, windows, ranges and rules of several attributes included.
//
//     node tests/clickhouse/window_funnel.mjs [QUERIES] [SEED]
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ClickHouse, missing } from "../../bench/clickhouse/clickhouse.mjs";
import { corongOk } from "../e2e/lib/corong.mjs";

const QUERIES_PER_SITE = 50;
const VISITORS = 400;
const START_MS = Date.UTC(2026, 5, 1);
const NAMES = ["a", "b", "c", "d", "e"];

/* ---- dice: the same seed, the same run (mulberry32) ---- */

function dice(seed) {
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (n) => Math.floor(next() * n);
  return { below, chance: (p) => next() < p, one: (list) => list[below(list.length)] };
}

/* ---- a site ---- */

/** Events of few names within few moments, so that nearly everything ties, repeats or just misses. */
function randomEvents(d) {
  const events = [];
  const moments = 4 + d.below(60);
  const hasTies = d.chance(0.6);
  for (let v = 0; v < VISITORS; v++) {
    const n = d.below(12);
    for (let k = 0; k < n; k++) {
      const moment = hasTies ? d.below(moments) : d.below(moments) * 16 + k;
      events.push({ visitor: `v${v}`, id: `${v}-${k}`, time: START_MS + moment * 1000, event: d.one(NAMES),
        path: d.one(["/x", "/y"]), value: d.below(4), currency: "USD" });
    }
  }
  return { events, moments: hasTies ? moments : moments * 16 };
}

/* ---- rules: as Corong has them and as ClickHouse has them; never two of one meaning ---- */

const is = (attribute, values) => ({ attribute, op: "is", values });
const nameRule = (names) => ({ rule: is("event", names), sql: `event IN (${names.map((n) => `'${n}'`).join(", ")})` });
const both = (one, other) => ({ rule: { all: [one.rule, other.rule] }, sql: `(${one.sql} AND ${other.sql})` });
const pathRule = (path) => ({ rule: is("path", [path]), sql: `path = '${path}'` });
const valueRule = (least) => ({ rule: { attribute: "value", op: "ge", values: [least] }, sql: `value >= ${least}` });
const not = (one) => ({ rule: { not: one.rule }, sql: `NOT (${one.sql})` });

const SINGLE = NAMES.map((name) => nameRule([name]));
const MIXED = [
  ...SINGLE, nameRule(["a", "b"]), nameRule(["b", "c", "d"]), both(nameRule(["a"]), pathRule("/x")),
  both(nameRule(["b", "c"]), pathRule("/y")), pathRule("/x"), valueRule(2), both(nameRule(["c"]), valueRule(1)),
  not(nameRule(["a"])), both(not(nameRule(["b"])), pathRule("/y")),
];

function randomStages(d) {
  const n = 2 + d.below(5);
  if (d.chance(0.25)) { // some stages of the same rule: rules of one event each
    const stages = Array.from({ length: n }, () => d.one(SINGLE.slice(0, 3)));
    return { stages, mode: new Set(stages).size < n ? "strict_once" : "" };
  }
  const left = [...MIXED];
  return { stages: Array.from({ length: n }, () => left.splice(d.below(left.length), 1)[0]), mode: "" };
}

/* ---- one question to both: {visitor: depth} ---- */

async function askCorong(folder, { stages, windowMs, range }) {
  const file = join(folder, "funnel.json");
  writeFileSync(file, JSON.stringify({ name: "random", preset: "sequential", window: `${windowMs}ms`,
    stages: stages.map(({ rule }, k) => ({ name: `s${k + 1}`, rule })) }));
  const bounds = range ? ["--from", String(range[0]), "--to", String(range[1])] : [];
  const report = JSON.parse(await corongOk(join(folder, "data"), ["funnel", "run", "site", file, "--paths", "--json", ...bounds]));
  return Object.fromEntries(Object.entries(report.paths).map(([visitor, path]) => [visitor, path.at(-1)[0]]));
}

async function askClickHouse(house, table, { stages, mode, windowMs, range }) {
  const inRange = range ? ` AND time >= ${range[0]} AND time < ${range[1]}` : "";
  const conditions = stages.map(({ sql }, k) => (k === 0 ? `${sql}${inRange}` : sql));
  const { text } = await house.ask(`SELECT visitor, windowFunnel(${windowMs}${mode ? `, '${mode}'` : ""})(time, ${conditions.join(", ")}) AS depth
    FROM ${table} GROUP BY visitor HAVING depth > 0`);
  return Object.fromEntries(text.trim().split("\n").filter(Boolean).map((line) => {
    const [visitor, depth] = line.split("\t");
    return [visitor, Number(depth)];
  }));
}

function differences(ours, theirs) {
  const visitors = new Set([...Object.keys(ours), ...Object.keys(theirs)]);
  return [...visitors].filter((v) => ours[v] !== theirs[v]);
}

/* ---- the run ---- */

async function load(folder, house, table, events) {
  const lines = events.map((e) => `${JSON.stringify(e)}\n`).join("");
  const file = join(folder, "events.ndjson");
  writeFileSync(file, lines);
  await corongOk(join(folder, "data"), ["site", "add", "site", "--domain", "shop.example"]);
  await corongOk(join(folder, "data"), ["import", "site", file]);
  await house.ask(`CREATE TABLE ${table} (visitor String, id String, time UInt64, event String, path String, value Float64,
    currency String) ENGINE = Memory`);
  await house.ask(`INSERT INTO ${table} SELECT * FROM file('${file}', 'JSONEachRow',
    'visitor String, id String, time UInt64, event String, path String, value Float64, currency String')`);
}

function randomQuestion(d, moments) {
  const windowMs = d.one([1, 1000, 3000, 10_000, 30_000, moments * 500, moments * 1000]);
  const from = START_MS + d.below(moments) * 1000;
  const range = d.chance(0.3) ? [from, from + (1 + d.below(moments)) * 1000] : null;
  return { ...randomStages(d), windowMs, range };
}

function fail(question, ours, theirs, events) {
  const visitor = differences(ours, theirs)[0];
  console.error(`differs for ${visitor}: Corong ${ours[visitor] ?? 0}, ClickHouse ${theirs[visitor] ?? 0}`);
  console.error(JSON.stringify({ ...question, stages: question.stages.map((s) => s.sql) }));
  for (const e of events.filter((x) => x.visitor === visitor).sort((x, y) => x.time - y.time))
    console.error(`  ${(e.time - START_MS) / 1000} s ${e.event} ${e.path} ${e.value}`);
}

async function main(queries, seed) {
  const root = mkdtempSync(join(tmpdir(), "corong-check-full-"));
  const house = new ClickHouse(join(root, "clickhouse"));
  const d = dice(seed);
  let compared = 0;
  let deepest = 0;
  try {
    await house.ask("CREATE DATABASE random ENGINE = Atomic");
    for (let asked = 0; asked < queries;) {
      const folder = mkdtempSync(join(root, "site-"));
      const table = `random.site${asked}`;
      const { events, moments } = randomEvents(d);
      await load(folder, house, table, events);
      for (let k = 0; k < QUERIES_PER_SITE && asked < queries; k++, asked++) {
        const question = randomQuestion(d, moments);
        const ours = await askCorong(folder, question);
        const theirs = await askClickHouse(house, table, question);
        if (differences(ours, theirs).length > 0) {
          fail(question, ours, theirs, events);
          console.error(`check-full: query ${asked + 1} of seed ${seed} differs`);
          return 1;
        }
        compared += Object.keys(ours).length;
        deepest += Object.values(ours).filter((depth) => depth === question.stages.length).length;
      }
      rmSync(folder, { recursive: true, force: true });
    }
  } finally {
    await house.close();
    rmSync(root, { recursive: true, force: true });
  }
  console.log(`check-full: ${queries} random funnels (seed ${seed}), ${compared} visitors' depths equal to windowFunnel's, ` +
    `${deepest} of them conversions`);
  return compared > 0 && deepest > 0 ? 0 : 1;
}

if (missing()) console.log(`check-full: skipped: ${missing()}`);
else process.exitCode = await main(Number(process.argv[2] ?? 1000), Number(process.argv[3] ?? 1));
