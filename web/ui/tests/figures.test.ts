/* Shares, changes, bars of time, rows and the copied command: pure functions, some by random cases
 * with fixed seeds. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import type { BreakdownRow, ReportRequest, StageFigures } from "../src/api-types";
import { changeOf } from "../src/overview/change";
import { commandOf, quoted } from "../src/report/command";
import { histogram, timeBetween } from "../src/report/histogram";
import { flowOfRow, rowFilters, rowName, sumOf } from "../src/report/rows";
import { interval, roundParts, splitChange } from "../src/stats";

/* mulberry32: the same numbers everywhere */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const whole = (random: () => number, below: number) => Math.floor(random() * below);

test("a share's interval: Wilson's, within 0 and 1, around the share", () => {
  /* published values: 10 of 100, none of 10, all of 10 */
  const rows: [number, number, number, number][] = [
    [10, 100, 0.0552, 0.1744],
    [0, 10, 0, 0.2775],
    [10, 10, 0.7225, 1],
    [285, 34957, 0.0073, 0.0092],
  ];
  for (const [part, of, low, high] of rows) {
    const found = interval(part, of);
    assert.ok(found !== null);
    assert.ok(Math.abs(found.low - low) < 0.00006, `${part} of ${of}: ${found.low}`);
    assert.ok(Math.abs(found.high - high) < 0.00006, `${part} of ${of}: ${found.high}`);
  }
  assert.equal(interval(0, 0), null);
  const random = randomFrom(1);
  for (let i = 0; i < 500; i++) {
    const of = 1 + whole(random, 10_000);
    const part = whole(random, of + 1);
    const found = interval(part, of);
    assert.ok(found !== null && found.low >= 0 && found.high <= 1);
    assert.ok(found.low <= part / of + 1e-12 && part / of <= found.high + 1e-12, `${part} of ${of}`);
  }
});

test("a change is split over its factors, and the parts add up to it", () => {
  const random = randomFrom(2);
  for (let i = 0; i < 500; i++) {
    const n = 1 + whole(random, 16);
    const before = Array.from({ length: n }, () => random() * 3);
    const after = before.map((factor) => (random() < 0.3 ? factor : random() * 3));
    const product = (factors: number[]) => factors.reduce((all, one) => all * one, 1);
    const parts = splitChange(before, after);
    const total = product(after) - product(before);
    const sum = parts.reduce((all, one) => all + one, 0);
    const scale = Math.max(1, ...[before, after].map((factors) => product(factors.map((one) => Math.max(1, one)))));
    assert.ok(Math.abs(sum - total) < 1e-9 * scale, `case ${i}: ${sum} is not ${total}`);
    parts.forEach((part, k) => before[k] === after[k] && assert.ok(part === 0, `case ${i}: factor ${k} did not change`));
  }
  assert.deepEqual(splitChange([10, 0.5], [20, 0.5]), [5, 0]);
  /* with two factors: the mean of changing it first and last */
  assert.deepEqual(splitChange([100, 0.5], [200, 0.25]), [37.5, -37.5]);
});

test("rounded parts add up, and are at most one away", () => {
  const random = randomFrom(3);
  for (let i = 0; i < 500; i++) {
    const parts = Array.from({ length: 1 + whole(random, 17) }, () => (random() - 0.5) * 100);
    const total = Math.round(parts.reduce((all, one) => all + one, 0));
    const rounded = roundParts(parts, total);
    assert.equal(rounded.reduce((all, one) => all + one, 0), total, `case ${i}`);
    rounded.forEach((one, k) => assert.ok(Number.isInteger(one) && Math.abs(one - (parts[k] ?? 0)) <= 1, `case ${i}`));
  }
});

function figures(throughput: number[]) {
  return {
    entered: throughput[0] ?? 0,
    converted: throughput.at(-1) ?? 0,
    stages: throughput.map((count) => ({ throughput: count }) as StageFigures),
  };
}

/* Throughputs that never grow, sometimes down to nobody. */
function randomFigures(random: () => number, n: number) {
  let count = random() < 0.1 ? 0 : whole(random, 50_000);
  return figures(
    Array.from({ length: n }, (_, k) => {
      if (k > 0) count = random() < 0.05 ? 0 : whole(random, count + 1);
      return count;
    }),
  );
}

test("the parts of a change in sales add up to it exactly, whatever happened", () => {
  for (let seed = 1; seed <= 2000; seed++) {
    const random = randomFrom(seed);
    const n = 2 + whole(random, 15);
    const [now, before] = [randomFigures(random, n), randomFigures(random, n)];
    const { total, parts } = changeOf(now, before);
    assert.equal(total, now.converted - before.converted, `seed ${seed}`);
    assert.equal(parts.reduce((sum, part) => sum + part.count, 0), total, `seed ${seed}`);
    assert.ok(parts.every(({ count, step }) => count !== 0 && Number.isInteger(count) && step >= 0 && step < n), `seed ${seed}`);
    const sizes = parts.map(({ count }) => Math.abs(count));
    assert.deepEqual(sizes, [...sizes].sort((a, b) => b - a), `seed ${seed}`);
    const nothing = changeOf(now, now);
    assert.deepEqual(nothing, { total: 0, parts: [] }, `seed ${seed}`);
  }
});

test("a change has one cause where one thing changed", () => {
  assert.deepEqual(changeOf(figures([200, 100, 20]), figures([100, 50, 10])), { total: 10, parts: [{ step: 0, count: 10 }] });
  assert.deepEqual(changeOf(figures([100, 25, 5]), figures([100, 50, 10])).parts, [{ step: 1, count: -5 }]);
  assert.deepEqual(changeOf(figures([0, 0, 0]), figures([100, 50, 10])).parts, [{ step: 0, count: -10 }]);
});

test("bars of time hold everybody once, up to the longest", () => {
  const MINUTE = 60_000;
  const times = [0, 59_999, MINUTE, 20 * MINUTE, 3 * 24 * 60 * MINUTE];
  const bars = histogram(times, (time) => time);
  assert.deepEqual(bars[0], { low: 0, high: MINUTE, members: [0, 59_999] });
  assert.deepEqual(bars[1]?.members, [MINUTE]);
  assert.equal(bars.at(-1)?.members[0], 3 * 24 * 60 * MINUTE);
  assert.equal(bars.at(-1)?.low, 3 * 24 * 60 * MINUTE);
  assert.deepEqual(histogram([], () => 0), []);
  const random = randomFrom(4);
  for (let i = 0; i < 200; i++) {
    const all = Array.from({ length: whole(random, 50) }, () => whole(random, 400 * 24 * 60 * MINUTE));
    const found = histogram(all, (time) => time);
    assert.equal(found.reduce((sum, bar) => sum + bar.members.length, 0), all.length);
    for (const { low, high, members } of found) assert.ok(members.every((time) => low <= time && time < high));
    found.slice(1).forEach((bar, k) => assert.equal(bar.low, found[k]?.high));
  }
});

test("time between two visits of a path, where both are on it", () => {
  const path: [number, number][] = [[1, 100], [3, 400], [4, 1000]];
  assert.equal(timeBetween(path, 1, 3), 300);
  assert.equal(timeBetween(path, 0, 4), 900);
  assert.equal(timeBetween(path, 2, 3), null);
  assert.equal(timeBetween(path, 1, 2), null);
  assert.equal(timeBetween(path.slice(1), 0, 3), null, "it began there");
  assert.equal(timeBetween([], 0, 1), null);
});

const row = (values: (string | null)[] | null, entered = 3, converted = 1): BreakdownRow => ({
  ...(values === null ? { other: true as const } : { values }),
  entered,
  converted,
  stages: [],
});

test("rows: names, sums, and the filters that leave one of them", () => {
  const by = [{ attribute: "campaign" }, { attribute: "value", at: 3, bins: [10, 50] }];
  assert.deepEqual(rowName(row(["spring", "10..50"]), by), ["spring", "10 – < 50"]);
  assert.deepEqual([rowName(row(["a", "<10"]), by)[1], rowName(row(["a", ">=50"]), by)[1]], ["< 10", "≥ 50"]);
  assert.deepEqual(rowName(row(null), by), []);
  assert.equal(rowFilters(row(null), by, []), null);
  const bins = rowFilters(row(["spring", "10..50"]), by, []);
  assert.deepEqual(bins?.map(({ attribute, op, values }) => [attribute, op, values]), [
    ["campaign", "is", ["spring"]],
    ["value", "ge", ["10"]],
    ["value", "lt", ["50"]],
  ]);
  assert.deepEqual(rowFilters(row([null]), [{ attribute: "campaign" }], [])?.[0]?.op, "not_set");
  const rows = [row(["a"], 5, 2), row([null], 4, 0), row(null, 1, 1)];
  assert.deepEqual(sumOf(rows), { entered: 10, converted: 3 });
  assert.deepEqual(flowOfRow(row(["a"], 7)), { entered: 7, stages: [], moves: [] });
});

const REQUEST: ReportRequest = {
  funnel: {
    name: "It's",
    window: "7d",
    stages: [
      { name: "a\\n\"b\"", rule: { attribute: "path", op: "regex", values: ["^/p/\\d+$"] } },
      { name: "ż $HOME `id` $(id) !! %", rule: { attribute: "event", op: "is", values: ["sale"] } },
    ],
  },
  from: "2026-06-01",
  to: "2026-07-01",
  bots: "include",
  filters: [{ rule: { attribute: "campaign", op: "is", values: ["it's; rm -rf /"] }, at: "entry" }],
  breakdown: [{ attribute: "properties.a b" }, { attribute: "value", bins: [10, 50] }],
  limit: 50,
  trend: "week",
  compare: { from: "2026-05-01", to: "2026-06-01" },
};

test("the copied command is the same words in every shell", () => {
  const command = commandOf("shop", REQUEST, null, "2026-07-01T00:00:00Z");
  for (const shell of ["sh", "bash"]) {
    const printed = spawnSync(shell, ["-c", command.replace(/^corong/, "printf '%s\\0'")], { encoding: "utf8" });
    assert.equal(printed.status, 0, printed.stderr);
    const words = printed.stdout.split("\0").slice(0, -1);
    assert.deepEqual(words.slice(0, 3), ["funnel", "run", "shop"]);
    assert.deepEqual(JSON.parse(words[3] ?? ""), REQUEST.funnel);
    assert.deepEqual(JSON.parse(words[words.indexOf("--where") + 1] ?? ""), REQUEST.filters);
    const flags = words.filter((word) => word.startsWith("--"));
    assert.deepEqual(flags, [
      "--from", "--to", "--as-of", "--bots", "--where", "--breakdown", "--breakdown", "--limit", "--trend", "--compare", "--json",
    ]);
    assert.equal(words[words.indexOf("--breakdown") + 1], "properties.a b");
    assert.equal(words[words.indexOf("--compare") + 1], "2026-05-01..2026-06-01");
  }
});

test("the copied command names a saved funnel, unless the name looks like something else", () => {
  const wordOf = (name: string) => commandOf("shop", { funnel: REQUEST.funnel }, name, "T").split(" ").slice(4)[0];
  assert.equal(wordOf("Shop"), "Shop");
  assert.equal(wordOf("It's mine"), "'It'\\''s");
  for (const odd of ["--help", "shop.json", '{"a":1}', "-"]) assert.match(wordOf(odd) ?? "", /^'\{"name"/, odd);
  assert.equal(quoted(""), "''");
});
