// No address anywhere. Everything that can bring one is sent: beacons, pixel, redirect, the server
// API and an import with `ip`, refusals of every kind, a debug ticket, all of it again while the
// spool takes over. Then Redis, its AOF, the spool, the segments (as files, and decompressed by
// `visitor show`), the databases, the metrics and the logs are searched for each address, as text
// and as bytes.
//
// Every way in has addresses of its own, so that a find says who leaked: two of IPv4 in
// X-Forwarded-For, one of IPv6, and one of the connection itself.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { connect } from "node:net";
import { join, relative } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { corong, corongOk, temporaryFolder, up } from "../lib/corong.mjs";

const WAYS = ["beacon", "pixel", "redirect", "server", "refused", "flood", "debug", "cookieless",
  "web", "import"];

const v4 = (way, which) => `203.0.113.${20 + 2 * WAYS.indexOf(way) + which}`;
const v6 = (way) => `2001:db8:dead:${(0xbe00 + WAYS.indexOf(way)).toString(16)}:a:b:c:d`; // own /64
const peer = (way) => `127.77.88.${20 + WAYS.indexOf(way)}`;
const forwarded = (way) => [v4(way, 0), v4(way, 1), v6(way)];

const bytesV4 = (text) => Buffer.from(text.split(".").map(Number));
const bytesV6 = (text) => {
  const b = Buffer.alloc(16);
  text.split(":").forEach((word, i) => b.writeUInt16BE(parseInt(word, 16), i * 2));
  return b;
};
const reversed = (b) => Buffer.from(b).reverse();

/** What of this way's addresses is in these bytes. The 4 bytes of one IPv4 address may stand
 *  anywhere by chance; those of two do not. */
function find(bytes, way) {
  const has = (x) => bytes.includes(x);
  const found = [...forwarded(way), peer(way)].filter(has);
  const pair = [0, 1].map((i) => bytesV4(v4(way, i)));
  for (const turn of [(b) => b, reversed]) {
    if (pair.every((b) => has(turn(b)))) found.push(`${v4(way, 0)}, as bytes`);
    if (has(turn(bytesV6(v6(way))))) found.push(`${v6(way)}, as bytes`);
  }
  if (pair.every((b) => has(b.toString("hex")))) found.push(`${v4(way, 0)}, as hex`);
  if (pair.every((b) => has(String(b.readUInt32BE())))) found.push(`${v4(way, 0)}, as a number`);
  if (has(bytesV6(v6(way)).toString("hex"))) found.push(`${v6(way)}, as hex`);
  return found;
}

function expectNone(bytes, where) {
  for (const way of WAYS) {
    const found = find(bytes, way);
    assert.deepEqual(found, [], `${way} left addresses in ${where}`);
  }
}

const filesOf = (dir) => readdirSync(dir, { withFileTypes: true }).flatMap((e) =>
  e.isDirectory() ? filesOf(join(dir, e.name)) : e.isFile() ? [join(dir, e.name)] : []);

/** Every file of a folder; returns their names. */
function expectNoneIn(dir) {
  const files = filesOf(dir);
  for (const file of files) expectNone(readFileSync(file), relative(dir, file));
  return files.map((file) => relative(dir, file));
}

/** One request: {status, reason, location, text}. No answer may hold an address either. */
function send(base, way, target, { method = "GET", body, headers = {}, from } = {}) {
  const url = new URL(target, base);
  return new Promise((done, fail) => {
    const to = request(url, {
      method, localAddress: peer(way),
      headers: { "X-Forwarded-For": `198.18.0.1, ${from}`, "User-Agent": "Mozilla/5.0 Firefox/120.0",
        ...(body === undefined ? {} : { "Content-Length": Buffer.byteLength(body) }), ...headers },
    }, (answer) => {
      const parts = [];
      answer.on("data", (d) => parts.push(d));
      answer.on("end", () => {
        const bytes = Buffer.concat(parts);
        expectNone(Buffer.concat([bytes, Buffer.from(JSON.stringify(answer.headers))]), target);
        done({ status: answer.statusCode, reason: answer.headers["x-corong-reason"],
          location: answer.headers.location, text: bytes.toString() });
      });
    });
    to.once("error", fail);
    to.end(body);
  });
}

/** Bytes as they are, over a connection of their own; returns the status. */
function sendRaw(base, way, bytes) {
  const { hostname, port } = new URL(base);
  return new Promise((done, fail) => {
    let said = "";
    const to = connect({ host: hostname, port: Number(port), localAddress: peer(way) },
      () => to.write(bytes));
    to.on("data", (d) => (said += d));
    to.once("error", fail);
    to.once("close", () => done(Number(said.slice(9, 12))));
  });
}

function redis(socket, ...command) {
  return new Promise((done, fail) => execFile("redis-cli", ["-s", socket, ...command],
    { encoding: "buffer", maxBuffer: 1 << 28 }, (error, out) => (error ? fail(error) : done(out))));
}

/** All that Redis holds, whatever it is. */
async function readRedis(socket) {
  const readers = { stream: (k) => ["XRANGE", k, "-", "+"], list: (k) => ["LRANGE", k, "0", "-1"],
    hash: (k) => ["HGETALL", k], string: (k) => ["GET", k] };
  const keys = (await redis(socket, "KEYS", "*")).toString().split("\n").filter(Boolean);
  const parts = [];
  for (const key of keys) {
    const type = (await redis(socket, "TYPE", key)).toString().trim();
    assert.ok(readers[type], `${key} is a ${type}`);
    parts.push(Buffer.from(key), await redis(socket, ...readers[type](key)));
  }
  return { keys, bytes: Buffer.concat(parts) };
}

async function until(what, fn) {
  const deadline = Date.now() + 120_000;
  while (!(await fn())) {
    assert.ok(Date.now() < deadline, `never: ${what}`);
    await sleep(50);
  }
}

/** Everything that brings an address, once for each of them. Adds to `stored` the ids that must come
 *  out, and to `clicked` the visitors who followed a link. */
async function sendAll({ collector, web, site, round, ticket, stored, clicked }) {
  const beacon = (id, more = {}) => JSON.stringify({ site: site.key, visitor: "v1", sent: Date.now(),
    events: [{ event: "pageview", id, time: Date.now(), url: "https://shop.example/", ...more }] });
  const post = (way, from, target, body, headers) =>
    send(collector, way, target, { method: "POST", body, headers, from });
  const bearer = { Authorization: `Bearer ${site.secret}` };
  const expectStatus = async (status, answer) => {
    const got = await answer;
    assert.equal(got.status, status, got.text);
    return got;
  };
  const keep = (id) => stored.push(id) && id;

  for (let i = 0; i < 3; i++) {
    const from = (way) => forwarded(way)[i];
    const id = (way) => `${way}-${round}-${i}`;

    await expectStatus(204, post("beacon", from("beacon"), "/e", beacon(keep(id("beacon")))));
    await expectStatus(200, send(collector, "pixel",
      `/e.gif?site=${site.key}&visitor=v1&id=${keep(id("pixel"))}&url=https%3A%2F%2Fshop.example%2F`,
      { from: from("pixel") }));
    const click = await expectStatus(302,
      send(collector, "redirect", "/r/june", { from: from("redirect") }));
    clicked.push(click.location.match(/_c=(\d+)\./)[1]);
    await expectStatus(200, post("server", from("server"), "/api/v1/events", JSON.stringify({
      visitor: "v1", time: Date.now(), event: "call", id: keep(id("server")), ip: from("server"),
      user_agent: "curl/8.0" }), bearer));
    const echo = await expectStatus(200,
      post("debug", from("debug"), `/e?debug=${ticket}`, beacon(keep(id("debug")))));
    assert.match(echo.text, /"accepted"/);
    await post("cookieless", from("cookieless"), "/e",
      beacon("c").replace(site.key, site.cookieless).replace('"visitor":"v1",', ""));

    const refusals = [
      [400, "/e", "{"],
      [400, "/e", beacon("x", { value: "much" })],
      [400, "/e", beacon("x", { ip: from("refused") })],
      [400, "/e", beacon("x", { time: 1 })],
      [404, "/e", beacon("x").replace(site.key, "site_none")],
      [401, "/api/v1/events", "{}", { Authorization: "Bearer none" }],
      [400, "/api/v1/events", JSON.stringify({ visitor: "v", time: 1, event: "e", value: "much",
        ip: from("refused") }), bearer],
      [200, "/api/v1/events", JSON.stringify({ visitor: "v", time: 1, event: "e",
        ip: `${from("refused")}x` }), bearer], // no address, and not looked up
      [413, "/e", "x".repeat(70_000)],
      [405, "/healthz", ""],
      [404, "/none", ""],
    ];
    for (const [status, target, body, headers] of refusals)
      await expectStatus(status, post("refused", from("refused"), target, body, headers));
    assert.equal(await sendRaw(collector, "refused", "POST /e HTTP/1.1\r\nHost: a\r\n" +
      `X-Forwarded-For: ${from("refused")}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`), 400);
    assert.equal(await sendRaw(collector, "refused", `${from("refused")}\r\n\r\n`), 400);

    const flood = await Promise.all(Array.from({ length: 80 }, () =>
      post("flood", from("flood"), "/e", "{")));
    assert.ok(flood.some((a) => a.reason === "rate_address"));

    for (const target of ["/", "/api/v1/session", "/api/v1/sites"])
      await send(web, "web", target, { from: from("web") });
    await send(web, "web", "/api/v1/session", { method: "POST", from: from("web"),
      body: JSON.stringify({ email: "a@shop.example", password: "wrong" }),
      headers: { "Content-Type": "application/json" } });
  }
}

/** An import, with every address as its `ip`, as NDJSON and as CSV. */
async function importAll(data, stored) {
  const rows = forwarded("import").map((ip, i) =>
    ({ visitor: "v2", time: "2026-06-01T12:00:00Z", event: "call", id: `import-${i}`, ip }));
  const csv = rows.map((r, i) => `v3,${r.time},call,csv-${i},${r.ip}`);

  writeFileSync(join(data, "../in.ndjson"), rows.map((r) => `${JSON.stringify(r)}\n`).join(""));
  writeFileSync(join(data, "../in.csv"), `visitor,time,event,id,ip\n${csv.join("\n")}\n`);
  for (const format of ["ndjson", "csv"])
    await corongOk(data, ["import", "shop", join(data, `../in.${format}`), "--format", format]);
  stored.push(...rows.map((r) => r.id), ...rows.map((_, i) => `csv-${i}`));
}

test("the search finds what it looks for", () => {
  for (const way of WAYS) {
    const pair = [0, 1].map((i) => bytesV4(v4(way, i)));
    const traces = [...forwarded(way), peer(way), ...[(b) => b, reversed].flatMap((turn) =>
      [Buffer.concat(pair.map(turn)), turn(bytesV6(v6(way)))]), Buffer.concat([Buffer.alloc(10),
      Buffer.from("ffff", "hex"), pair[0], pair[1]]), pair.map((b) => b.toString("hex")).join(),
      pair.map((b) => b.readUInt32BE()).join()];
    for (const trace of traces)
      assert.throws(() => expectNone(Buffer.concat([Buffer.from("a b "), Buffer.from(trace),
        Buffer.from(" c")]), "here"), new RegExp(way));
    expectNone(Buffer.concat([pair[0], Buffer.from("and other words")]), "here");
  }
});

test("no address is kept anywhere", { timeout: 600_000 }, async (t) => {
  const folder = temporaryFolder();
  t.after(() => folder.remove());
  const data = join(folder.dir, "data");
  const stored = [];
  const clicked = [];
  const site = {};

  const added = await corongOk(data, ["site", "add", "shop", "--domain", "shop.example"]);
  [site.key] = added.match(/site_[\w-]{22}/);
  [site.secret] = added.match(/secret_[\w-]{32}/);
  [site.cookieless] = (await corongOk(data, ["site", "add", "quiet", "--domain", "quiet.example",
    "--identity", "cookieless"])).match(/site_[\w-]{22}/);
  await corongOk(data, ["link", "add", "shop", "june", "https://elsewhere.example/"]);

  const running = await up(data, ["--trusted-proxies", "127.0.0.0/8", "--log-level", "0",
    "--publish-wait", "200", "--address-rate", "1", "--address-burst", "30"]);
  const { collector, web } = running;
  const socket = join(data, "redis.sock");
  const pid = (name) => JSON.parse(readFileSync(join(data, "up.json"), "utf8")).processes[name];
  const metrics = async () => (await fetch(`${collector}/metrics`)).text();
  let code;
  try {
    await until("the sites are known", async () => (await metrics()).includes("corong_sites 2"));
    const ticket = (await corongOk(data, ["site", "debug", "shop"])).match(/debug\.[\w.-]+/)[0];

    process.kill(pid("aggregator"), "SIGSTOP"); // so that the stream keeps what comes
    await sendAll({ collector, web, site, round: 0, ticket, stored, clicked });
    process.kill(pid("redis-server"), "SIGSTOP");
    await sendAll({ collector, web, site, round: 1, ticket, stored, clicked });
    assert.match(await metrics(), /\ncorong_spool_bytes [1-9]/);
    const spooled = expectNoneIn(join(data, "spool"));
    assert.ok(spooled.some((name) => name.endsWith(".spool")));
    assert.ok(spooled.includes("sites"));

    process.kill(pid("redis-server"), "SIGCONT");
    await until("the spool is drained", async () => (await metrics()).includes("spool_bytes 0\n"));
    await until("the refusals are listed", async () =>
      (await corongOk(data, ["site", "refused", "shop"])).includes("too_old"));
    const inRedis = await readRedis(socket);
    assert.ok(inRedis.keys.includes("corong:{0}:events"));
    assert.ok(inRedis.bytes.includes("beacon-0-0") && inRedis.bytes.includes("beacon-1-2"));
    expectNone(inRedis.bytes, "Redis");
    expectNone(Buffer.from(await corongOk(data, ["site", "refused", "shop", "--json"])), "refusals");
    expectNoneIn(data);

    process.kill(pid("aggregator"), "SIGCONT");
    await importAll(data, stored);
    await until("all is stored", async () =>
      JSON.parse(await corongOk(data, ["status", "--json"])).redis.entries_waiting === 0);
    const shown = [];
    for (const visitor of ["v1", "v2", "v3", ...clicked]) // every attribute, decompressed
      shown.push(await corongOk(data, ["visitor", "show", "shop", visitor, "--json"]));
    for (const id of stored)
      assert.ok(shown.some((text) => text.includes(`"${id}"`)), `${id} is not stored`);
    expectNone(Buffer.from(shown.join("\n")), "the events as they are shown");
    expectNone(Buffer.from(await metrics()), "the collector's metrics");
    expectNone(Buffer.from(await (await fetch(`${web}/metrics`)).text()), "the dashboard's metrics");
    expectNone(Buffer.from((await corong(data, ["status"])).out), "status");
  } finally {
    for (const name of ["redis-server", "aggregator"]) process.kill(pid(name), "SIGCONT");
    code = await running.stop();
  }
  assert.equal(code, 0);
  assert.match(running.errors(), /redis cannot take events/i);
  expectNone(Buffer.from(running.errors()), "the log");
  const files = expectNoneIn(data);
  for (const part of ["redis/appendonlydir/", "redis/redis.log", "catalog.db", "settings.db", ".seg"])
    assert.ok(files.some((name) => name.includes(part)), `no ${part} in ${files.join(" ")}`);
});
