import assert from "node:assert/strict";
import { test } from "node:test";
import type { HealthDay } from "../src/api-types";
import { formatBytes, negated } from "../src/format";
import { reasonsOf, spansOf } from "../src/health/counts";
import { isForeign } from "../src/health/hosts";

const day = (name: string, accepted: number, refused: Record<string, number> = {}): HealthDay => ({
  day: name, accepted, late: 0, bots: 0, repeats: 0, refused,
});

const DAYS = [day("2026-06-14", 5, { too_old: 1, b: 1 }), day("2026-06-08", 7), day("2026-06-07", 11, { invalid: 9, a: 1 })];

test("days are added up to today, seven and thirty", () => {
  assert.deepEqual(spansOf(DAYS, "2026-06-14", ({ accepted }) => accepted), { today: 5, week: 12, month: 23 });
  assert.deepEqual(spansOf(DAYS, "2026-06-15", ({ accepted }) => accepted), { today: 0, week: 5, month: 23 });
  assert.deepEqual(spansOf([], "2026-06-14", ({ accepted }) => accepted), { today: 0, week: 0, month: 0 });
});

test("reasons stand by how often they were, then by name", () => {
  assert.deepEqual(reasonsOf(DAYS), ["invalid", "a", "b", "too_old"]);
});

test("hosts below the site's own are its own", () => {
  const site = { domain: "shop.example", hosts: ["shop.test"] };
  for (const host of ["shop.example", "www.shop.example", "a.b.shop.test"]) assert.equal(isForeign(host, site), false, host);
  for (const host of ["workshop.example", "shop.example.evil.test", "localhost"]) assert.equal(isForeign(host, site), true, host);
});

test("amounts change their sign exactly, and nothing becomes -0", () => {
  assert.deepEqual(negated({ USD: "12.50", EUR: "-0.10", JPY: "0", IDR: "0.00", KRW: "-0" }), {
    USD: "-12.50", EUR: "0.10", JPY: "0", IDR: "0.00", KRW: "0",
  });
});

test("bytes are short", () => {
  assert.deepEqual([0, 999, 1500, 268_435_456, 81_604_378_624].map(formatBytes), ["0 B", "999 B", "1.5 kB", "268 MB", "81.6 GB"]);
});
