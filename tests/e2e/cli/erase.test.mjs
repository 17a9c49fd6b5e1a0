// Who is erased is gone: from every answer at once, with --now from every file too.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { corong, corongOk, funnelOfEvents, temporaryFolder, up, writeJson } from "../lib/corong.mjs";

const STAGES = [{ name: "View", events: ["pageview"] }, { name: "Sale", events: ["sale"] }];
const DAY = (n, hour = 12) => Date.UTC(2026, 3, n, hour);
const SECRET = "only-she-ever-typed-this";

async function siteIn(t) {
  const folder = temporaryFolder();
  t.after(() => folder.remove());
  await corongOk(folder.dir, ["site", "add", "shop", "--domain", "shop.example", "--currency", "USD"]);
  return folder.dir;
}

const importLines = (data, events) =>
  corongOk(data, ["import", "shop", "-"], { input: events.map((e) => JSON.stringify(e)).join("\n") });

async function report(data, extra = []) {
  const file = writeJson(data, "funnel.json", funnelOfEvents("f", STAGES, { window: "90d" }));
  const r = JSON.parse(await corongOk(data, ["funnel", "run", "shop", file, "--json", "--paths",
    "--as-of", "2026-12-31T00:00:00Z", ...extra]));
  for (const name of ["elapsed_ms", "snapshot", "events_read"]) delete r[name];
  return r;
}

/** Three segments of two months; ann is three ids, with a text that nobody else has. */
const OTHERS = Array.from({ length: 60 }, (_, i) => [
  { visitor: `v${i}`, time: DAY(1 + i % 50), event: "pageview", properties: { note: `n${i % 7}` } },
  { visitor: `v${i}`, time: DAY(2 + i % 50), event: "sale", order: `o${i}`, value: i },
]).flat();
const HERS = [
  { visitor: "ann-phone", time: DAY(1), event: "pageview", properties: { note: SECRET } },
  { visitor: "ann-laptop", time: DAY(2), event: "pageview", campaign: SECRET },
  { visitor: "ann-laptop", time: DAY(40), event: "sale", order: "hers", value: 99 },
  { visitor: "ann-phone", time: DAY(3), event: "identify", known: "ann@shop.example" },
  { visitor: "ann-laptop", time: DAY(4), event: "identify", known: "ann@shop.example" },
  { visitor: "ann@shop.example", time: DAY(5), event: "pageview" },
];
const IDS = ["ann-phone", "ann-laptop", "ann@shop.example"];

async function fill(data) {
  await importLines(data, [...OTHERS.slice(0, 40), ...HERS.slice(0, 2)]);
  await importLines(data, [...OTHERS.slice(40), ...HERS.slice(2, 4)]);
  await importLines(data, [...OTHERS, ...HERS.slice(4)]);
}

const holding = (dir, text) => readdirSync(dir, { recursive: true, withFileTypes: true })
  .filter((f) => f.isFile() && readFileSync(join(f.parentPath ?? f.path, f.name)).includes(text))
  .map((f) => f.name);

async function assertGone(data, expected) {
  assert.deepEqual(await report(data), expected);
  const out = await corongOk(data, ["export", "shop"]);
  assert.equal(out.trim().split("\n").length, OTHERS.length);
  for (const text of [...IDS, SECRET]) assert.ok(!out.includes(text), text);
  for (const id of IDS) {
    assert.equal((await corong(data, ["visitor", "show", "shop", id])).code, 1);
    assert.equal((await corong(data, ["visitor", "export", "shop", id])).code, 1);
  }
}

test("a person is gone from every answer, then from every file; what comes later counts", async (t) => {
  const [data, without] = [await siteIn(t), await siteIn(t)];
  await importLines(without, OTHERS);
  const expected = await report(without);
  await fill(data);
  assert.notDeepEqual(await report(data), expected);

  assert.match(await corongOk(data, ["visitor", "erase", "shop", "ann-phone"]), /^Erased: 3 ids/);
  await assertGone(data, expected);
  const status = JSON.parse(await corongOk(data, ["status", "--json"]));
  assert.equal(status.sites[0].identity.joined_ids, 0);

  await corongOk(data, ["visitor", "erase", "shop", "ann-phone", "--now"]);
  await assertGone(data, expected);
  for (const text of [...IDS, SECRET]) assert.deepEqual(holding(data, text), [], text);
  await corongOk(data, ["check"]);

  // copies that come late stay away, and so do the ids that they would join to her
  const late = await importLines(data, HERS);
  assert.match(late, /: 0 events, 0 repeats/);
  assert.match(late, /6 events are of visitors who were erased/);
  for (const text of [...IDS, SECRET]) assert.deepEqual(holding(data, text), [], text);
  await importLines(data, [{ visitor: "ann-tv", time: DAY(6), event: "identify", known: "ann@shop.example" },
    { visitor: "ann-tv", time: DAY(6), event: "pageview" }]);
  await assertGone(data, expected);
  assert.equal((await corong(data, ["visitor", "show", "shop", "ann-tv"])).code, 1);

  // a tombstone is of its time or earlier
  const later = { visitor: "ann-phone", time: Date.now() + 60_000, event: "pageview" };
  await importLines(data, [later]);
  const shown = JSON.parse(await corongOk(data, ["visitor", "show", "shop", "ann-phone", "--json"]));
  assert.deepEqual(shown.ids, ["ann-phone"]);
  assert.deepEqual(shown.events.map((e) => e.event), ["pageview"]);
});

test("while everything runs: from the stream's files and from Redis's log", { timeout: 600_000 }, async (t) => {
  const folder = temporaryFolder();
  t.after(() => folder.remove());
  const data = join(folder.dir, "data");
  const added = await corongOk(data, ["site", "add", "shop", "--domain", "shop.example"]);
  const [secret] = added.match(/secret_[\w-]{32}/);
  const running = await up(data);
  t.after(() => running.stop());
  const send = (visitor, id, note) => fetch(`${running.collector}/api/v1/events`, { method: "POST",
    headers: { Authorization: `Bearer ${secret}` },
    body: JSON.stringify([{ visitor, id, time: Date.now(), event: "pageview", properties: { note } }]) });
  const shows = async (id) => (await corong(data, ["visitor", "show", "shop", id])).code === 0;
  const until = async (what, fn) => {
    for (const end = Date.now() + 120_000; !(await fn()); await sleep(100))
      assert.ok(Date.now() < end, `never: ${what}`);
  };

  await until("the site is known", async () => (await send("ann-phone", "1", SECRET)).ok);
  assert.ok((await send("bob", "1", "hello")).ok);
  await until("both are stored", async () => (await shows("ann-phone")) && (await shows("bob")));
  assert.notDeepEqual(holding(data, "ann-phone"), []);

  assert.match(await corongOk(data, ["visitor", "erase", "shop", "ann-phone", "--now"]), /^Erased: 1 id,/);
  for (const text of ["ann-phone", SECRET]) assert.deepEqual(holding(data, text), [], text);
  assert.equal(await shows("ann-phone"), false);
  assert.equal(await shows("bob"), true);

  assert.ok((await send("ann-phone", "2", "again")).ok);
  await until("later events count", () => shows("ann-phone"));
});
