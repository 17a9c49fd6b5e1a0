import assert from "node:assert/strict";
import { test } from "node:test";
import {
  DASH,
  formatCount,
  formatDay,
  formatDecimal,
  formatDuration,
  formatMoment,
  formatMoney,
  formatShare,
  shareOf,
} from "../src/format";
import { parseWindow, windowWords } from "../src/windowWords";

test("shares: one decimal, two under 1%, never a wrong 0 or 100, a dash without a divisor", () => {
  const rows: [number | null, string][] = [
    [null, DASH],
    [NaN, DASH],
    [Infinity, DASH],
    [0, "0%"],
    [1, "100%"],
    [0.0733, "7.3%"],
    [0.5, "50.0%"],
    [285 / 34957, "0.82%"],
    [0.00004, "<0.01%"],
    [0.99999, ">99.9%"],
    [0.999, "99.9%"],
    [0.00996, "1.0%"],
    [1.25, "125.0%"],
  ];
  for (const [share, expected] of rows) assert.equal(formatShare(share), expected, String(share));
  assert.equal(shareOf(1, 0), null);
  assert.equal(shareOf(0, 4), 0);
});

test("durations: two units at most, rounded, never 60 of anything", () => {
  const rows: [number | null, string][] = [
    [null, DASH],
    [0, "at once"],
    [1, "1 ms"],
    [999, "999 ms"],
    [1000, "1 s"],
    [2500, "2.5 s"],
    [59_400, "59 s"],
    [59_600, "1 min"],
    [60_000, "1 min"],
    [95_000, "1 min 35 s"],
    [4 * 60_000, "4 min"],
    [12 * 60_000 + 10_000, "12 min"],
    [59 * 60_000 + 59_900, "1 h"],
    [80 * 60_000, "1 h 20 min"],
    [26 * 3_600_000, "1 d 2 h"],
    [2 * 86_400_000, "2 d"],
    [40 * 86_400_000 + 13 * 3_600_000, "41 d"],
  ];
  for (const [ms, expected] of rows) assert.equal(formatDuration(ms), expected, String(ms));
});

test("money stays the exact decimal that it was", () => {
  assert.equal(formatDecimal("286171.00"), "286,171.00");
  assert.equal(formatDecimal("-1234567.5"), "-1,234,567.5");
  assert.equal(formatDecimal("9007199254740993.01"), "9,007,199,254,740,993.01");
  assert.equal(formatDecimal("0.10"), "0.10");
  assert.equal(formatDecimal("abc"), "abc");
  assert.deepEqual(formatMoney({ USD: "10.00", EUR: "2000" }), ["2,000 EUR", "10.00 USD"]);
  assert.match(formatMoney({ "": "1.5" })[0]!, /^1\.5 /);
  assert.deepEqual(formatMoney(null), []);
});

test("days and moments", () => {
  assert.equal(formatDay("2026-06-14"), "14 June 2026");
  assert.equal(formatDay("nonsense"), "nonsense");
  assert.match(formatMoment("2026-06-01T18:30:00Z", "Asia/Jakarta"), /2 Jun.* 2026.*01:30/);
  assert.match(formatMoment("2026-06-01T18:30:00Z", "Not/AZone"), /18:30/);
  assert.equal(formatCount(1234567), "1,234,567");
});

test("windows", () => {
  assert.deepEqual(parseWindow("30m"), { count: 30, unit: "m" });
  assert.equal(parseWindow("7 days"), null);
  assert.equal(windowWords("7d"), "7 days");
  assert.equal(windowWords("1d"), "1 day");
  assert.equal(windowWords("30m"), "30 minutes");
  assert.equal(windowWords("odd"), "odd");
});
