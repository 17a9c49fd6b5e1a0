// The main job on real input, the long way: a real shop's log as beacons over HTTP, through
// collector, Redis and aggregator, to the reports of its README.
import assert from "node:assert/strict";
import { test } from "node:test";
import { corongOk, funnelOfEvents, temporaryFolder, testData, up, writeJson } from "../lib/corong.mjs";
import { reference, SHOPS } from "../lib/reference.mjs";
import { replay } from "../puffy_replay.mjs";

async function report(folder, window, preset) {
  const stages = SHOPS.puffy.map((e) => ({ name: e, events: [e] }));
  const file = writeJson(folder, "f.json", funnelOfEvents("puffy", stages, { window, preset }));
  return JSON.parse(
    await corongOk(folder, ["funnel", "run", "puffy", file, "--json", "--bots", "include"]));
}

test("puffy by beacons gives the reference", async (t) => {
  const dir = testData("puffy");
  if (!dir) return t.skip("no test data");
  const folder = temporaryFolder();
  const running = await up(folder.dir, ["--collector-keep-alive", "1000"]);
  try {
    await corongOk(folder.dir,
      ["site", "add", "puffy", "--domain", "puffy.com", "--currency", "USD", "--max-age", "3650d"]);
    const sites = JSON.parse(await corongOk(folder.dir, ["site", "list", "--json"]));
    const { key } = (sites.sites ?? sites).find((s) => s.name === "puffy");

    const sent = await replay({ collector: running.collector, site: key, dir });
    console.log(`puffy: ${sent.events} events in ${sent.beacons} beacons, ${Math.round(sent.ms)} ms`);
    assert.equal(sent.events, 49963 - 2908);
    const metrics = await (await fetch(`${running.collector}/metrics`)).text();
    const metric = (name) => Number(metrics.match(new RegExp(`^${name} (\\d+)`, "m"))[1]);
    assert.equal(metric("corong_events_accepted_total"), sent.events);

    // it is all there when a report with the largest `entered` says so; then all the others must
    const [, , [entered]] = reference.puffy.at(-1);
    const deadline = Date.now() + 120_000;
    while ((await report(folder.dir, "30m", "open")).entered !== entered && Date.now() < deadline)
      await new Promise((later) => setTimeout(later, 200));
    for (const [window, preset, want] of reference.puffy) {
      const got = await report(folder.dir, window, preset);
      const of = (key) => got.stages.map((s) => s[key]);
      assert.deepEqual([got.entered, of("reached"), of("skipped"), of("exits")], want,
        `${window} ${preset}`);
    }
  } finally {
    await running.stop();
    folder.remove();
  }
});
