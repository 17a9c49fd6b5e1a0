// The questions of the comparison: each as Corong is asked it, as ClickHouse is asked it (several ways
// where it is not known which is fastest), and as lines "what<tab>how many" that must be the same.
const WINDOW_MS = 30 * 86_400_000;
const MONTH = ["2026-03-01", "2026-04-01"];
const CAMPAIGN = "campaign-0003";

/* ---- as Corong is asked ---- */

const is = (attribute, value) => ({ attribute, op: "is", values: [value] });
const funnel = (stages, preset = "sequential") => ({
  name: "bench", preset, window: "30d", stages: stages.map(([name, rule]) => ({ name, rule })),
});
const by = (attribute) => ({ breakdown: [{ attribute }], limit: 1000 });
const stage = (event, rule = is("event", event)) => [event, rule];
const THREE = ["pageview", "add_to_cart", "sale"].map((e) => stage(e));
const FOUR = ["pageview", "add_to_cart", "checkout", "sale"].map((e) => stage(e));
const BY_CAMPAIGN = [stage("pageview", { all: [is("event", "pageview"), is("campaign", CAMPAIGN)] }), ...THREE.slice(1)];

/** How many went how deep: "2<tab>100". */
const depths = (stages, before = "") =>
  stages.map((s, k) => (s.exits > 0 ? `${before}${k + 1}\t${s.exits}` : "")).filter(Boolean);
const ofReport = (report) => depths(report.stages);
const ofRows = (report) => report.breakdown.flatMap((row) => depths(row.stages, `${row.values[0] ?? ""}\t`));
const ofMoves = (report) => report.moves.map(([i, j, n]) => `${i} ${j}\t${n}`);

/* ---- as ClickHouse is asked ---- */

const when = (event) => `event = '${event}'`;
const among = (stages) => `event IN (${stages.map(([event]) => `'${event}'`).join(", ")})`;
const depthOf = (conditions) => `windowFunnel(${WINDOW_MS})(time, ${conditions.join(", ")})`;
const conditions = (stages) => stages.map(([event]) => when(event));

/** Visitors by a depth (and by a column that is one for each visitor). */
const byDepth = ({ depth, where, column }) => {
  const key = column ? `${column}, ` : "";
  const any = column ? `any(${column}) AS ${column}, ` : "";
  return `SELECT ${key}depth, count() FROM (SELECT ${any}${depth} AS depth FROM bench.shop
    WHERE site = 1 AND ${where} GROUP BY site, visitor) WHERE depth > 0 GROUP BY ${key}depth`;
};
const sequential = (stages, where = "1", column = undefined) =>
  [among(stages), "1"].map((events) =>
    byDepth({ depth: depthOf(conditions(stages)), where: `${events} AND ${where}`, column }));

const monthSql = () => {
  const [from, to] = MONTH.map((day) => Date.parse(`${day}T00:00:00Z`));
  const [first, ...rest] = conditions(THREE);
  return [byDepth({
    depth: depthOf([`${first} AND time < ${to}`, ...rest]),
    where: `${among(THREE)} AND time >= ${from} AND time <= ${to + WINDOW_MS}`,
  })];
};

const campaignSql = () => {
  const [first, ...rest] = conditions(THREE);
  return [byDepth({ depth: depthOf([`${first} AND campaign = '${CAMPAIGN}'`, ...rest]), where: among(THREE) })];
};

/** Open: the deepest stage that a visitor was ever at. */
const openDepthSql = () => [among(THREE), "1"].map((where) => byDepth({
  depth: `max(multiIf(${when("sale")}, 3, ${when("add_to_cart")}, 2, ${when("pageview")}, 1, 0))`, where,
}));

/** Open with every stage on the way: of the paths to the deepest stage the one with the most stages,
 *  then the one that began first. Its stages as digits; then as moves. */
const openPathSql = () => {
  const [p, a, s] = conditions(THREE);
  const earliest = (starts) =>
    `arrayMin(arrayFilter(x -> arrayExists(y -> y >= x AND y <= x + ${WINDOW_MS}, s), ${starts}))`;
  return [`SELECT path, count() FROM (
    SELECT groupArrayIf(time, ${p}) AS p, groupArrayIf(time, ${a}) AS a, groupArrayIf(time, ${s}) AS s,
      ${depthOf([p, a, s])} AS all3, ${depthOf([p, a])} AS first2,
      ${earliest("p")} AS p_s, ${earliest("a")} AS a_s,
      multiIf(notEmpty(s), multiIf(all3 = 3, '123', p_s > 0 AND (a_s = 0 OR p_s < a_s), '13', a_s > 0, '23', '3'),
              notEmpty(a), if(first2 = 2, '12', '2'), notEmpty(p), '1', '') AS path
    FROM bench.shop WHERE site = 1 AND ${among(THREE)} GROUP BY site, visitor) WHERE path != '' GROUP BY path`];
};

/** By device where a person may have two: the device of the first visit of the path that counts. */
const entryDeviceSql = () => {
  const [p, a, s] = conditions(THREE);
  const within = (x, y) => `${y} >= ${x}.1 AND ${y} <= ${x}.1 + ${WINDOW_MS}`;
  const reaches = {
    3: `arrayExists(z -> ${within("x", "z")} AND arrayExists(y -> y >= x.1 AND y <= z, a), s)`,
    2: `arrayExists(y -> ${within("x", "y")}, a)`,
  };
  const first = (depth) => `arraySort(arrayFilter(x -> ${reaches[depth] ?? "1"}, p))[1].2`;
  return [`SELECT device, depth, count() FROM (
    SELECT groupArrayIf((time, used), ${p}) AS p, groupArrayIf(time, ${a}) AS a, groupArrayIf(time, ${s}) AS s,
      ${depthOf([p, a, s])} AS depth,
      multiIf(depth = 3, ${first(3)}, depth = 2, ${first(2)}, ${first(1)}) AS device
    FROM (SELECT site, visitor, time, event, toString(device) AS used FROM bench.shop WHERE site = 1 AND ${among(THREE)})
    GROUP BY site, visitor) WHERE depth > 0 GROUP BY device, depth`];
};

const asLines = (text) => text.trim().split("\n").filter(Boolean);
const asMoves = (text) => {
  const moves = new Map();
  for (const line of asLines(text)) {
    const [path, count] = line.split("\t");
    for (let k = 0; k < path.length; k++) {
      const move = `${path[k - 1] ?? 0} ${path[k]}`;
      moves.set(move, (moves.get(move) ?? 0) + Number(count));
    }
  }
  return [...moves].map(([move, count]) => `${move}\t${count}`);
};

/** {name, bar: how many times faster than ClickHouse it is to be, funnel, request: what else a report is asked,
 *  sql, sqlOfPeople: where one person has several devices, ofReport and ofText: the lines of the two answers} */
export const QUESTIONS = [
  { name: "3 stages, all time", bar: 25, funnel: funnel(THREE), sql: sequential(THREE) },
  { name: "4 stages, all time", bar: 25, funnel: funnel(FOUR), sql: sequential(FOUR) },
  { name: "3 stages, open", bar: 15, funnel: funnel(THREE, "open"), sql: openDepthSql() },
  { name: "3 stages, open, with what was skipped", bar: 15, funnel: funnel(THREE, "open"), sql: openPathSql(),
    ofReport: ofMoves, ofText: asMoves },
  { name: "by device", bar: 20, funnel: funnel(THREE), request: by("device"),
    sql: sequential(THREE, "1", "device"), sqlOfPeople: entryDeviceSql(), ofReport: ofRows },
  { name: "by region", bar: 20, funnel: funnel(THREE), request: by("region"),
    sql: sequential(THREE, "1", "region"), ofReport: ofRows },
  { name: "one country", bar: 12, funnel: funnel(THREE), request: { filters: [{ rule: is("country", "ID") }] },
    sql: sequential(THREE, "country = 'ID'") },
  { name: "one month", bar: 15, funnel: funnel(THREE), request: { from: MONTH[0], to: MONTH[1] }, sql: monthSql() },
  { name: "first stage with one campaign", bar: 15, funnel: funnel(BY_CAMPAIGN), sql: campaignSql() },
].map((q) => ({ request: {}, ofReport, ofText: asLines, sqlOfPeople: q.sql, ...q }));

/** The two answers' lines that are not in both; empty: the same. */
export function difference(question, report, text) {
  const ours = new Set(question.ofReport(report));
  const theirs = new Set(question.ofText(text));
  return [...[...ours].filter((l) => !theirs.has(l)).map((l) => `corong: ${l}`),
    ...[...theirs].filter((l) => !ours.has(l)).map((l) => `ClickHouse: ${l}`)];
}
