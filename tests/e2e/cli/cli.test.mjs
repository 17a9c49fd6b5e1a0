// Commands: exit codes, clear errors, nothing half-stored, and a README that says what is so.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { closeSync, openSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { binary, corong, corongOk, funnelOfEvents, root, temporaryFolder, up, writeJson } from "../lib/corong.mjs";

const folder = temporaryFolder();
const data = folder.dir;
before(() => corongOk(data, ["site", "add", "shop", "--domain", "shop.example", "--currency", "USD"]));
after(() => folder.remove());

const SALE = { visitor: "v1", time: "2026-06-01T12:00:00.123Z", event: "sale", order: "77", value: 12.5 };
const STAGES = [{ name: "View", events: ["pageview"] }, { name: "Sale", events: ["sale"] }];

async function run(site, extra = []) {
  const file = writeJson(data, "funnel.json", funnelOfEvents("f", STAGES, { window: "7d" }));
  return JSON.parse(await corongOk(data, ["funnel", "run", site, file, "--json", ...extra]));
}

test("an unknown command or flag exits 2 with the usage", async () => {
  for (const args of [["nonsense"], ["site"], ["site", "add"], ["import", "--colour", "red"],
    ["funnel", "run"], ["up", "--web-port", "99999"], ["up", "--web-port", "x"]]) {
    const got = await corong(data, args);
    assert.equal(got.code, 2, args.join(" "));
    assert.match(got.err, /usage/i, args.join(" "));
    assert.equal(got.out, "", args.join(" "));
  }
});

test("every command explains itself", async () => {
  const overview = await corongOk(null, ["help"]);
  const names = "up collector aggregator web site user import export funnel visitor check bad backup restore status".split(" ");
  for (const name of names) {
    assert.match(overview, new RegExp(`^  ${name} `, "m"));
    assert.match(await corongOk(null, [name, "--help"]), new RegExp(`corong ${name}`));
    assert.match(await corongOk(null, ["help", name]), /Settings/);
  }
  assert.match(await corongOk(null, ["version"]), /^corong \d+\.\d+/);
});

test("a data folder that was not there is made, and said", async () => {
  const made = join(data, "made");
  const add = (name) => corong(made, ["site", "add", name, "--domain", "made.example"]);
  const first = await add("one");
  assert.equal(first.code, 0, first.err);
  assert.equal(first.err, `corong: there was no data folder at ${made}; it is new and empty (--data names another one)\n`);
  assert.equal((await add("two")).err, "");
});

test("site add checks what it is given, and gives keys", async () => {
  const bad = [
    ["site", "add", "two words", "--domain", "x.example"],
    ["site", "add", "other", "--domain", "not a domain"],
    ["site", "add", "other", "--domain", "x.example", "--timezone", "Mars/Olympus"],
    ["site", "add", "other", "--domain", "x.example", "--currency", "dollars"],
    ["site", "add", "shop", "--domain", "x.example"],
  ];
  for (const args of bad) {
    const got = await corong(data, args);
    assert.equal(got.code, 1, `${args.join(" ")}: ${got.err}`);
    assert.match(got.err, /^corong: /);
  }
  const out = await corongOk(data, ["site", "add", "keys", "--domain", "keys.example"]);
  assert.match(out, /site_[\w-]{22}/);
  assert.match(out, /secret_[\w-]{32}/);
  assert.match(out, /<script defer src="[^"]+\/corong.js" data-site="site_/);
  const listed = JSON.parse(await corongOk(data, ["site", "list", "--json"]));
  assert.deepEqual(listed.map((s) => s.name).sort(), ["keys", "shop"]);
});

test("import lists what it rejects with its line, takes the rest, and exits 1", async () => {
  await corongOk(data, ["site", "add", "mixed", "--domain", "shop.example"]);
  const lines = [
    JSON.stringify(SALE),
    "",
    "{not json",
    JSON.stringify({ ...SALE, visitor: "" }),
    JSON.stringify({ ...SALE, time: "yesterday" }),
    JSON.stringify({ ...SALE, colour: "red" }),
    JSON.stringify({ ...SALE, value: 12.505, currency: "USD" }),
    JSON.stringify({ ...SALE, order: "78", properties: { a: { b: 1 } } }),
    JSON.stringify({ ...SALE, visitor: "v2", order: "79" }),
    JSON.stringify({ visitor: "v3", time: 1780315200123, event: "pageview", "country": "ID" }),
  ];
  const got = await corong(data, ["import", "mixed", "-", "--json"], { input: lines.join("\n") });
  assert.equal(got.code, 1);
  assert.deepEqual(JSON.parse(got.out), { rows: 9, events: 3, repeats: 0, rejected: 6, erased: 0 });
  const says = got.err.trim().split("\n");
  assert.equal(says.length, 6, got.err);
  for (const [i, pattern] of [/^line 3: /, /^line 4: visitor: /, /^line 5: time: /,
    /^line 6: colour: /, /^line 7: value: /, /^line 8: properties\.a: /].entries())
    assert.match(says[i], pattern);
});

test("CSV: quotes, line breaks, a stray quote, missing fields, a byte order mark", async () => {
  await corongOk(data, ["site", "add", "csv", "--domain", "shop.example"]);
  const input = "\uFEFFvisitor,time,event,title\r\n" +
    'c1,2026-06-01T12:00:00Z,pageview,"a ""quoted"" title,\r\nin two lines"\r\n' +
    "c2,2026-06-01T12:00:00Z,pageview\r\n" +
    'c3,2026-06-01T12:00:00Z,pageview,"never closed\r\n' +
    "c4,2026-06-01T12:00:01Z,pageview,last";
  const got = await corong(data, ["import", "csv", "-", "--format", "csv"], { input });
  assert.equal(got.code, 1);
  assert.match(got.err, /^line 4: has 3 fields where the header has 4\nline 5: .*quote.*\n$/);
  const c1 = JSON.parse(await corongOk(data, ["visitor", "show", "csv", "c1", "--json"]));
  assert.equal(c1.events[0].title, 'a "quoted" title,in two lines');
  await corongOk(data, ["visitor", "show", "csv", "c4"]);
  assert.equal((await corong(data, ["visitor", "show", "csv", "c3"])).code, 1);
  const unknown = await corong(data, ["import", "csv", "-", "--format", "csv"], {
    input: "client,time,event\nx,2026-06-01T12:00:00Z,pageview\n",
  });
  assert.equal(unknown.code, 1);
  assert.match(unknown.err, /line 1: .*"client".*--map/);
});

test("CSV: a stray quote costs its own line, not the good one whose quote it meets", async () => {
  await corongOk(data, ["site", "add", "stray", "--domain", "shop.example"]);
  const input = "visitor,time,event,title\n" +
    'q1,2026-06-01T12:00:00Z,pageview,"never closed\n' +
    'q2,2026-06-01T12:00:00Z,pageview,"good"\nq3,2026-06-01T12:00:00Z,pageview,"also ""good"""\n';
  const got = await corong(data, ["import", "stray", "-", "--json"], { input });
  assert.equal(got.code, 1);
  assert.match(got.err, /^line 2: .*quote.*\n$/);
  assert.deepEqual(JSON.parse(got.out), { rows: 3, events: 2, repeats: 0, rejected: 1, erased: 0 });
});

test("import: a line of megabytes is one reject, and its end is no row of its own", async () => {
  await corongOk(data, ["site", "add", "long", "--domain", "shop.example"]);
  const long = "x".repeat(2_200_000);
  const row = JSON.stringify({ ...SALE, visitor: "tail" });
  const lines = [
    ["ndjson", `${long}\n${JSON.stringify(SALE)}\n${long}`],
    ["csv", `visitor,time,event\n${long},tail,2026-06-01T12:00:00Z,sale\nv1,2026-06-01T12:00:00Z,sale\n${long}`],
    ["ndjson", `${" ".repeat(1_100_000)}${row}\n${JSON.stringify(SALE)}\n${long}`],
  ];
  for (const [format, input] of lines) {
    const got = await corong(data, ["import", "long", "-", "--json", "--format", format], { input });
    assert.equal(got.code, 1);
    assert.match(got.err, /^line \d: longer than 1 MiB\nline \d: longer than 1 MiB\n$/);
    assert.equal(JSON.parse(got.out).rows, 3);
  }
  assert.equal((await corong(data, ["visitor", "show", "long", "tail"])).code, 1);
});

test("import names what it cannot read: a folder, an empty file, an open header, a column twice", async () => {
  const rows = [
    [["import", "shop", data], {}, /cannot read .*[Dd]irectory/],
    [["import", "shop", "-", "--format", "csv"], { input: "" }, /file is empty/],
    [["import", "shop", "-", "--format", "csv"], { input: '"visitor,time\n' }, /line 1: .*quote/],
    [["import", "shop", "-", "--format", "csv"], { input: "visitor,time,time\n" }, /"time": given twice/],
  ];
  for (const [args, options, pattern] of rows) {
    const got = await corong(data, args, options);
    assert.equal(got.code, 1, args.join(" "));
    assert.match(got.err, pattern);
  }
});

test("import from a silent pipe ends with Ctrl-C", async () => {
  const child = spawn(binary, ["import", "shop", "-", "--data", data], { stdio: ["pipe", "ignore", "pipe"] });
  const code = new Promise((done) => child.on("exit", (c) => done(c)));
  // until it has its own way to end (bit 1: SIGINT); before, the kernel ends it
  const ofSignals = () => BigInt(`0x${readFileSync(`/proc/${child.pid}/status`, "utf8").match(/^SigCgt:\s*(\w+)/m)[1]}`);
  while (!(ofSignals() & 2n)) await sleep(5);
  await sleep(100);
  child.kill("SIGINT");
  const late = setTimeout(() => child.kill("SIGKILL"), 60_000);
  assert.equal(await code, 1);
  clearTimeout(late);
});

test("output that cannot be written is a failure", async () => {
  const full = openSync("/dev/full", "w");
  for (const args of [["help"], ["site", "list"], ["site", "list", "--json"], ["status"]]) {
    const child = spawn(binary, args[0] === "help" ? args : [...args, "--data", data],
      { stdio: ["ignore", full, "pipe"] });
    let said = "";
    child.stderr.on("data", (d) => (said += d));
    assert.equal(await new Promise((done) => child.on("close", done)), 1, args.join(" "));
    assert.match(said, /could be written/);
  }
  closeSync(full);
});

test("behind -- a word may look like a flag", async () => {
  const got = await corong(null, ["visitor", "show", "shop", "--data", data, "--", "--json"]);
  assert.equal(got.code, 1);
  assert.match(got.err, /no visitor --json/);
});

test("up: after kill -9 the next one waits until the old Redis has left their log", async () => {
  const own = temporaryFolder();
  try {
    for (let i = 0; i < 3; i++) {
      const running = await up(own.dir);
      running.process.removeAllListeners("exit");
      const gone = new Promise((done) => running.process.on("exit", done));
      running.process.kill("SIGKILL");
      await gone;
    }
    const last = await up(own.dir);
    const log = readFileSync(join(own.dir, "redis/redis.log"), "utf8");
    const steps = log.match(/Redis is starting|ready to exit/g).map((s) => s[0]);
    assert.equal(steps.join(""), "RrRrRrR", log);
    assert.equal(await last.stop(), 0);
  } finally {
    own.remove();
  }
});

test("up: SIGTERM at any moment of its start ends it, and everything, at once", async () => {
  const own = temporaryFolder();
  try {
    for (const ms of [5, 20, 50, 100, 150]) {
      const child = spawn(binary, ["up", "--data", own.dir, "--collector-port", "0", "--web-port", "0"],
        { stdio: "ignore" });
      const code = new Promise((done) => child.on("exit", done));
      await sleep(ms);
      const began = Date.now();
      child.kill("SIGTERM");
      await code;
      assert.ok(Date.now() - began < 30_000, `after ${ms} ms it took ${Date.now() - began} ms`);
    }
  } finally {
    own.remove();
  }
});

test("up: why its Redis does not start", async () => {
  const own = temporaryFolder();
  const path = process.env.PATH;
  try {
    process.env.PATH = own.dir;
    const missing = await corong(own.dir, ["up", "--collector-port", "0", "--web-port", "0"]);
    assert.equal(missing.code, 1);
    assert.match(missing.err, /redis-server is not installed/);
    process.env.PATH = path;
    await (await up(own.dir)).stop();
    const log = join(own.dir, "redis/appendonlydir/appendonly.aof.1.incr.aof");
    writeFileSync(log, "no log of Redis\n");
    const broken = await corong(own.dir, ["up", "--collector-port", "0", "--web-port", "0"]);
    assert.equal(broken.code, 1);
    assert.match(broken.err, /redis-server does not start; .*redis\.log says why/);
  } finally {
    process.env.PATH = path;
    own.remove();
  }
});

test("a site's privacy is set, shown, and in the snippet", async () => {
  await corongOk(data, ["site", "add", "quiet", "--domain", "quiet.example", "--consent", "required"]);
  const told = await corongOk(data, ["site", "set", "quiet", "--identity", "cookieless", "--gpc", "ignore"]);
  const site = JSON.parse(await corongOk(data, ["site", "show", "quiet", "--json"]));
  assert.deepEqual([site.identity, site.consent, site.gpc, site.dnt], ["cookieless", "required", "ignore", "ignore"]);
  assert.match(site.snippet, / data-identity="cookieless" data-consent="required"><\/script>$/);
  assert.ok(told.includes(site.snippet), told);
  assert.equal(await corongOk(data, ["site", "set", "quiet", "--currency", "EUR"]), "", "the tag is as it was");
  const listed = JSON.parse(await corongOk(data, ["site", "list", "--json"]));
  assert.deepEqual(listed.find((s) => s.name === "quiet"), { ...site, currency: "EUR" });
  assert.match(await corongOk(data, ["site", "show", "quiet"]), /identity +cookieless\nconsent +required\ngpc +ignore\n/);
  const got = await corong(data, ["site", "set", "quiet", "--consent", "please"]);
  assert.equal(got.code, 1);
  assert.match(got.err, /consent.*none or required/);
});

test("cookieless visitors: from beacon to the report's warning; who sends GPC is in none", async () => {
  const own = temporaryFolder();
  const running = await up(own.dir);
  try {
    await corongOk(own.dir, ["site", "add", "quiet", "--domain", "quiet.example", "--identity", "cookieless"]);
    const { key } = JSON.parse(await corongOk(own.dir, ["site", "show", "quiet", "--json"]));
    const send = (agent, event, headers = {}, more = {}) => fetch(`${running.collector}/e`, {
      method: "POST",
      headers: { "User-Agent": `Mozilla/5.0 (X11; Linux x86_64) ${agent}`, ...headers },
      body: JSON.stringify({ site: key, sent: Date.now(), events: [{ event, ...more }] }),
    });
    const until = Date.now() + 120_000; // the day's salt is made when the collector knows the site
    let first;
    while ((first = await send("Firefox/120.0", "pageview")).status !== 204 && Date.now() < until) await sleep(50);
    assert.equal(first.status, 204);
    assert.equal((await send("Firefox/120.0", "sale")).status, 204);
    assert.equal((await send("Firefox/121.0", "pageview")).status, 204);
    const out = await send("Firefox/122.0", "pageview", { "Sec-GPC": "1" });
    assert.equal(out.status, 204);
    assert.equal(out.headers.get("x-corong-reason"), "opted_out");
    const file = writeJson(own.dir, "f.json", funnelOfEvents("f", STAGES, { window: "30d" }));
    let report;
    do {
      await sleep(200);
      report = JSON.parse(await corongOk(own.dir, ["funnel", "run", "quiet", file, "--json"]));
    } while (report.entered < 2 && Date.now() < until);
    assert.deepEqual([report.entered, report.converted], [2, 1]);
    assert.deepEqual(report.warnings.map((w) => [w.code, w.share]), [["salt_shorter_than_window", 1]]);
    const told = await corong(own.dir, ["funnel", "run", "quiet", file]);
    assert.match(told.err, /warning: 2 of 2 visitors are cookieless/);

    // what is shown of an event says so, and imports to the same figures
    const refused = await send("Firefox/120.0", "pageview", {}, { cookieless: false });
    assert.equal(refused.status, 400);
    await corongOk(own.dir, ["site", "add", "copy", "--domain", "quiet.example"]);
    const line = { visitor: "0123", time: Date.now(), event: "pageview", cookieless: true };
    await corongOk(own.dir, ["import", "copy", "-"], { input: JSON.stringify(line) });
    assert.match(await corongOk(own.dir, ["visitor", "show", "copy", "0123", "--json"]), /"cookieless":true/);
    const copy = JSON.parse(await corongOk(own.dir, ["funnel", "run", "copy", file, "--json"]));
    assert.deepEqual(copy.warnings.map((w) => w.share), [1]);
  } finally {
    await running.stop();
    own.remove();
  }
});

test("site add prints the snippet of the collector that runs", async () => {
  const own = temporaryFolder();
  const running = await up(own.dir, ["--collector-url", "https://stats.shop.example/"]);
  try {
    const add = (name, flags = []) =>
      corongOk(own.dir, ["site", "add", name, "--domain", "shop.example", ...flags]);
    assert.match(await add("one"), /src="https:\/\/stats\.shop\.example\/corong\.js"/);
    assert.match(await add("two", ["--collector-url", "https://x.example"]), /src="https:\/\/x\.example\/c/);
  } finally {
    await running.stop();
  }
  assert.match(await corongOk(own.dir, ["site", "add", "three", "--domain", "shop.example"]), /localhost:8001/);
  own.remove();
});

test("up: an address of its own for the collector; a password meant for another Redis", async () => {
  const own = temporaryFolder();
  process.env.CORONG_REDIS_PASSWORD = "of another";
  try {
    const running = await up(own.dir, ["--collector-address", "127.0.0.2"]);
    assert.equal(await running.stop(), 0);
  } finally {
    delete process.env.CORONG_REDIS_PASSWORD;
    own.remove();
  }
});

test("--map: spellings, renamed values, JSON members, zones, constants, and its errors", async () => {
  await corongOk(data, ["site", "add", "mapped", "--domain", "shop.example"]);
  const map = writeJson(data, "map.json", {
    visitor: ["nobody", "who"], time: { from: "at", timezone: "Asia/Jakarta" },
    event: { from: "what", values: { purchase: "sale" } }, order: "data.id",
    product: "data.items.1.sku", currency: { const: "EUR" }, value: "data.total",
    "properties.size": "data.size",
  });
  const input = "who,at,what,data,unused\n" +
    'm1,2026-06-01 07:00:00,purchase,"{""id"":""A1"",""total"":9.5,""size"":3,""items"":[{},{""sku"":""s2""}]}",x\n';
  await corongOk(data, ["import", "mapped", "-", "--format", "csv", "--map", map], { input });
  const [e] = JSON.parse(await corongOk(data, ["visitor", "show", "mapped", "m1", "--json"])).events;
  assert.deepEqual(e, {
    visitor: "m1", time: "2026-06-01T00:00:00.000Z", event: "sale", id: "A1", order: "A1",
    product: "s2", value: 9.5, currency: "EUR", properties: { size: "3" },
  });
  const bad = writeJson(data, "bad.json", { visitor: "who", time: "at", event: "what", colour: "x" });
  const got = await corong(data, ["import", "mapped", "-", "--map", bad, "--format", "csv"], { input });
  assert.equal(got.code, 1);
  assert.match(got.err, /--map: colour/);
});

test("the same file twice, and a sale told twice, change nothing", async () => {
  await corongOk(data, ["site", "add", "twice", "--domain", "shop.example"]);
  const input = [
    { visitor: "t1", time: 1780315200000, event: "pageview", url: "https://shop.example/a?x=1" },
    { ...SALE, visitor: "t1" }, { ...SALE, visitor: "t1", id: "other", time: 1780315201000 },
  ].map((e) => JSON.stringify(e)).join("\n");
  for (let i = 0; i < 3; i++) await corongOk(data, ["import", "twice", "-"], { input });
  const r = await run("twice");
  assert.deepEqual(r.stages.map((s) => s.reached), [1, 1]);
  assert.deepEqual(r.stages[1].value, { "": "12.50" });
  assert.equal(r.stages[1].seen_value[""], "12.50");
  const shown = JSON.parse(await corongOk(data, ["visitor", "show", "twice", "t1", "--json"]));
  assert.equal(shown.events.length, 2);
});

test("--figures counts: the same counts, without times and values", async () => {
  const others = ["value", "seen_value", "time_from_previous_ms", "time_from_start_ms"];
  const told = (report) => JSON.parse(JSON.stringify(report, (key, value) =>
    ["elapsed_ms", "as_of", ...others].includes(key) ? undefined : value));
  const all = await run("shop", ["--breakdown", "event"]);
  const counts = await run("shop", ["--breakdown", "event", "--figures", "counts"]);
  assert.ok(others.every((name) => name in all.stages[0] && !(name in counts.stages[0])));
  assert.ok(counts.breakdown.every((row) => !("value" in row.stages[0])));
  assert.deepEqual(told(counts), told(all));
});

test("a malformed funnel and a wrong flag name their field", async () => {
  const good = funnelOfEvents("f", STAGES, { window: "7d" });
  const rows = [
    [{ ...good, window: "soon" }, /window/],
    [{ ...good, colour: 1 }, /colour/],
    [{ ...good, stages: good.stages.slice(1) }, /stages/],
    [{ ...good, count: "people" }, /count/],
    [{ ...good, stages: [good.stages[0], { name: "x", rule: { attribute: "event", op: "like", values: ["a"] } }] }, /stages\[1\]\.rule\.op/],
    [{ ...good, stages: [good.stages[0], { name: "x", rule: { attribute: "colour", op: "is", values: ["a"] } }] }, /stages\[1\]\.rule\.attribute/],
  ];
  for (const [funnel, pattern] of rows) {
    const got = await corong(data, ["funnel", "run", "shop", writeJson(data, "x.json", funnel)]);
    assert.equal(got.code, 1, got.out);
    assert.match(got.err, pattern);
  }
  const file = writeJson(data, "f.json", good);
  const where = writeJson(data, "where.json", [{ rule: { attribute: "path", op: "is_not", values: ["/"] } }]);
  const broken = join(data, "broken.json");
  writeFileSync(broken, '{"rule":');
  for (const [flag, pattern] of [["--from=junk", /from/], ["--bots=some", /bots/],
    ["--timezone=Mars/Base", /timezone/], [`--where=${where}`, /filters\[0\]\.at/],
    [`--where=${broken}`, /filters.*line 1/], ["--where=/nowhere.json", /nowhere/],
    ["--breakdown=colour", /breakdown\[0\]\.attribute/], ["--breakdown=region@9", /breakdown\[0\]\.at/],
    ['--breakdown={"attribute":"region","bins":[1]}', /breakdown\[0\]\.bins/], ["--limit=0", /limit/],
    ["--trend=hour", /trend/], ["--compare=previous", /compare/], ["--compare=next", /compare/],
    ["--visitors=reached", /stage/], ["--visitors=sold:1", /figure/], ["--visitors=open:2", /stage/]]) {
    const got = await corong(data, ["funnel", "run", "shop", file, flag]);
    assert.equal(got.code, 1, flag);
    assert.match(got.err, pattern);
  }
});

test("funnels are kept, listed, shown and removed by name", async () => {
  const file = writeJson(data, "f.json", funnelOfEvents("kept", STAGES, { window: "7d" }));
  await corongOk(data, ["funnel", "put", "shop", "kept", file]);
  assert.match(await corongOk(data, ["funnel", "list", "shop"]), /kept/);
  assert.equal(JSON.parse(await corongOk(data, ["funnel", "show", "shop", "kept"])).window, "7d");
  const out = JSON.parse(await corongOk(data, ["funnel", "run", "shop", "kept", "--json"]));
  assert.equal(out.entered, 0);
  await corongOk(data, ["funnel", "remove", "shop", "kept"]);
  assert.equal((await corong(data, ["funnel", "run", "shop", "kept"])).code, 1);
});

test("check finds nothing wrong; a flipped bit is found, named, and left out with a warning", async () => {
  const own = temporaryFolder();
  try {
    await corongOk(own.dir, ["site", "add", "shop", "--domain", "shop.example"]);
    await corongOk(own.dir, ["import", "shop", "-"], { input: JSON.stringify(SALE) });
    await corongOk(own.dir, ["check"]);
    const [name] = readdirSync(join(own.dir, "segments"));
    const path = join(own.dir, "segments", name);
    const bytes = readFileSync(path);
    bytes[bytes.length >> 1] ^= 4;
    writeFileSync(path, bytes);
    const got = await corong(own.dir, ["check"]);
    assert.equal(got.code, 1);
    assert.ok(got.err.includes(name), got.err);
    const file = writeJson(own.dir, "f.json", funnelOfEvents("f", STAGES, { window: "7d" }));
    const out = await corongOk(own.dir, ["funnel", "run", "shop", file, "--json"]);
    const [warning] = JSON.parse(out).warnings;
    assert.equal(warning.code, "segment_left_out");
    assert.ok(warning.message.includes(name));
  } finally {
    own.remove();
  }
});

test("the README's settings are those of the program", async () => {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const table = await corongOk(null, ["help", "settings"]);
  assert.ok(readme.includes(table.trim()), "paste what `build/corong help settings` prints");
});

test("versions of a funnel: each save is one, an older one comes back as the newest", async () => {
  const put = (window, ...flags) => {
    const file = writeJson(data, "versions.json", funnelOfEvents("Kept", STAGES, { window }));
    return corongOk(data, ["funnel", "put", "shop", "Kept", file, ...flags]);
  };
  await put("7d");
  await put("30d", "--note", "longer");
  const versions = async () => JSON.parse(await corongOk(data, ["funnel", "versions", "shop", "Kept", "--json"]));
  assert.deepEqual((await versions()).map(({ version, note }) => [version, note]), [[2, "longer"], [1, ""]]);
  assert.match(await corongOk(data, ["funnel", "versions", "shop", "Kept"]), /^ +2 .*\(a command\) +longer$/m);
  const windowOf = async (...flags) =>
    JSON.parse(await corongOk(data, ["funnel", "show", "shop", "Kept", ...flags])).window;
  assert.equal(await windowOf("--version", "1"), "7d");
  await corongOk(data, ["funnel", "restore", "shop", "Kept", "--version", "1"]);
  assert.equal(await windowOf(), "7d");
  assert.equal((await versions())[0].note, "Version 1 again");
  for (const [code, flags] of [[1, ["--version", "9"]], [2, ["--version", "x"]], [2, []]])
    assert.equal((await corong(data, ["funnel", "restore", "shop", "Kept", ...flags])).code, code, flags.join(" "));
  await corongOk(data, ["funnel", "remove", "shop", "Kept"]);
  assert.equal((await corong(data, ["funnel", "versions", "shop", "Kept"])).code, 1);
});
