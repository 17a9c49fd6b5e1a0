// One person, several ids, from beacon and import to the report; also where the aggregator is killed.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { corong, corongOk, funnelOfEvents, temporaryFolder, up, writeJson } from "../lib/corong.mjs";

const BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
const STAGES = [{ name: "View", events: ["pageview"] }, { name: "Sale", events: ["sale"] }];
const DAY = (n, hour = 12) => Date.UTC(2026, 5, n, hour);

async function paths(data, site) {
  const file = writeJson(data, "funnel.json", funnelOfEvents("f", STAGES, { window: "30d" }));
  const out = JSON.parse(await corongOk(data, ["funnel", "run", site, file, "--json", "--paths"]));
  return { paths: out.paths, entered: out.entered, converted: out.converted, value: out.stages[1].value };
}

const show = async (data, site, id) =>
  JSON.parse(await corongOk(data, ["visitor", "show", site, id, "--json"]));

const identityOf = async (data, site) =>
  JSON.parse(await corongOk(data, ["status", "--json"])).sites.find((s) => s.name === site).identity;

const importLines = (data, site, events) =>
  corong(data, ["import", site, "-", "--json"],
    { input: events.map((e) => (typeof e === "string" ? e : JSON.stringify(e))).join("\n") });

const EVENTS = [
  { visitor: "t", time: DAY(1), event: "pageview", id: "1" },
  { visitor: "t", time: DAY(1, 13), event: "handover", known: "f", id: "2" },
  { visitor: "f", time: DAY(2), event: "pageview", id: "3" },
  { visitor: "ann", time: DAY(3), event: "sale", order: "77", value: 12.5 },
  { visitor: "f", time: DAY(20), event: "identify", known: "ann", id: "4" },
  { visitor: "f", time: DAY(21), event: "identify", known: "ann", id: "5" },
  { visitor: "f", time: DAY(22), event: "identify", known: "bob", id: "6" },
  { visitor: "phone", time: DAY(23), event: "identify", known: "ann" },
  { visitor: "phone", time: DAY(24), event: "pageview" },
  { visitor: "bob", time: DAY(25), event: "pageview" },
  { visitor: "eve", time: DAY(26), event: "pageview" },
];
const EXPECTED = {
  paths: { ann: [[1, DAY(1)], [2, DAY(3)]], bob: [[1, DAY(25)]], eve: [[1, DAY(26)]] },
  entered: 3, converted: 1, value: { USD: "12.50" },
};

test("imported identities join, and what is exported imports to the same figures", async (t) => {
  const folder = temporaryFolder();
  t.after(() => folder.remove());
  const data = folder.dir;
  for (const site of ["shop", "copy", "backwards"])
    await corongOk(data, ["site", "add", site, "--domain", "shop.example", "--currency", "USD"]);

  assert.equal((await importLines(data, "shop", EVENTS)).code, 0);
  assert.deepEqual(await paths(data, "shop"), EXPECTED);
  const identity = { joined_ids: 4, people: 1, not_joined: { other_person: 1, too_many_ids: 0 } };
  assert.deepEqual(await identityOf(data, "shop"), identity);

  const whole = await show(data, "shop", "t");
  assert.deepEqual(whole.ids.toSorted(), ["ann", "f", "phone", "t"]);
  assert.equal(whole.ids[0], "ann");
  assert.equal(whole.events.length, 9);
  for (const id of ["f", "phone", "ann"])
    assert.deepEqual((await show(data, "shop", id)).events, whole.events);
  const said = await corongOk(data, ["visitor", "show", "shop", "ann"]);
  assert.match(said, /handover +known=f as t\n/);

  const exported = [...whole.events, ...(await show(data, "shop", "bob")).events,
    ...(await show(data, "shop", "eve")).events];
  for (const site of ["copy", "backwards"]) {
    if (site === "copy") assert.equal((await importLines(data, site, exported)).code, 0);
    else for (const e of exported.toReversed()) // one commit each
      assert.equal((await importLines(data, site, [e])).code, 0);
    assert.deepEqual(await paths(data, site), EXPECTED);
    assert.deepEqual(await identityOf(data, site), identity);
  }
});

test("an identity that is nobody's is refused by name", async (t) => {
  const folder = temporaryFolder();
  t.after(() => folder.remove());
  const data = folder.dir;
  await corongOk(data, ["site", "add", "shop", "--domain", "shop.example"]);
  const identify = { visitor: "f", time: DAY(1), event: "identify" };
  const bad = [
    ...["", "  ", "null", "Undefined", "anonymous", "GUEST", "0", 0, "x".repeat(129)]
      .map((known) => ({ ...identify, known })),
    identify,
    { ...identify, event: "pageview", known: "ann" },
    { ...identify, event: "handover" },
    { ...identify, known: true },
  ];
  const got = await importLines(data, "shop", bad);
  assert.equal(got.code, 1);
  assert.equal(JSON.parse(got.out).rejected, bad.length);
  for (const [i, line] of got.err.trim().split("\n").entries())
    assert.match(line, new RegExp(`^line ${i + 1}: known: `));
});

test("beacons and the server join people, though the aggregator is killed again and again",
  { timeout: 600_000 }, async (t) => {
    const folder = temporaryFolder();
    t.after(() => folder.remove());
    const data = join(folder.dir, "data");
    const added = await corongOk(data, ["site", "add", "shop", "--domain", "shop.example"]);
    const [key] = added.match(/site_[\w-]{22}/);
    const [secret] = added.match(/secret_[\w-]{32}/);
    const running = await up(data);
    t.after(() => running.stop());
    const post = (path, body, headers = {}) => fetch(`${running.collector}${path}`, { method: "POST",
      body: JSON.stringify(body), headers: { "User-Agent": BROWSER, ...headers } });
    const beacon = (visitor, ...events) =>
      post("/e", { site: key, visitor, sent: Date.now(), events });
    const server = (...events) =>
      post("/api/v1/events", events, { Authorization: `Bearer ${secret}` });

    const until = async (what, fn) => {
      for (const end = Date.now() + 120_000; !(await fn());) {
        assert.ok(Date.now() < end, `never: ${what}`);
        await sleep(100);
      }
    };
    await until("the site is known", async () => (await beacon("warm", { event: "x", id: "w" })).ok);

    const refused = await beacon("f", { event: "handover", known: "g", id: "h" });
    assert.equal(refused.status, 400);
    assert.match(await refused.text(), /collector's own word/);

    let killed = 0;
    const N = 120;
    for (let i = 0; i < N; i++) {
      const visit = await beacon(`f${i}`, { event: "pageview", id: `v${i}`, url: "https://shop.example/" });
      const login = await beacon(`f${i}`, { event: "identify", known: `ann${i}`, id: `i${i}` });
      const sale = await server({ visitor: `ann${i}`, time: Date.now() + 1, event: "sale", order: `${i}` });
      for (const answer of [visit, login, sale]) assert.ok(answer.ok, `${answer.status}`);
      await sleep(20);
      if (i % 20 !== 10) continue;
      const { aggregator } = JSON.parse(readFileSync(join(data, "up.json"), "utf8")).processes;
      try {
        process.kill(aggregator, "SIGKILL");
        killed++;
      } catch { /* just between two of its lives */ }
    }
    assert.ok(killed >= 3, `killed ${killed} times`);
    await until("everybody is one person", async () => (await paths(data, "shop")).converted === N);
    const got = await paths(data, "shop");
    assert.equal(got.entered, N);
    assert.deepEqual(Object.keys(got.paths).toSorted(),
      Array.from({ length: N }, (_, i) => `ann${i}`).toSorted());
    assert.deepEqual(await identityOf(data, "shop"),
      { joined_ids: 2 * N, people: N, not_joined: { other_person: 0, too_many_ids: 0 } });
    assert.equal((await corong(data, ["check"])).code, 0);
  });
