// The shop's CSV (bench-generate --format csv) as a table of ClickHouse, sorted by (site, visitor,
// time), texts as LowCardinality.
const LOW = "LowCardinality(String)";
const COLUMNS = {
  visitor: "UInt64", time: "UInt64", event: LOW, path: LOW, product: LOW, category: LOW, order: "UInt64",
  currency: LOW, country: LOW, region: LOW, city: LOW, device: LOW, browser: LOW, os: LOW, language: LOW,
  source: LOW, medium: LOW, campaign: LOW, keyword: LOW, value: "Decimal64(2)", quantity: "UInt32",
  engaged_ms: "UInt32",
};
const list = (columns, one) => Object.entries(columns).map(one).join(", ");
const structure = (columns) => list(columns, ([name, type]) => `\`${name}\` ${type}`);
const names = (columns) => list(columns, ([name]) => `\`${name}\``);
const csv = (file, columns) => `file('${file}', 'CSVWithNames', '${structure(columns)}')`;

/** With ids: as bench-generate gives them for the profile people. */
function withIds() {
  const { visitor, time, ...others } = COLUMNS;
  return { visitor, time, id: "String", known: "String", ...others };
}

const createShop = (database) => `CREATE TABLE ${database}.shop (site UInt32, ${structure(COLUMNS)})
  ENGINE = MergeTree ORDER BY (site, visitor, time)`;

/** Load a file of the profile table; {ms, cpu_ms} of loading and of OPTIMIZE FINAL. */
export async function loadTable(house, file) {
  await house.ask("CREATE DATABASE bench ENGINE = Atomic");
  await house.ask(createShop("bench"));
  const insert = await house.ask(`INSERT INTO bench.shop SELECT 1, ${names(COLUMNS)} FROM ${csv(file, COLUMNS)}`);
  const merge = await house.ask("OPTIMIZE TABLE bench.shop FINAL");
  return { ms: insert.ms + merge.ms, cpu_ms: insert.cpu_ms + merge.cpu_ms };
}

/** Load a file of the profile people, and make of it what Corong's answers are about: repeats
 *  dropped, ids of one person joined, erased people gone. The time is of all that; `erased`: the ids
 *  that the condition of that name chose. */
export async function loadPeople(house, file, erased) {
  const all = withIds();
  const sum = { ms: 0, cpu_ms: 0 };
  const steps = async (list) => {
    for (const sql of list) {
      const step = await house.ask(sql);
      sum.ms += step.ms;
      sum.cpu_ms += step.cpu_ms;
    }
  };
  await steps([
    "CREATE DATABASE bench ENGINE = Atomic",
    `CREATE TABLE bench.raw (${structure(all)}) ENGINE = MergeTree ORDER BY (visitor, id)`,
    `INSERT INTO bench.raw SELECT * FROM ${csv(file, all)}`,
    "CREATE TABLE bench.person (visitor UInt64, person UInt64) ENGINE = Join(ANY, LEFT, visitor)",
    "INSERT INTO bench.person SELECT visitor, sipHash64(min(known)) FROM bench.raw WHERE known != '' GROUP BY visitor",
  ]);
  const { text } = await house.ask(`SELECT DISTINCT visitor FROM bench.raw WHERE ${erased}`);
  await steps([
    createShop("bench"),
    `INSERT INTO bench.shop SELECT 1, ${names(COLUMNS).replace("`visitor`", personOf("visitor"))}
       FROM bench.raw WHERE ${personOf("visitor")} NOT IN (SELECT ${personOf("visitor")} FROM bench.raw WHERE ${erased})
       ORDER BY visitor, id, time LIMIT 1 BY visitor, id`,
    "DROP TABLE bench.raw",
    "OPTIMIZE TABLE bench.shop FINAL",
  ]);
  return { ...sum, erased: text.trim().split("\n") };
}

const personOf = (visitor) =>
  `if(joinGet('bench.person', 'person', ${visitor}) != 0, joinGet('bench.person', 'person', ${visitor}), ${visitor})`;

/** Rows and bytes on disk of the table, all columns. */
export async function sizeOf(house) {
  const { text } = await house.ask(
    "SELECT sum(rows), sum(bytes_on_disk) FROM system.parts WHERE active AND database = 'bench' AND table = 'shop'");
  const [rows, bytes] = text.trim().split("\t").map(Number);
  return { rows, bytes };
}
