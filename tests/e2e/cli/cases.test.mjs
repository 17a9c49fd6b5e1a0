// Every worked case of the definition, the way an outsider would check it: import, run, compare.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  corong, corongOk, funnelOfEvents, inParallel, root, temporaryFolder, writeJson,
} from "../lib/corong.mjs";

const cases = JSON.parse(readFileSync(join(root, "tests/funnel/cases.json")));
const BASE_MS = Date.UTC(2026, 0, 1);
const at = (second) => BASE_MS + second * 1000;

function ndjson(visitors) {
  const lines = [];
  for (const [visitor, events] of Object.entries(visitors))
    events.forEach(([event, second], i) =>
      lines.push(JSON.stringify({ visitor, event, time: at(second), id: `${visitor}-${i}` })));
  return lines.join("\n") + "\n";
}

function figures(report) {
  const of = (key) => report.stages.map((s) => s[key]);
  return {
    entered: report.entered,
    reached: of("reached"), skipped: of("skipped"), throughput: of("throughput"),
    exits: of("exits"), onward: of("onward"), converted: of("converted"), seen: of("seen"),
    required: of("required"), moves: report.moves,
    paths: Object.fromEntries(Object.entries(report.paths).map(([visitor, path]) =>
      [visitor, path.map(([stage, ms]) => [stage, (ms - BASE_MS) / 1000])])),
  };
}

async function runCase(data, c, i) {
  const site = `case${i}`;
  await corongOk(data, ["site", "add", site, "--domain", "shop.example"]);
  const imported = await corong(data, ["import", site, "-", "--format", "ndjson"], {
    input: ndjson(c.visitors),
  });
  assert.equal(imported.code, 0, `${c.name}: ${imported.err}`);
  const file = writeJson(data, `${site}.json`, funnelOfEvents(c.name, c.stages, {
    window: `${c.window_s}s`, exclusions: c.exclusions,
  }));
  const range = [];
  if (c.from_s !== undefined) range.push("--from", String(at(c.from_s)));
  if (c.to_s !== undefined) range.push("--to", String(at(c.to_s)));
  const out = await corongOk(data, ["funnel", "run", site, file, "--json", "--paths", ...range]);
  assert.deepEqual(figures(JSON.parse(out)), c.expect, c.name);
}

test(`${cases.length} cases through import and funnel run`, async () => {
  const folder = temporaryFolder();
  let n = 0;
  try {
    await corongOk(folder.dir, ["site", "add", "first", "--domain", "shop.example"]);
    await inParallel(cases, 3, async (c, i) => {
      await runCase(folder.dir, c, i);
      n++;
    });
    assert.equal(n, 408);
  } finally {
    folder.remove();
  }
});
