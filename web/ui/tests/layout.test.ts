/* The drawing's promises, on every worked case of the funnel's definition: at every column the bands
 * that pass add up to skipped, the bands that end there add up to reached, and no band crosses a
 * solid part. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import type { Move } from "../src/api-types";
import {
  BAND_MIN_PX,
  BANDS_MAX,
  drawnSlot,
  flowOf,
  isCut,
  layoutBars,
  layoutFlow,
  type Band,
  type Flow,
  type Layout,
} from "../src/drawing/layout";
import { bandPath } from "../src/drawing/paths";

interface Case {
  name: string;
  stages: { name: string }[];
  expect: {
    entered: number;
    reached: number[];
    skipped: number[];
    throughput: number[];
    exits: number[];
    moves: Move[];
  };
}

const BOX = { x: 0, y: 80, width: 1200, height: 300 };
const EPSILON = 1e-6;

function loadCases(): Case[] {
  for (const path of [
    process.env["CORONG_FUNNEL_CASES"] ?? "",
    "../../tests/funnel/cases.json",
    "../../../shared/funnel/cases.json",
  ])
    if (path !== "" && existsSync(path)) return JSON.parse(readFileSync(path, "utf8")) as Case[];
  throw new Error("tests/funnel/cases.json is missing");
}

function flowOfCase({ stages, expect }: Case): Flow {
  return {
    entered: expect.entered,
    stages: stages.map((stage, index) => ({
      number: index + 1,
      name: stage.name,
      kind: "custom",
      reached: expect.reached[index]!,
      skipped: expect.skipped[index]!,
      throughput: expect.throughput[index]!,
      exits: expect.exits[index]!,
      open: null,
    })),
    moves: expect.moves,
  };
}

const sum = (bands: Band[]) => bands.reduce((total, band) => total + band.count, 0);
const near = (a: number, b: number) => Math.abs(a - b) < EPSILON;

/* The bands' slots of one part lie one below the other without a gap and fill it from the top. */
function checkStack(bands: Band[], column: number, part: string, top: number, height: number): void {
  const slots = bands
    .flatMap((band) => band.slots.filter((slot) => slot.column === column && slot.part === part))
    .sort((a, b) => a.y0 - b.y0 || a.y1 - b.y1);
  let at = top;
  for (const slot of slots) {
    assert.ok(near(slot.y0, at), `slots of column ${column} touch`);
    at = slot.y1;
  }
  assert.ok(near(at, top + height) || slots.length === 0, `slots fill ${part} of column ${column}`);
}

function checkLayout(flow: Flow, layout: Layout): void {
  layout.columns.forEach((column, index) => {
    const number = index + 1;
    const passing = layout.bands.filter((band) => band.from < number && band.to > number);
    const ending = layout.bands.filter((band) => band.to === number);
    const solidTop = column.y + column.skippedPx;
    const solidBottom = solidTop + column.reachedPx;
    assert.equal(sum(passing), column.stage.skipped, "bands passing = skipped");
    assert.equal(sum(ending), column.stage.reached, "bands ending = reached");
    checkStack(passing, number, "skipped", column.y, column.skippedPx);
    checkStack(ending, number, "reached", solidTop, column.reachedPx);
    for (const band of passing) {
      const slot = band.slots.find((piece) => piece.column === number)!;
      assert.equal(slot.part, "skipped");
      assert.ok(slot.y0 >= column.y - EPSILON && slot.y1 <= solidTop + EPSILON);
      assert.ok(drawnSlot(slot).y1 <= solidTop + EPSILON, "no band is drawn over a solid part");
    }
    for (const exit of layout.exits.filter((part) => part.column === index)) {
      assert.ok(exit.y0 >= solidTop - EPSILON && exit.y1 <= solidBottom + EPSILON);
      const leaving = layout.bands.filter((band) => band.from === number);
      for (const band of leaving)
        assert.ok(band.slots[0]!.y1 <= exit.y0 + EPSILON, "exits lie below every band");
    }
    assert.ok(solidBottom <= BOX.y + BOX.height + EPSILON, "a column stays in its box");
  });
  for (const band of layout.bands) {
    assert.equal(band.slots.length, band.to - band.from + 1);
    assert.deepEqual(
      band.slots.map((slot) => slot.column),
      band.slots.map((_, index) => band.from + index),
    );
    for (const slot of band.slots) {
      const drawn = drawnSlot(slot);
      assert.ok(drawn.y1 - drawn.y0 >= BAND_MIN_PX - EPSILON);
    }
    assert.doesNotMatch(bandPath(band, layout), /NaN|Infinity/);
  }
  assert.equal(layout.columns.length, flow.stages.length);
}

test("every worked case: bands passing = skipped, bands ending = reached, no solid part crossed", () => {
  const cases = loadCases();
  assert.ok(cases.length >= 408);
  let bands = 0;
  for (const one of cases) {
    const flow = flowOfCase(one);
    const layout = layoutFlow(flow, BOX, 26, 64);
    checkLayout(flow, layout);
    bands += layout.bands.length;
  }
  assert.ok(bands > 1000, "the cases have bands to check");
});

test("drawn from any later stage, the same holds", () => {
  for (const one of loadCases()) {
    const whole = flowOfCase(one);
    for (let first = 2; first < whole.stages.length; first++) {
      const flow = flowOf({ entered: whole.entered, stages: reportStages(whole), moves: whole.moves }, first);
      assert.equal(flow.stages[0]?.number, first);
      checkLayout(flow, layoutFlow(flow, BOX, 26, 64));
    }
  }
});

function reportStages(flow: Flow) {
  return flow.stages.map((stage) => ({
    ...stage,
    required: false,
    entries: 0,
    dropoff: null,
    open: null,
    onward: 0,
    rate_onward: null,
    converted: 0,
    rate_converted: null,
    rate_from_first: null,
    rate_from_previous: null,
    seen: 0,
    seen_value: {},
    value: {},
    time_from_previous_ms: null,
    time_from_start_ms: null,
  }));
}

/* The open report of a real shop: 34,957 entered, the first column is 14 times the second. */
const shop: Flow = {
  entered: 34957,
  stages: [
    [33416, 1541, 32394],
    [1943, 620, 1690],
    [719, 154, 588],
    [285, 0, 285],
  ].map(([reached, skipped, exits], index) => ({
    number: index + 1,
    name: `S${index + 1}`,
    kind: "custom" as const,
    reached: reached!,
    skipped: skipped!,
    throughput: reached! + skipped!,
    exits: exits!,
    open: null,
  })),
  moves: [
    [0, 1, 33416],
    [0, 2, 1150],
    [0, 3, 320],
    [0, 4, 71],
    [1, 2, 793],
    [1, 3, 159],
    [1, 4, 70],
    [2, 3, 240],
    [2, 4, 13],
    [3, 4, 131],
  ],
};

test("a tiny second stage cuts the first column; everything past it keeps its scale", () => {
  assert.equal(isCut(shop), true);
  const layout = layoutFlow(shop, BOX, 26, 64);
  checkLayout(shop, layout);
  const [first, second] = layout.columns;
  assert.ok(first!.breakY !== null && second!.breakY === null);
  assert.ok(near(first!.skippedPx + first!.reachedPx, BOX.height), "the cut column fills the box");
  assert.ok(second!.skippedPx + second!.reachedPx > BOX.height * 0.7, "stage 2 sets the scale");
  const solidTop = first!.y + first!.skippedPx;
  assert.ok(first!.breakY > solidTop && first!.breakY < first!.y + BOX.height);
  assert.ok(
    layout.exits[0]!.y0 > first!.breakY,
    "those who leave the cut column go out below its break",
  );
});

test("no cut at 15%, nor where nobody goes on", () => {
  const make = (first: number, second: number): Flow => ({
    entered: first,
    stages: [
      { number: 1, name: "a", kind: "custom", reached: first, skipped: 0, throughput: first, exits: first - second, open: null },
      { number: 2, name: "b", kind: "custom", reached: second, skipped: 0, throughput: second, exits: second, open: null },
    ],
    moves: second > 0 ? [[0, 1, first], [1, 2, second]] : [[0, 1, first]],
  });
  assert.equal(isCut(make(100, 15)), false);
  assert.equal(isCut(make(100, 14)), true);
  assert.equal(isCut(make(100, 0)), false);
  checkLayout(make(100, 0), layoutFlow(make(100, 0), BOX, 26, 64));
});

test("nobody entered: columns without height, no band, no NaN", () => {
  const flow: Flow = {
    entered: 0,
    stages: shop.stages.map((stage) => ({ ...stage, reached: 0, skipped: 0, throughput: 0, exits: 0 })),
    moves: [],
  };
  const layout = layoutFlow(flow, BOX, 26, 64);
  assert.equal(layout.bands.length, 0);
  assert.equal(layout.exits.length, 0);
  assert.ok(layout.columns.every((column) => column.reachedPx === 0 && column.skippedPx === 0));
});

/* Visitors that walk through n stages at random, with a fixed seed, added up as the server would. */
function randomFlow(n: number, visitors: number, seed: number): Flow {
  let state = seed;
  const random = () => (state = (state * 1103515245 + 12345) % 2147483648) / 2147483648;
  const counts = new Map<string, number>();
  for (let visitor = 0; visitor < visitors; visitor++) {
    let at = 0;
    for (let stage = 1; stage <= n; stage++) {
      if (random() > 0.4) continue;
      const key = `${at} ${stage}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
      at = stage;
      if (random() < 0.15) break;
    }
  }
  const moves = [...counts].map(([key, count]): Move => {
    const [from, to] = key.split(" ").map(Number);
    return [from!, to!, count];
  });
  const count = (keep: (move: Move) => boolean) =>
    moves.filter(keep).reduce((total, move) => total + move[2], 0);
  const stages = Array.from({ length: n }, (_, index) => {
    const number = index + 1;
    const reached = count((move) => move[1] === number);
    const skipped = count((move) => move[0] < number && move[1] > number);
    const exits = reached - count((move) => move[0] === number);
    const throughput = reached + skipped;
    return { number, name: `S${number}`, kind: "custom" as const, reached, skipped, throughput, exits, open: null };
  });
  return { entered: count((move) => move[0] === 0), stages, moves };
}

test("2 to 16 stages with every move: 24 bands of their own, the rest together, all sums hold", () => {
  for (let n = 2; n <= 16; n++)
    for (let seed = 1; seed <= 10; seed++) {
      const flow = randomFlow(n, 3000, seed * 7919 + n);
      const layout = layoutFlow(flow, BOX, 26, 64);
      checkLayout(flow, layout);
      const own = layout.bands.filter((band) => band.kind !== "other");
      const others = layout.bands.filter((band) => band.kind === "other");
      assert.equal(own.length, Math.min(BANDS_MAX, flow.moves.length));
      if (others.length === 0) continue;
      const smallestOwn = Math.min(...own.map((band) => band.count));
      assert.ok(smallestOwn >= Math.max(...others.map((band) => band.count)));
    }
});

test("two bands cross only where they must, and then once", () => {
  for (let seed = 1; seed <= 30; seed++) {
    const { bands } = layoutFlow(randomFlow(6, 3000, seed * 31), BOX, 26, 64);
    for (const a of bands)
      for (const b of bands) {
        if (a === b || a.from > b.from || (a.from === b.from && a.to < b.to)) continue;
        const first = b.from;
        const last = Math.min(a.to, b.to);
        if (first >= last) continue;
        const isAbove = Array.from({ length: last - first + 1 }, (_, index) => {
          const slotAt = (band: Band) => band.slots[first + index - band.from]!;
          return slotAt(a).y0 < slotAt(b).y0;
        });
        const crossings = isAbove.filter((above, index) => index > 0 && above !== isAbove[index - 1]);
        const mustCross = a.from < b.from && b.from < a.to && a.to < b.to;
        assert.equal(crossings.length, mustCross ? 1 : 0, `${a.from}-${a.to} and ${b.from}-${b.to}`);
      }
  }
});

test("still under way and lost share what leaves a stage", () => {
  const flow: Flow = { ...shop, stages: shop.stages.map((stage, i) => (i === 1 ? { ...stage, open: 210 } : stage)) };
  const exits = layoutFlow(flow, BOX, 26, 64).exits.filter((exit) => exit.column === 1);
  assert.deepEqual(
    exits.map((exit) => [exit.kind, exit.count]),
    [
      ["open", 210],
      ["lost", 1480],
    ],
  );
  assert.ok(near(exits[0]!.y1, exits[1]!.y0));
});

test("lying bars keep to the width and to the figures", () => {
  const bars = layoutBars(shop, 328);
  assert.ok(near(bars[0]!.reachedPx + bars[0]!.skippedPx, 328));
  assert.ok(bars[0]!.breakX !== null && bars[1]!.breakX === null);
  assert.ok(near(bars[1]!.skippedPx / bars[1]!.reachedPx, 620 / 1943));
});
