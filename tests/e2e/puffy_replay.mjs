// Sends the real shop's log (CORONG_TEST_DATA/puffy) as a browser would have: beacons over HTTP.
//
// A row that has a visitor is one event: its id is "<file>:<row>", its time the row's. Consecutive
// rows of one visitor and one user agent travel in one beacon. `sent` is our clock, which is the
// collector's too, so that the skew rounds to nothing and every event keeps its time. The site must
// take events of that age (corong site set NAME --max-age 3650d).
import { readdirSync, readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { basename, join } from "node:path";
import { argv, exit, stdout } from "node:process";
import { pathToFileURL } from "node:url";
import { gunzipSync } from "node:zlib";
import { inParallel, testData } from "./lib/corong.mjs";

const BEACON_EVENTS = 50;

/** The rows of a CSV as arrays of text (RFC 4180: quotes, doubled quotes, line breaks in quotes). */
export function* csvRows(text) {
  let row = [];
  let at = 0;
  while (at < text.length) {
    let cell = "";
    if (text[at] === '"') {
      for (at++; ; at++) {
        const end = text.indexOf('"', at);
        if (end < 0) throw new Error("a quote without an end");
        cell += text.slice(at, end);
        at = end + 1;
        if (text[at] !== '"') break;
        cell += '"';
      }
    } else {
      let end = at;
      while (end < text.length && text[end] !== "," && text[end] !== "\n") end++;
      cell = text.slice(at, end).replace(/\r$/, "");
      at = end;
    }
    row.push(cell);
    if (text[at] === "\r") at++;
    if (text[at] === ",") {
      at++;
      if (at === text.length) row.push("");
      else continue;
    }
    at++;
    yield row;
    row = [];
  }
}

/** {events, visitor, userAgent}: what goes in one beacon, file after file. */
export function* beacons(dir) {
  const files = readdirSync(dir).filter((f) => f.endsWith(".csv.gz")).sort();
  for (const file of files) {
    const rows = csvRows(gunzipSync(readFileSync(join(dir, file))).toString("utf8"));
    const header = rows.next().value;
    const column = (...names) => header.findIndex((h) => names.includes(h));
    const c = {
      visitor: column("client_id", "clientId"), url: column("page_url"),
      referrer: column("referrer"), time: column("timestamp"), event: column("event_name"),
      data: column("event_data"), agent: column("user_agent"),
    };
    let open = null;
    let n = 0;
    for (const row of rows) {
      n++;
      const visitor = row[c.visitor];
      if (!visitor) continue;
      const event = {
        event: row[c.event], id: `${basename(file, ".csv.gz")}:${n}`, time: Date.parse(row[c.time]),
        url: row[c.url], referrer: c.referrer < 0 ? "" : row[c.referrer],
      };
      if (row[c.data]) {
        const data = JSON.parse(row[c.data]);
        event.order = data.transaction_id;
        event.value = data.revenue;
      }
      const userAgent = row[c.agent];
      const fits = open && open.visitor === visitor && open.userAgent === userAgent &&
        open.events.length < BEACON_EVENTS;
      if (!fits) {
        if (open) yield open;
        open = { visitor, userAgent, events: [] };
      }
      open.events.push(event);
    }
    if (open) yield open;
  }
}

function post(url, agent, userAgent, body) {
  return new Promise((done, fail) => {
    const bytes = Buffer.from(body);
    const to = request(url, {
      method: "POST", agent,
      headers: {
        "Content-Type": "text/plain", "Content-Length": bytes.length, "User-Agent": userAgent,
      },
    }, (answer) => {
      let text = "";
      answer.setEncoding("utf8");
      answer.on("data", (d) => (text += d));
      answer.on("end", () => done({ status: answer.statusCode, text }));
    });
    to.on("error", fail);
    to.end(bytes);
  });
}

/** Send one beacon until it is answered for good: 503, 429 and a broken connection are tried again,
 *  as the snippet does. */
async function deliver(url, agent, site, beacon) {
  for (let tries = 0; ; tries++) {
    const body = JSON.stringify({
      site, visitor: beacon.visitor, sent: Date.now(), events: beacon.events,
    });
    const answer = await post(url, agent, beacon.userAgent, body).catch((e) => ({ status: 0, text: e }));
    if (answer.status === 204) return;
    if (![0, 429, 503].includes(answer.status) || tries === 20)
      throw new Error(`${answer.status} ${answer.text} for ${body.slice(0, 500)}`);
    await new Promise((later) => setTimeout(later, 100 * (tries + 1)));
  }
}

/** Replay everything; resolves to {events, beacons, ms}. */
export async function replay({ collector, site, dir, width = 16 }) {
  const all = [...beacons(dir)];
  const agent = new Agent({ keepAlive: true, maxSockets: width });
  const started = performance.now();
  await inParallel(all, width, (b) => deliver(`${collector}/e`, agent, site, b));
  agent.destroy();
  return {
    events: all.reduce((n, b) => n + b.events.length, 0),
    beacons: all.length,
    ms: performance.now() - started,
  };
}

const USAGE = `usage: node tests/e2e/puffy_replay.mjs --collector URL --site SITE_KEY [--data DIR] [--width 16]

Sends the 14 files of the puffy data as beacons. DIR defaults to CORONG_TEST_DATA/puffy.
The site must take old events: corong site set NAME --max-age 3650d
`;

if (argv[1] && import.meta.url === pathToFileURL(argv[1]).href) {
  const given = (name) => argv.includes(name) ? argv[argv.indexOf(name) + 1] : undefined;
  const collector = given("--collector")?.replace(/\/$/, "");
  const site = given("--site");
  const dir = given("--data") ?? testData("puffy");
  if (!collector || !site || !dir) {
    stdout.write(USAGE);
    exit(argv.includes("--help") ? 0 : 2);
  }
  const done = await replay({ collector, site, dir, width: Number(given("--width") ?? 16) });
  stdout.write(`${done.events} events in ${done.beacons} beacons, all acknowledged, ` +
    `${Math.round(done.ms)} ms\n`);
}
