import assert from "node:assert/strict";
import { test } from "node:test";
import { changeOf } from "../src/overview/change";
import { roundParts, splitChange } from "../src/stats";

/* Whole numbers below n, the same each time. */
function dice(seed: number) {
  let state = seed;
  return (n: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) % n;
  };
}

type Figures = Parameters<typeof changeOf>[0];

/* Counts that never grow down the funnel, now and then with nobody left. */
function randomFigures(below: (n: number) => number, stages: number): Figures {
  let left = below(4) === 0 ? below(10) : below(40_000);
  const counts = Array.from({ length: stages }, (_, index) => {
    if (index > 0) left = below(12) === 0 ? 0 : below(left + 1);
    return left;
  });
  const all = counts.map((throughput) => ({ throughput }));
  return { entered: counts[0] ?? 0, converted: counts.at(-1) ?? 0, stages: all } as unknown as Figures;
}

const sum = (numbers: number[]) => numbers.reduce((total, one) => total + one, 0);

test("the sentence's parts add up to the change exactly, whatever the funnels are", () => {
  const below = dice(5);
  for (let i = 0; i < 5000; i++) {
    const stages = 2 + below(15);
    const now = randomFigures(below, stages);
    const before = randomFigures(below, stages);
    const { total, parts } = changeOf(now, before);
    assert.equal(total, now.converted - before.converted);
    assert.equal(sum(parts.map(({ count }) => count)), total, JSON.stringify({ now, before, parts }));
    for (const { count, step } of parts) {
      assert.ok(Number.isInteger(count) && count !== 0);
      assert.ok(step >= 0 && step < stages);
    }
    assert.equal(new Set(parts.map(({ step }) => step)).size, parts.length, "each named once");
    /* the other way round the same parts, but for which of them was rounded up */
    const back = changeOf(before, now);
    for (const { step, count } of parts) {
      const other = back.parts.find((part) => part.step === step)?.count ?? 0;
      assert.ok(Math.abs(count + other) <= 1, JSON.stringify({ now, before }));
    }
  }
});

const figures = (...counts: number[]) =>
  ({
    entered: counts[0],
    converted: counts.at(-1),
    stages: counts.map((throughput) => ({ throughput })),
  }) as unknown as Figures;

test("what did not change is not named, what alone changed has it all", () => {
  assert.deepEqual(changeOf(figures(200, 100, 20), figures(100, 50, 10)), { total: 10, parts: [{ step: 0, count: 10 }] });
  assert.deepEqual(changeOf(figures(100, 50, 5), figures(100, 50, 25)), { total: -20, parts: [{ step: 2, count: -20 }] });
  assert.deepEqual(changeOf(figures(100, 50, 5), figures(100, 50, 5)), { total: 0, parts: [] });
  /* nobody was there before: all of it is more visitors */
  assert.deepEqual(changeOf(figures(100, 50, 5), figures(0, 0, 0)), { total: 5, parts: [{ step: 0, count: 5 }] });
  /* gains and losses that come to nothing together are both said */
  assert.deepEqual(changeOf(figures(200, 50), figures(100, 50)).parts.map(({ count }) => Math.sign(count)), [1, -1]);
});

test("a product's change is split so that the parts are it, and whole numbers stay near theirs", () => {
  const below = dice(9);
  for (let i = 0; i < 2000; i++) {
    const n = 1 + below(16);
    const some = () => Array.from({ length: n }, (_, index) => (index === 0 ? below(5000) : below(1000) / 1000));
    const before = some();
    const after = some();
    const parts = splitChange(before, after);
    const product = (factors: number[]) => factors.reduce((all, one) => all * one, 1);
    const change = product(after) - product(before);
    assert.ok(Math.abs(sum(parts) - change) < 1e-6 * Math.max(1, Math.abs(change)), `${sum(parts)} ${change}`);
    const whole = Math.round(change) + 0; /* never -0 */
    const rounded = roundParts(parts, whole);
    assert.equal(sum(rounded), whole);
    rounded.forEach((part, index) => assert.ok(Math.abs(part - (parts[index] ?? 0)) <= 1));
  }
});
