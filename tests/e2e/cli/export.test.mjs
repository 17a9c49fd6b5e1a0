// What is exported imports to the same figures, in another folder, whatever was stored.
import assert from "node:assert/strict";
import { test } from "node:test";
import { corong, corongOk, funnelOfEvents, temporaryFolder, up, writeJson } from "../lib/corong.mjs";

const STAGES = [{ name: "View", events: ["pageview"] }, { name: "Cart", events: ["add_to_cart"] },
  { name: "Sale", events: ["sale"] }];
const SITE = ["--domain", "shop.example", "--currency", "USD", "--timezone", "Asia/Jakarta"];

function randomOf(seed) {
  let state = seed;
  const next = (n) => (state = (state * 48271) % 2147483647) % n;
  return { next, pick: (list) => list[next(list.length)] };
}

/** Traffic with everything that an event may have: repeats, events without an id, links, bots. */
function traffic() {
  const { next, pick } = randomOf(4711);
  const begin = Date.UTC(2026, 2, 20);
  const events = [];
  for (let i = 0; i < 3000; i++) {
    const visitor = `v${next(300)}`;
    const event = pick(["pageview", "pageview", "pageview", "add_to_cart", "sale"]);
    const e = { visitor, time: begin + next(40 * 86400) * 1000, event,
      url: `https://shop.example/p/${next(9)}?utm_source=${pick(["mail", "ads"])}&x=%22`,
      referrer: pick(["", "https://www.google.com/search?q=shoes", "https://shop.example/"]),
      user_agent: pick(["Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
        "Googlebot/2.1 (+http://www.google.com/bot.html)"]),
      country: pick(["ID", "DE"]), properties: { size: pick(["S", "Größe \"L\""]), n: next(5) } };
    if (next(2) === 0) e.id = `e${i}`;
    if (next(10) === 0) e.cookieless = true;
    if (event === "sale") Object.assign(e, { value: next(10000) / 100 },
      next(2) === 0 ? { order: `o${i}` } : {}, next(3) === 0 ? { currency: "IDR" } : {});
    events.push(e);
    if (next(5) === 0) events.push(e);
  }
  for (let i = 0; i < 40; i++)
    events.push({ visitor: `v${i}`, time: begin + i * 86400_000, event: "identify", known: `user-${i % 9}` });
  return events;
}

const sorted = (text) => text.split("\n").toSorted();
const lines = (events) => events.map((e) => JSON.stringify(e)).join("\n");

async function reports(data, site) {
  const file = writeJson(data, "funnel.json", funnelOfEvents("f", STAGES, { window: "30d" }));
  const all = [];
  for (const extra of [[], ["--bots", "include"], ["--breakdown", "campaign"], ["--breakdown", "source@first"],
    ["--breakdown", "properties.size"], ["--trend", "week"]]) {
    const report = JSON.parse(await corongOk(data, ["funnel", "run", site, file, "--json", "--paths",
      "--as-of", "2026-06-01T00:00:00Z", ...extra]));
    for (const name of ["elapsed_ms", "snapshot"]) delete report[name];
    delete report.events_read; // of repeats in several segments all are read
    all.push(report);
  }
  return all;
}

test("an export imports to the same reports, and exports to the same lines", async (t) => {
  const folders = [temporaryFolder(), temporaryFolder()];
  t.after(() => folders.forEach((f) => f.remove()));
  const [from, to] = folders.map((f) => f.dir);
  const events = traffic();
  for (const data of [from, to]) await corongOk(data, ["site", "add", "shop", ...SITE]);
  for (let i = 0; i < events.length; i += 700) // several segments of each month
    await corongOk(from, ["import", "shop", "-"], { input: lines(events.slice(i, i + 700)) });
  const expected = await reports(from, "shop");
  assert.ok(expected[0].entered > 50);

  const out = await corongOk(from, ["export", "shop"]);
  await corongOk(to, ["import", "shop", "-"], { input: out });
  assert.deepEqual(await reports(to, "shop"), expected);
  // in the order of visitors' hashes, whose seed is the folder's
  assert.deepEqual(sorted(await corongOk(to, ["export", "shop"])), sorted(out));

  // again: nothing is new, so events without an id are the same ones
  await corongOk(from, ["import", "shop", "-"], { input: out });
  assert.deepEqual(await reports(from, "shop"), expected);
  assert.ok(await corongOk(from, ["export", "shop"]) === out);

  // days are the site's
  const days = ["2026-03-25", "2026-04-02"].map((d) => Date.parse(`${d}T00:00:00+07:00`));
  const some = await corongOk(from, ["export", "shop", "--from", "2026-03-25", "--to", "2026-04-02"]);
  const inDays = (line) => { const at = Date.parse(JSON.parse(line).time); return at >= days[0] && at < days[1]; };
  assert.deepEqual(some.trim().split("\n"), out.trim().split("\n").filter(inDays));

  // of a person: every id of theirs, and nobody else's
  const ids = ["user-0", "v0", "v9", "v18", "v27", "v36"];
  const person = (await corongOk(from, ["visitor", "export", "shop", "v9"])).trim().split("\n");
  assert.deepEqual(person.toSorted(),
    out.trim().split("\n").filter((line) => ids.includes(JSON.parse(line).visitor)).toSorted());

  const running = await up(from);
  try {
    assert.ok(await corongOk(from, ["export", "shop"]) === out, "while everything runs");
  } finally {
    await running.stop();
  }
});

test("what cannot be exported is said", async (t) => {
  const folder = temporaryFolder();
  t.after(() => folder.remove());
  await corongOk(folder.dir, ["site", "add", "shop", ...SITE]);
  assert.equal(await corongOk(folder.dir, ["export", "shop"]), "");
  for (const [args, code, words] of [[["export"], 2, /usage/], [["export", "none"], 1, /none/],
    [["export", "shop", "--from", "soon"], 1, /from: must be a date/],
    [["visitor", "export", "shop", "nobody"], 1, /no visitor nobody/]]) {
    const got = await corong(folder.dir, args);
    assert.equal(got.code, code, args.join(" "));
    assert.match(got.err, words);
    assert.equal(got.out, "");
  }
});
