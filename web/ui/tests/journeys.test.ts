import assert from "node:assert/strict";
import { test } from "node:test";
import type { Journey } from "../src/api-types";
import { findingKeys, parseFinding, searchOf } from "../src/journeys/finding";
import { depthOf, lineOf, shortId } from "../src/journeys/sessions";
import { driverWords, factsOf, valueOf } from "../src/journeys/words";

const event = (time: string, stages: number[]) => ({ event: { visitor: "v", time, event: "e" }, stages });
const session = (...events: ReturnType<typeof event>[]) => ({
  start: events[0]!.event.time,
  is_whole: true,
  channel: "direct",
  source: null,
  medium: null,
  campaign: null,
  content: null,
  keyword: null,
  referrer: null,
  landing: null,
  events,
});
const journey = (paths: Journey["paths"], ...sessions: ReturnType<typeof session>[]) =>
  ({ visitor: "v", ids: ["v"], n: 4, sessions, paths }) as unknown as Journey;
const ms = (time: string) => Date.parse(time);

test("gaps within and between sessions, and which events are counted", () => {
  const [first, second] = lineOf(
    journey(
      [{ path: [[1, ms("2026-06-01T10:00:00Z")], [2, ms("2026-06-02T10:00:00Z")]] }],
      session(event("2026-06-01T10:00:00Z", [1]), event("2026-06-01T10:05:00Z", [1, 2])),
      session(event("2026-06-02T10:00:00Z", [2])),
    ),
  );
  assert.equal(first!.gap_ms, null);
  assert.equal(first!.length_ms, 300_000);
  assert.deepEqual(first!.events.map((one) => one.gap_ms), [null, 300_000]);
  assert.deepEqual(first!.events[0]!.marks, [{ stage: 1, isCounted: true }]);
  assert.deepEqual(first!.events[1]!.marks, [
    { stage: 1, isCounted: false },
    { stage: 2, isCounted: false },
  ]);
  assert.equal(second!.gap_ms, ms("2026-06-02T10:00:00Z") - ms("2026-06-01T10:05:00Z"));
  assert.deepEqual(second!.events[0]!.marks, [{ stage: 2, isCounted: true }]);
});

test("of two events of one moment only one stands for a counted stage", () => {
  const time = "2026-06-01T10:00:00Z";
  const [only] = lineOf(journey([{ path: [[1, ms(time)]] }], session(event(time, [1]), event(time, [1]))));
  assert.deepEqual(only!.events.map((one) => one.marks[0]!.isCounted), [true, false]);
  assert.equal(depthOf([{ path: [[1, 5], [3, 6]] }, { path: [[2, 9]] }]), 3);
  assert.equal(depthOf(undefined), 0);
});

test("an address says who is looked for, and is read back", () => {
  const finding = parseFinding("?order=77&funnel=Shop&stage=2&figure=dropoff");
  assert.deepEqual(finding, { by: "order", text: "77", funnel: "Shop", figure: "dropoff", stage: 2 });
  const keys = Object.entries(findingKeys(finding)).filter((pair): pair is [string, string] => pair[1] !== null);
  assert.deepEqual(parseFinding(`?${new URLSearchParams(keys)}`), finding);
  assert.deepEqual(searchOf(finding, "Shop"), { order: "77", funnel: "Shop", figure: "dropoff", stage: 2 });
  assert.deepEqual(searchOf(finding, ""), { order: "77" }, "without a funnel there are no stages");
  assert.deepEqual(parseFinding("?figure=nonsense&stage=0"), { by: "id", text: "", funnel: null, figure: null, stage: null });
});

test("a random id is shortened, a known one is not", () => {
  assert.equal(shortId("431fe851dc0887b90e0a0924a782611c"), "431fe851dc08…");
  assert.equal(shortId("customer-1234-of-the-shop"), "customer-1234-of-the-shop");
});

test("drivers, facts and values in words", () => {
  const driver = { channel: "paid search", source: "google", campaign: null, keyword: "tea" };
  assert.equal(driverWords(driver), "paid search: google, “tea”");
  assert.equal(driverWords({ channel: "direct", source: null, campaign: null, keyword: null }), "direct");
  const sale = { visitor: "v", time: "", event: "sale", order: "7", value: 18.5, currency: "SGD" };
  assert.deepEqual(factsOf({ ...sale, product: "tea", quantity: 2, properties: { size: "L" } }), ["tea × 2", "order 7", "size: L"]);
  assert.equal(valueOf(sale), "18.50 SGD");
  assert.equal(valueOf({ ...sale, currency: "JPY", value: 1200 }), "1,200 JPY");
  assert.equal(valueOf({ ...sale, currency: "not a code" }), "18.5 not a code");
});
