// Filters, breakdowns, trends, comparisons and lists by the command line: each says the same as the
// plain report that it stands for (funnel.md 3 to 5).
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { corong, corongOk, inParallel, temporaryFolder, writeJson } from "../lib/corong.mjs";

const folder = temporaryFolder();
const data = folder.dir;
const START = Date.parse("2026-03-20T00:00:00+01:00"); // the clock changes on 29 March
const DAY = 86_400_000;
const REGIONS = ["DE-BE", "DE-BY", "ID-JK", undefined];

/** The same events each time: 300 visitors over three weeks, with campaigns, sales and gaps. */
function* events() {
  let state = 7;
  const below = (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) % n; // the low bits of such a generator repeat soon
  };
  for (let v = 0; v < 300; v++) {
    let time = START + below(21) * DAY + below(86_400) * 1000;
    const region = REGIONS[below(4)];
    const n = 1 + below(6);
    for (let k = 0; k < n; k++) {
      const kind = ["pageview", "add_to_cart", "sale"][Math.min(2, below(k + 2))];
      const campaign = below(4) === 0 ? `?utm_source=news&utm_medium=mail&utm_campaign=c${below(3)}` : "";
      yield {
        visitor: `v${v}`, time, event: kind, id: `${v}-${k}`, region, url: `https://shop.example/p${below(3)}${campaign}`,
        ...(kind === "sale" ? { value: 5 * (1 + below(20)), currency: "EUR" } : {}),
      };
      time += below(3) === 0 ? below(40) * 3_600_000 : below(1500) * 1000;
    }
  }
}

const is = (attribute, ...values) => ({ attribute, op: "is", values });
const funnel = (more = {}) => ({
  name: "Shop", window: "3d", ...more,
  stages: [
    { name: "Came", rule: is("event", "pageview") },
    { name: "Cart", rule: is("event", "add_to_cart") },
    { name: "Sale", kind: "sale", rule: is("event", "sale") }],
});
const APRIL = ["--from=2026-03-25", "--to=2026-04-05", "--as-of=2026-05-01T00:00:00Z"];
let shop, sessions;

before(async () => {
  await corongOk(data, ["site", "add", "shop", "--domain", "shop.example", "--timezone", "Europe/Berlin"]);
  await corongOk(data, ["import", "shop", "-"], { input: [...events()].map((e) => JSON.stringify(e)).join("\n") });
  shop = writeJson(data, "shop.json", funnel());
  sessions = writeJson(data, "sessions.json", funnel({ count: "sessions" }));
});
after(() => folder.remove());

const text = (file, flags) => corongOk(data, ["funnel", "run", "shop", file, ...flags]);
const run = async (file, flags) => JSON.parse(await text(file, [...flags, "--json"]));

/** A report without what differs from run to run. */
const figures = ({ snapshot, elapsed_ms, events_read, ...rest }) => rest;
const counts = (stage) => Object.fromEntries(Object.entries(stage).filter(([key, value]) =>
  typeof value === "number" && !key.startsWith("rate") && !key.startsWith("time")));
const sum = (rows, get) => rows.reduce((n, row) => n + get(row), 0);

test("rows add up to the total, and each is the report filtered to its values", async () => {
  for (const file of [shop, sessions]) {
    const total = await run(file, APRIL);
    const report = await run(file, [...APRIL, "--breakdown=region", "--breakdown=campaign@last", "--limit=4"]);
    assert.equal(report.breakdown.length, 5);
    assert.equal(report.breakdown[4].other, true);
    assert.deepEqual(figures({ ...report, breakdown: undefined }), figures({ ...total, breakdown: undefined }));
    assert.equal(sum(report.breakdown, (row) => row.entered), total.entered);
    for (const [k, stage] of total.stages.entries())
      for (const [name, n] of Object.entries(counts(stage)))
        if (name !== "seen") assert.equal(sum(report.breakdown, (row) => row.stages[k][name]), n, `${name} of ${k}`);
    for (const row of report.breakdown.slice(0, 4)) {
      const rule = (attribute, value) => value === null ? { attribute, op: "not_set" } : is(attribute, value);
      const where = ["region", "campaign"].map((name, i) => `--where=${writeJson(data, `${name}.json`,
        { rule: rule(name, row.values[i]), at: i === 0 ? "entry" : "last" })}`);
      const filtered = await run(file, [...APRIL, ...where]);
      assert.equal(filtered.entered, row.entered);
      assert.equal(filtered.converted, row.converted);
      for (const [k, { seen, seen_value, ...stage }] of filtered.stages.entries())
        assert.deepEqual(row.stages[k], stage);
    }
  }
});

test("numbers fall into bins", async () => {
  const total = await run(shop, APRIL);
  const report = await run(shop, [...APRIL, '--breakdown={"attribute":"value","at":3,"bins":[20,"50"]}']);
  const names = report.breakdown.map((row) => row.values[0]);
  assert.deepEqual(new Set(names), new Set([null, "<20", "20..50", ">=50"]));
  assert.equal(sum(report.breakdown, (row) => row.values[0] === null ? 0 : row.entered), total.converted);
});

test("a point is the report over its own days, on both sides of a clock change", async () => {
  for (const [file, trend, n] of [[shop, "day", 11], [shop, "week", 2], [sessions, "month", 2]]) {
    const report = await run(file, [...APRIL, `--trend=${trend}`]);
    assert.equal(report.trend.length, n);
    const ends = [...report.trend.slice(1).map((point) => point.start), "2026-04-05T00:00:00+02:00"];
    for (const [i, point] of report.trend.entries()) {
      const own = await run(file, [`--from=${point.start}`, `--to=${ends[i]}`, APRIL[2]]);
      assert.deepEqual([point.entered, point.converted], [own.entered, own.converted], point.start);
      for (const [k, stage] of point.stages.entries())
        for (const [name, value] of Object.entries(stage)) assert.equal(value, own.stages[k][name], name);
    }
    if (file === sessions) assert.equal(sum(report.trend, (point) => point.entered), report.entered);
  }
});

test("the other range is the report of that range, at equal age", async () => {
  const asked = ["--from=2026-04-01", "--to=2026-04-05", "--as-of=2026-04-05T12:00:00+02:00", "--breakdown=region"];
  const report = await run(shop, [...asked, "--compare=previous"]);
  const then = report.compare;
  assert.deepEqual([then.from, then.to, then.as_of],
    ["2026-03-28T00:00:00+01:00", "2026-04-01T00:00:00+02:00", "2026-04-01T10:00:00Z"]);
  const own = await run(shop, [`--from=${then.from}`, `--to=${then.to}`, `--as-of=${then.as_of}`]);
  for (const key of ["entered", "converted", "began_before", "after_range", "stages", "moves"])
    assert.deepEqual(then[key], own[key], key);
  assert.deepEqual(then.breakdown.map((row) => row.values), report.breakdown.map((row) => row.values));
  assert.equal(sum(then.breakdown, (row) => row.entered), own.entered);
  const ranged = await run(shop, [...asked, "--compare=2026-03-28..2026-04-01"]);
  assert.deepEqual(ranged.compare, then);
});

test("every figure has as many rows in its list as it says", async () => {
  const ofReport = ["entered", "converted", "began_before", "after_range"];
  const ofStage = ["reached", "skipped", "throughput", "entries", "exits", "onward", "converted", "seen", "dropoff", "open"];
  const asked = ["--from=2026-03-25", "--to=2026-04-05", "--as-of=2026-04-06T00:00:00+02:00"];
  for (const file of [shop, sessions]) {
    const report = await run(file, asked);
    const figuresOf = [
      ...ofReport.map((name) => [name, report[name]]),
      ...report.stages.flatMap((stage, k) => ofStage.filter((name) => stage[name] !== null)
        .map((name) => [`${name}:${k + 1}`, stage[name]])),
    ];
    assert.equal(figuresOf.length, 4 + 3 * 10 - 2);
    await inParallel(figuresOf, 2, async ([name, n]) => {
      const list = await run(file, [...asked, `--visitors=${name}`]);
      assert.equal(list.visitors.length, n, name);
      assert.equal(list.n, n, name);
      const lines = (await text(file, [...asked, `--visitors=${name}`])).split("\n").slice(0, -1);
      assert.deepEqual(lines.map((line) => line.split("  ")[0]), list.visitors.map((unit) => unit.visitor), name);
    });
  }
  const paths = (await run(shop, [...asked, "--paths"])).paths;
  const list = await run(shop, [...asked, "--visitors=entered"]);
  assert.deepEqual(Object.fromEntries(list.visitors.map((unit) => [unit.visitor, unit.path])), paths);
});

test("for people: tables", async () => {
  const out = await text(shop, [...APRIL, "--breakdown=region", "--limit=2", "--trend=week", "--compare=previous"]);
  assert.match(out, /^\d+ visitors entered, \d+ converted \(\d+\.\d\d%\)$/m);
  assert.match(out, /^2026-03-14T00:00:00\+01:00 to 2026-03-25T00:00:00\+01:00: \d+ visitors entered/m);
  assert.match(out, /^value +entered +converted +rate +then entered/m);
  assert.match(out, /^\(all others\) +\d+/m);
  assert.match(out, /^2026-03-30T00:00:00\+02:00 +\d+ +\d+ +\d+\.\d\d%$/m);
  assert.match(await text(sessions, APRIL), /sessions entered/);
});

test("what is asked twice is added; what does not fit is refused", async () => {
  const sale = writeJson(data, "sale.json", [{ rule: is("event", "sale") }]);
  const none = writeJson(data, "none.json", { rule: is("event", "add_to_cart"), at: "none" });
  const both = await run(shop, [`--where=${sale}`, `--where=${none}`]);
  const path = (await run(shop, [`--where=${sale}`, `--where=${none}`, "--paths"])).paths;
  assert.equal(both.entered, Object.keys(path).length);
  assert.ok(both.entered > 0 && both.entered === both.converted && both.stages[1].reached === 0);
  const got = await corong(data, ["funnel", "run", "shop", shop, "--breakdown=region", "--breakdown=city", "--breakdown=os"]);
  assert.equal(got.code, 1);
  assert.match(got.err, /breakdown/);
});
