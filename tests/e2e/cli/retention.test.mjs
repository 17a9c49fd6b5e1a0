// `corong site set --retention`: what is older leaves every answer at once, and that is said.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { corong, corongOk, funnelOfEvents, temporaryFolder, writeJson } from "../lib/corong.mjs";

const folder = temporaryFolder();
const data = folder.dir;
const DAY = 86_400_000;
const now = Date.now();

// one visitor a day for 40 days, at a distance from midnight that does not matter
const events = Array.from({ length: 40 }, (_, day) => ({ visitor: `v${day}`, id: `${day}`, time: now - day * DAY, event: "pageview" }));
const funnel = writeJson(data, "funnel.json", funnelOfEvents("f", [{ name: "Came", events: ["pageview"] }, { name: "Sale", events: ["sale"] }], { window: "1d" }));

before(async () => {
  await corongOk(data, ["site", "add", "shop", "--domain", "shop.example", "--timezone", "UTC"]);
  await corongOk(data, ["import", "shop", "-"], { input: events.map((e) => JSON.stringify(e)).join("\n") });
});
after(() => folder.remove());

const report = async (...flags) => JSON.parse(await corongOk(data, ["funnel", "run", "shop", funnel, ...flags, "--json"]));
const codes = (answer) => answer.warnings.map((w) => w.code);

// A midnight may pass during the test, and the limit moves with it: each answer says its own.
const since = (text) => Date.parse(/events before (\S+) (?:do not count|are not kept)/.exec(text)[1]);
const younger = (text) => events.filter((e) => e.time >= since(text)).length;

test("only what is younger counts, and the other way round as long as the files are there", async () => {
  assert.equal((await report()).entered, 40);
  const set = await corong(data, ["site", "set", "shop", "--retention", "10d"]);
  assert.equal(set.code, 0);
  assert.ok(now - since(set.err) <= 10 * DAY && now - since(set.err) > 8 * DAY);
  assert.match(set.err, /WARNING: 3[01] events go/);
  assert.match(await corongOk(data, ["site", "show", "shop"]), /^retention +10d$/m);
  const cut = await report();
  assert.deepEqual(codes(cut), ["retention"]);
  assert.equal(cut.entered, younger(cut.warnings[0].message));
  assert.ok(cut.entered === 10 || cut.entered === 9);
  const late = await report("--from", new Date(now - 5 * DAY).toISOString());
  assert.equal(late.entered, 6);
  assert.deepEqual(codes(late), []);
  const exported = (await corongOk(data, ["export", "shop"])).trim().split("\n").length;
  assert.ok(exported === cut.entered || exported === cut.entered - 1);
  await corongOk(data, ["site", "set", "shop", "--retention", "never"]);
  assert.equal((await report()).entered, 40);
});

test("what is no time is refused", async () => {
  const got = await corong(data, ["site", "set", "shop", "--retention", "1y"]);
  assert.notEqual(got.code, 0);
  assert.match(got.err, /retention: give months like 13mo/);
});
