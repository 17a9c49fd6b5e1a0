// `corong count` against sums made here from the events that went in.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { corong, corongOk, temporaryFolder, writeJson } from "../lib/corong.mjs";

const folder = temporaryFolder();
const data = folder.dir;
const START = Date.parse("2026-06-01T00:00:00Z");
const MINUTE = 60_000;
const DAY = 86_400_000;

const events = [];
for (let v = 0; v < 60; v++) {
  for (let k = 0; k <= v % 4; k++) {
    const time = START + (v % 5) * DAY + k * (v % 3 === 0 ? 45 : 10) * MINUTE;
    const sale = k === 3 ? { event: "sale", order: `o${v % 40}`, value: "10.25", currency: "EUR" } : { event: "pageview" };
    events.push({ visitor: `v${v}`, time, id: `${v}-${k}`, path: `/p${k}`, engaged_ms: 1000 * k, ...sale });
  }
}
const distinct = (list) => new Set(list).size;
const visitorsOf = (list) => distinct(list.map((e) => e.visitor));

before(async () => {
  await corongOk(data, ["site", "add", "shop", "--domain", "shop.example", "--timezone", "UTC"]);
  await corongOk(data, ["import", "shop", "-"], { input: events.map((e) => JSON.stringify(e)).join("\n") });
});
after(() => folder.remove());

const count = async (...flags) => JSON.parse(await corongOk(data, ["count", "shop", ...flags, "--json"]));

test("totals are those of the events", async () => {
  const all = await count();
  const sales = events.filter((e) => e.event === "sale");
  assert.equal(all.visitors, 60);
  assert.equal(all.events, events.length);
  // 45 minutes between two events end a session
  assert.equal(all.sessions, 60 + events.filter((e) => e.id.split("-")[1] > 0 && e.id.split("-")[0] % 3 === 0).length);
  assert.equal(all.orders, distinct(sales.map((e) => e.order)));
  assert.deepEqual(all.value, { EUR: (10.25 * sales.length).toFixed(2) });
  assert.equal(all.engaged_ms, events.reduce((sum, e) => sum + e.engaged_ms, 0));
});

test("a day, a row and a filter", async () => {
  const days = await count("--trend", "day", "--breakdown", "path");
  assert.deepEqual(days.trend.map((p) => p.visitors), [0, 1, 2, 3, 4].map((day) =>
    visitorsOf(events.filter((e) => e.time >= START + day * DAY && e.time < START + (day + 1) * DAY))));
  assert.deepEqual(days.breakdown.map((r) => [r.values[0], r.visitors]), [0, 1, 2, 3].map((k) =>
    [`/p${k}`, visitorsOf(events.filter((e) => e.path === `/p${k}`))]));
  const filters = writeJson(data, "p2.json",
    { rule: { attribute: "path", op: "is", values: ["/p2"] }, at: "every" });
  const { visitors, events: n } = await count("--where", filters);
  assert.deepEqual([visitors, n], [days.breakdown[2].visitors, days.breakdown[2].events]);
});

test("a table for people; wrong flags name themselves", async () => {
  const text = await corongOk(data, ["count", "shop", "--breakdown", "path", "--limit", "1"]);
  assert.match(text, /^ +visitors +sessions +events +orders +engaged +value of sale\nall +60 /);
  assert.match(text, /\n\/p0 +60 .*\n\(other\) +45 /);
  const wrong = await corong(data, ["count", "shop", "--count", "people"]);
  assert.equal(wrong.code, 1);
  assert.match(wrong.err, /count/);
});
