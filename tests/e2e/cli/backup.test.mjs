// A backup while everything runs and events go on coming in, and a folder that is made of it.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { corong, corongOk, funnelOfEvents, temporaryFolder, up, writeJson } from "../lib/corong.mjs";

const folder = temporaryFolder();
const data = join(folder.dir, "data");
const backup = join(folder.dir, "backup");
const stages = [{ name: "View", events: ["pageview"] }, { name: "Sale", events: ["sale"] }];
let service;
let secret;

before(async () => {
  service = await up(data);
  const said = await corongOk(data, ["site", "add", "shop", "--domain", "shop.example"]);
  secret = said.match(/secret_[\w-]{32}/)[0];
});
after(async () => {
  await service?.stop();
  folder.remove();
});

/** Send an event; true where it was acknowledged. */
async function send(visitor, event) {
  const answer = await fetch(`${service.collector}/api/v1/events`, {
    method: "POST",
    headers: { authorization: `Bearer ${secret}` },
    body: JSON.stringify({ visitor, time: Date.now(), event, id: `${visitor}-${event}` }),
  });
  return answer.ok;
}

async function sendUntilKnown() {
  const until = Date.now() + 120_000;
  while (!(await send("first", "pageview"))) assert.ok(Date.now() < until, "the site is not known");
}

async function entered(where, to) {
  const file = writeJson(folder.dir, "funnel.json", funnelOfEvents("f", stages, { window: "7d" }));
  const args = ["funnel", "run", "shop", file, "--json", "--bots", "include", "--paths"];
  const report = JSON.parse(await corongOk(where, to ? [...args, "--to", to] : args));
  return { n: report.entered, visitors: Object.keys(report.paths) };
}

test("all that was acknowledged before a backup began is in it, whatever comes in meanwhile", async () => {
  await sendUntilKnown();
  let goOn = true;
  let n = 0;
  const acknowledged = [];
  const sender = (async () => {
    while (goOn) {
      const visitor = `v${n++}`;
      if (await send(visitor, "pageview")) acknowledged.push(visitor);
    }
  })();
  for (let round = 0; round < 3; round++) {
    const want = n + 50;
    while (n < want) await new Promise((later) => setTimeout(later, 5));
    const before = [...acknowledged];
    await corongOk(data, ["backup", backup]);
    const restored = join(folder.dir, `restored-${round}`);
    await corongOk(restored, ["restore", backup]);
    const got = await entered(restored);
    const visitors = new Set(got.visitors);
    assert.ok(before.length >= 50 * round);
    assert.deepEqual(before.filter((v) => !visitors.has(v)), []);
    assert.equal(got.n, got.visitors.length);
    assert.match(await corongOk(restored, ["check"]), / 0 problems/);
    rmSync(restored, { recursive: true });
  }
  goOn = false;
  await sender;
});

test("when nothing comes in, the restored folder answers the same, and runs by itself", async () => {
  await service.stop();
  assert.equal((await corong(data, ["backup", backup])).code, 1, "without Redis it is refused");
  await corongOk(data, ["backup", backup, "--without-stream"]);
  const restored = join(folder.dir, "restored");
  await corongOk(restored, ["restore", backup]);
  const report = await entered(data);
  assert.deepEqual(await entered(restored), report);
  service = await up(restored);
  assert.doesNotMatch(await corongOk(restored, ["status"]), /stream_replaced|stream_lost/);
  assert.deepEqual(await entered(restored), report);
});

test("a catalog that is lost or damaged is made anew, and reports are as before", async () => {
  assert.notEqual((await corong(join(folder.dir, "restored"), ["check", "--repair"])).code, 0, "it runs");
  await service.stop();
  const report = await entered(data);
  const catalog = join(data, "catalog.db");
  const bytes = readFileSync(catalog);
  for (const damaged of [null, bytes.subarray(0, 4096), Buffer.alloc(bytes.length)]) {
    if (damaged === null) rmSync(catalog);
    else writeFileSync(catalog, damaged);
    const found = await corong(data, ["check"]);
    assert.equal(found.code, 1);
    assert.match(found.err, /corong check --repair/);
    assert.match(await corongOk(data, ["check", "--repair"]), /repaired: \d+ segments/);
    assert.match(await corongOk(data, ["check"]), / 0 problems/);
    assert.deepEqual(await entered(data), report);
  }
});

test("on a damaged catalog the service starts, says so, and answers as before", async () => {
  const report = await entered(data);
  const catalog = join(data, "catalog.db");
  writeFileSync(catalog, readFileSync(catalog).subarray(0, 10_000));
  service = await up(data);
  assert.match(await corongOk(data, ["status"]), /ALARM +catalog_repaired/);
  assert.deepEqual(await entered(data), report);
  assert.ok(await send("later", "pageview"));
  await service.stop();
  assert.equal((await entered(data)).n, report.n + 1);
  assert.match(await corongOk(data, ["check"]), / 0 problems/);
});

test("a folder that is not empty, and one that is no backup, are refused", async () => {
  const got = await corong(data, ["restore", backup]);
  assert.equal(got.code, 1);
  assert.match(got.err, /not empty/);
  const no = await corong(join(folder.dir, "other"), ["restore", folder.dir]);
  assert.match(no.err, /no backup/);
  assert.ok(!readdirSync(folder.dir).includes("other"));
});
