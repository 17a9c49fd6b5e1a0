// Every figure is a link: of random reports about random sites each figure is opened over the HTTP
// API, and the list has as many rows as the figure says; the tables add up; and the command line
// says the same. FULL=1: 50 reports of each of 4 seeds; SEED=n other ones.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { signUp, wholeList } from "../lib/api.mjs";
import { corongOk, inParallel, temporaryFolder, up, writeJson } from "../lib/corong.mjs";
import { dice, randomEvents, randomQuestion } from "../lib/random.mjs";

const [ROUNDS, REPORTS] = process.env.FULL === undefined ? [1, 12] : [4, 50];
const NUMBERS = ["value", "engaged_ms"];
const SEED = Number(process.env.SEED ?? 2026);
const OF_REPORT = ["entered", "converted", "began_before", "after_range"];
const OF_STAGE = ["reached", "skipped", "throughput", "entries", "exits", "dropoff", "open", "onward", "converted", "seen"];
/* many visitors for lists of several pages, few for odd corners */
const SITES = [
  { visitors: 1300, isTight: false }, { visitors: 60, isTight: true }, { visitors: 60, isTight: false },
  { visitors: 25, isTight: true }, { visitors: 25, isTight: false }, { visitors: 300, isTight: false },
];

const folder = temporaryFolder();
let service, api;

before(async () => {
  const r = dice(SEED);
  for (const [i, wish] of SITES.entries()) {
    const name = `site${i}`;
    await corongOk(folder.dir, ["site", "add", name, "--domain", "shop.example", "--timezone", "Europe/Berlin", "--currency", "USD"]);
    const lines = [...randomEvents(r, wish)].map((event) => JSON.stringify(event));
    /* in three parts, so that visitors have runs in several files */
    for (const part of [0, 1, 2])
      await corongOk(folder.dir, ["import", name, "-"], { input: lines.filter((_, k) => k % 3 === part).join("\n") });
  }
  service = await up(folder.dir);
  api = await signUp(service);
});
after(async () => {
  await service?.stop();
  folder.remove();
});

/* ---- The figures of a report, or of a row of one, with the questions that open them ---- */

/** [[{figure, stage}, count]..] of all that can be opened. */
function figuresOf(report) {
  const list = OF_REPORT.filter((name) => name in report).map((figure) => [{ figure }, report[figure]]);
  for (const [k, stage] of report.stages.entries()) {
    for (const figure of OF_STAGE)
      if (typeof stage[figure] === "number") list.push([{ figure, stage: k + 1 }, stage[figure]]);
    if (stage.dropoff !== null) list.push([{ figure: "lost", stage: k + 1 }, stage.dropoff - stage.open]);
  }
  return list;
}

async function openAll(site, question, snapshot, figures, what) {
  let opened = 0, pages = 0;
  await inParallel(figures, 2, async ([place, count]) => {
    const list = await wholeList(api, site, { ...question, ...place, snapshot });
    const name = `${what}: ${JSON.stringify(place)} of ${site} ${JSON.stringify(question)}`;
    assert.equal(list.n, count, name);
    assert.equal(list.rows.length, count, name);
    /* of sessions two may begin in the same millisecond */
    if (question.funnel.count === "visitors")
      assert.equal(new Set(list.rows.map((row) => row.visitor)).size, count, `${name}: each once`);
    opened++;
    pages = Math.max(pages, list.pages);
  });
  return { opened, pages };
}

/* ---- What a row, a point and the other range are a report of (the latter two of other files) ---- */

const list = ({ breakdown, limit, trend, compare, ...question }) => question;

/** "<10", "10..50", ">=50" */
function boundsOf(value) {
  if (value.startsWith("<")) return { high: value.slice(1) };
  if (value.startsWith(">=")) return { low: value.slice(2) };
  const [low, high] = value.split("..");
  return { low, high };
}

function rowFilters(row, breakdown) {
  return row.values.flatMap((value, i) => {
    const { attribute, bins } = breakdown[i];
    /* a filter at a stage's number would narrow the stage */
    const at = typeof breakdown[i].at === "number" ? `visit:${breakdown[i].at}` : breakdown[i].at;
    if (value === null) return [{ rule: { attribute, op: "not_set" }, at }];
    const op = NUMBERS.includes(attribute) ? "eq" : "is";
    if (bins === undefined) return [{ rule: { attribute, op, values: [value] }, at }];
    const { low, high } = boundsOf(value);
    return [["ge", low], ["lt", high]].filter(([, bound]) => bound !== undefined)
      .map(([op, bound]) => ({ rule: { attribute, op, values: [bound] }, at }));
  });
}


/* ---- Adding up ---- */

const sum = (rows, get) => rows.reduce((n, row) => n + get(row), 0);

/** Exact decimals of any currency, in thousandths. */
const thousandths = (text) => BigInt(Math.round(Number(text) * 1000));
function addMoney(rows) {
  const total = {};
  for (const row of rows)
    for (const [currency, text] of Object.entries(row)) total[currency] = (total[currency] ?? 0n) + thousandths(text);
  return total;
}
const inThousandths = (money) => addMoney([money]);

function checkStages(report) {
  const { stages, moves } = report;
  assert.equal(report.entered, stages[0].throughput);
  assert.equal(report.entered, sum(stages, (s) => s.exits));
  assert.equal(report.entered, sum(stages, (s) => s.entries));
  assert.equal(report.converted, stages.at(-1).throughput);
  for (const [k, stage] of stages.entries()) {
    const to = (j) => sum(moves.filter((move) => move[1] === j), (move) => move[2]);
    assert.equal(to(k + 1), stage.reached, "bands that end in a stage");
    assert.equal(sum(moves.filter((move) => move[0] === k + 1), (move) => move[2]), stage.onward, "bands that leave it");
    assert.equal(sum(moves.filter(([i, j]) => i < k + 1 && j > k + 1), (move) => move[2]), stage.skipped, "bands that pass");
    assert.equal(stage.reached + stage.skipped, stage.throughput);
    assert.equal(stage.reached - stage.exits, stage.onward);
    if (k > 0) assert.ok(stage.throughput <= stages[k - 1].throughput);
  }
}

function checkBreakdown(report) {
  const rows = report.breakdown;
  for (const name of ["entered", "converted"]) assert.equal(sum(rows, (row) => row[name]), report[name], name);
  for (const [k, stage] of report.stages.entries()) {
    for (const name of OF_STAGE.filter((name) => name !== "seen" && stage[name] !== null))
      assert.equal(sum(rows, (row) => row.stages[k][name]), stage[name], `${name} of stage ${k + 1}`);
    assert.deepEqual(addMoney(rows.map((row) => row.stages[k].value)), inThousandths(stage.value), `value of stage ${k + 1}`);
  }
}

/* ---- One report ---- */

async function checkList(site, question, report, r) {
  const seen = await openAll(site, list(question), report.snapshot, figuresOf(report), "report");
  const { compare } = report;
  if (compare !== undefined) {
    const { from, to, as_of } = compare;
    await openAll(site, { ...list(question), from, to, as_of }, undefined, r.some(figuresOf(compare), 6), "other range");
  }
  for (const row of r.some((report.breakdown ?? []).filter((row) => row.values !== undefined), 2)) {
    const filters = [...question.filters, ...rowFilters(row, question.breakdown)];
    await openAll(site, { ...list(question), filters }, report.snapshot, r.some(figuresOf(row), 6), `row ${JSON.stringify(row.values)}`);
  }
  const starts = report.trend.map((point) => point.start);
  const at = r.below(Math.max(1, starts.length));
  if (starts.length > 0 && (at + 1 < starts.length || report.to !== null)) {
    const days = { from: starts[at], to: starts[at + 1] ?? report.to };
    await openAll(site, { ...list(question), ...days }, undefined, r.some(figuresOf(report.trend[at]), 6), "point");
  }
  return seen;
}

/** The same question by the command line, member by member as it is written. */
async function checkCommand(site, question, report, number) {
  const file = (name, value) => writeJson(folder.dir, `${name}-${number}.json`, value);
  const words = ["funnel", "run", site, file("funnel", question.funnel), "--json", "--timezone", question.timezone,
    "--as-of", question.as_of, "--bots", question.bots, "--limit", String(question.limit), "--trend", question.trend];
  if (question.from !== undefined) words.push("--from", question.from, "--to", question.to);
  if (question.compare !== undefined) words.push("--compare", question.compare);
  if (question.filters.length > 0) words.push("--where", file("filters", question.filters));
  for (const one of question.breakdown) words.push("--breakdown", JSON.stringify(one));
  const said = JSON.parse(await corongOk(folder.dir, words));
  const { snapshot, elapsed_ms, events_read, ...figures } = said;
  assert.ok(Object.keys(figures).length >= 9, Object.keys(figures).join());
  for (const [name, value] of Object.entries(figures))
    assert.equal(JSON.stringify(report[name]), JSON.stringify(value), `${name} of ${site} ${JSON.stringify(question)}`);
}

async function checkFile(site, question, report) {
  const place = { figure: "throughput", stage: 2 };
  const file = await api.post(`/sites/${site}/export`,
    { ...list(question), ...place, what: "visitors", snapshot: report.snapshot });
  assert.equal(file.trimEnd().split("\r\n").length - 1, report.stages[1].throughput, "lines of the file");
}

async function checkReport(r, number, totals) {
  const site = `site${number % SITES.length}`;
  const question = randomQuestion(r);
  if (question.from === undefined && question.compare !== undefined) delete question.compare;
  if (question.breakdown.length === 0) delete question.breakdown;
  const report = await api.post(`/sites/${site}/report`, question);
  question.breakdown ??= [];
  question.filters ??= [];
  checkStages(report);
  if (report.compare !== undefined) checkStages(report.compare);
  if (report.breakdown !== undefined) checkBreakdown(report);
  if (question.funnel.count === "sessions" && report.to !== null)
    for (const name of ["entered", "converted"]) assert.equal(sum(report.trend, (point) => point[name]), report[name], name);
  const { opened, pages } = await checkList(site, question, report, r);
  await checkCommand(site, question, report, number);
  await checkFile(site, question, report);
  totals.figures += opened;
  totals.entered += report.entered;
  totals.pages = Math.max(totals.pages, pages);
  if (report.converted > 0) totals.converting++;
}

for (let round = 0; round < ROUNDS; round++)
  test(`every figure of ${REPORTS} random reports is a list with as many rows (seed ${SEED + round})`, async (t) => {
    const r = dice(SEED + round + 1);
    const totals = { figures: 0, pages: 0, entered: 0, converting: 0 };
    for (let i = 0; i < REPORTS; i++) await checkReport(r, i, totals);
    t.diagnostic(JSON.stringify(totals));
    /* the questions are not about nobody */
    assert.ok(totals.converting >= REPORTS / 4, JSON.stringify(totals));
  });

test("a list of several pages has everybody once", async () => {
  const is = (...values) => ({ attribute: "event", op: "is", values });
  const funnel = { name: "Long", window: "14d", stages: [
    { name: "Came", rule: is("pageview") }, { name: "Bought", rule: is("sale") }] };
  const question = { funnel, as_of: "2026-07-01T00:00:00Z" };
  const report = await api.post("/sites/site0/report", question);
  assert.ok(report.entered > 1000, String(report.entered));
  const { pages } = await openAll("site0", question, report.snapshot, figuresOf(report), "long");
  assert.ok(pages >= 3, String(pages));
});
