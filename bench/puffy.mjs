// Bytes an event of a real shop's log (CORONG_TEST_DATA/puffy) in Corong and in ClickHouse: there visitor
// and id are text for both. ClickHouse is given what Corong exports, every attribute a column.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { testData } from "../tests/e2e/lib/corong.mjs";
import { beacons } from "../tests/e2e/puffy_replay.mjs";
import { ClickHouse, missing } from "./clickhouse/clickhouse.mjs";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const corong = process.env.CORONG_BINARY ?? join(root, "build/corong");
const NUMBERS = { engaged_ms: "UInt32", scroll_pct: "UInt8", load_ms: "UInt32", quantity: "Float64", value: "Decimal64(2)" };
const KEYS = { visitor: "String", id: "String", time: "DateTime64(3)" };

/** The log as `corong import` takes it, with the ids that its rows have: file and number. */
function logLines(dir) {
  const lines = [];
  for (const { visitor, userAgent, events } of beacons(dir))
    for (const event of events) {
      const given = Object.entries({ visitor, user_agent: userAgent, ...event }).filter(([, v]) => v !== undefined && v !== "");
      lines.push(JSON.stringify(Object.fromEntries(given)));
    }
  return lines;
}

function store(folder, lines) {
  const data = join(folder, "data");
  const file = join(folder, "log.ndjson");
  const run = (...args) => execFileSync(corong, [...args, "--data", data], { encoding: "utf8", maxBuffer: 1 << 30 });
  writeFileSync(file, lines.map((l) => `${l}\n`).join(""));
  run("site", "add", "puffy", "--domain", "puffy.com", "--currency", "USD");
  run("import", "puffy", file, "--json");
  return { ...JSON.parse(run("status", "--json")), exported: run("export", "puffy") };
}

async function storeInClickHouse(folder, exported) {
  const events = exported.trim().split("\n").map((l) => JSON.parse(l));
  const names = [...new Set(events.flatMap((e) => Object.keys(e)))];
  const type = (name) => KEYS[name] ?? NUMBERS[name] ?? "LowCardinality(String)";
  const columns = names.map((name) => `\`${name}\` ${type(name)}`).join(", ");
  const file = join(folder, "export.ndjson");
  const house = new ClickHouse(join(folder, "clickhouse"));
  writeFileSync(file, exported);
  try {
    await house.ask("CREATE DATABASE bench ENGINE = Atomic");
    await house.ask(`CREATE TABLE bench.puffy (site UInt32, ${columns}) ENGINE = MergeTree ORDER BY (site, visitor, time)`);
    await house.ask(`INSERT INTO bench.puffy SELECT 1, * FROM file('${file}', 'JSONEachRow', '${columns}')`,
      "date_time_input_format='best_effort'");
    await house.ask("OPTIMIZE TABLE bench.puffy FINAL");
    const { text } = await house.ask("SELECT sum(rows), sum(bytes_on_disk) FROM system.parts WHERE active AND table = 'puffy'");
    const [rows, bytes] = text.trim().split("\t").map(Number);
    return { rows, bytes };
  } finally {
    await house.close();
  }
}

async function main(dir) {
  const folder = mkdtempSync(join(tmpdir(), "corong-bench-"));
  try {
    const { events, bytes, exported } = store(folder, logLines(dir));
    const theirs = await storeInClickHouse(folder, exported);
    if (theirs.rows !== events) throw new Error(`${events} events in Corong, ${theirs.rows} rows in ClickHouse`);
    const [a, b] = [bytes / events, theirs.bytes / theirs.rows];
    console.log(`\npuffy, ${events} events, visitor and id as text: ${a.toFixed(1)} bytes an event, ` +
      `ClickHouse ${b.toFixed(1)}, ratio ${(a / b).toFixed(2)}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const dir = testData("puffy");
if (missing()) console.log(missing());
else if (dir !== null) await main(dir);
