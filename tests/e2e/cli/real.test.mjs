// Real traffic that no one here wrote, against the reference reports of its README.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import {
  corong, corongOk, funnelOfEvents, temporaryFolder, testData, writeJson,
} from "../lib/corong.mjs";
import { reference, SHOPS } from "../lib/reference.mjs";

async function compareAll(data, shop) {
  for (const [window, preset, want] of reference[shop]) {
    const stages = SHOPS[shop].map((e) => ({ name: e, events: [e] }));
    const file = writeJson(data, "f.json", funnelOfEvents(shop, stages, { window, preset }));
    const out = await corongOk(data, ["funnel", "run", shop, file, "--json", "--bots", "include"]);
    const report = JSON.parse(out);
    const of = (key) => report.stages.map((s) => s[key]);
    assert.deepEqual(
      [report.entered, of("reached"), of("skipped"), of("exits")], want,
      `${shop} ${window} ${preset}`);
  }
}

const PUFFY_MAP = {
  visitor: ["client_id", "clientId"], time: "timestamp", event: "event_name", url: "page_url",
  referrer: "referrer", user_agent: "user_agent", order: "event_data.transaction_id",
  value: "event_data.revenue",
};

test("puffy by import: the rows without a visitor are rejected, the rest gives the reference", async (t) => {
  const dir = testData("puffy");
  if (!dir) return t.skip("no test data");
  const folder = temporaryFolder();
  try {
    await corongOk(folder.dir, ["site", "add", "puffy", "--domain", "puffy.com", "--currency", "USD"]);
    const map = writeJson(folder.dir, "map.json", PUFFY_MAP);
    const files = readdirSync(dir).filter((f) => f.endsWith(".csv.gz")).sort();
    const importAll = async () => {
      let rejected = 0, rows = 0, ms = 0;
      for (const f of files) {
        const input = gunzipSync(readFileSync(join(dir, f)));
        const started = performance.now();
        const got = await corong(folder.dir,
          ["import", "puffy", "-", "--format", "csv", "--map", map, "--json"], { input });
        ms += performance.now() - started;
        assert.equal(got.code, 1, got.err.slice(0, 500)); // every day has rows without a visitor
        const said = JSON.parse(got.out);
        const listed = got.err.split("\n").filter((l) => /^line \d+: visitor: /.test(l)).length;
        assert.equal(listed, said.rejected, f);
        rejected += said.rejected;
        rows += said.rows;
      }
      return { rejected, rows, ms };
    };
    const first = await importAll();
    console.log(`puffy: ${first.rows} rows imported in ${Math.round(first.ms)} ms`);
    assert.deepEqual([first.rows, first.rejected], [49963, 2908]);
    await compareAll(folder.dir, "puffy");
    await importAll(); // the same files again change nothing
    await compareAll(folder.dir, "puffy");
  } finally {
    folder.remove();
  }
});

test("retentioneering by import gives the reference", async (t) => {
  const dir = testData("retentioneering");
  if (!dir) return t.skip("no test data");
  const folder = temporaryFolder();
  try {
    await corongOk(folder.dir, ["site", "add", "retentioneering", "--domain", "shop.example"]);
    const map = writeJson(folder.dir, "map.json", {
      visitor: "user_id", event: "event", time: { from: "timestamp", timezone: "UTC" },
      device: "platform", channel: "acquisition_channel",
      "properties.session": "session_id",
    });
    await corongOk(folder.dir, ["import", "retentioneering", "-", "--format", "csv", "--map", map], {
      input: gunzipSync(readFileSync(join(dir, "ecom.csv.gz"))),
    });
    await compareAll(folder.dir, "retentioneering");
  } finally {
    folder.remove();
  }
});
