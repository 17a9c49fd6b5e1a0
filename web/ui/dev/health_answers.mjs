/* Canned answers of the page Data health: development only, as server.mjs. */
const DAY_MS = 86_400_000;
const day = (ago) => new Date(Date.now() + 7 * 3_600_000 - ago * DAY_MS).toISOString().slice(0, 10);
const moment = (ago) => new Date(Date.now() - ago).toISOString();
const one = (ago, accepted, more) => ({ day: day(ago), accepted, late: Math.round(accepted / 90), bots: Math.round(accepted / 8), repeats: 0, refused: {}, ...more });

const COLLECTOR = {
  name: "box-with-a-rather-long-name.internal.example:8001", state: "ready", seen: moment(9000), why: "", spool_bytes: 0, damaged_records: 0,
  places: { type: "Corong-Country-Region", built: moment(40 * DAY_MS) },
};

function health(state) {
  return {
    as_of: moment(0), timezone: "Asia/Jakarta",
    days: [
      one(0, 2310, { refused: { too_old: 4, opted_out: 31, invalid: 2 } }),
      one(3, 2544, { refused: { opted_out: 28, a_new_reason: 1 } }),
      one(20, 1999, { refused: { rate_site: 1200, opted_out: 7 } }),
    ],
    stored: { events: 49_963, first: moment(84 * DAY_MS), newest: moment(2000), stored: moment(1500), damage: [] },
    installation: {
      days: [{ ...one(0, 0, { refused: { unknown_site: 12 } }), repeats: 93, late: 0, bots: 0 }],
      redis: { is_there: true, why: "", entries_waiting: 0, oldest: null, memory_bytes: 3_400_000, memory_max_bytes: 268_435_456 },
      collectors: [COLLECTOR], segments: 14, bytes: 3_211_000, free_bytes: 81_604_378_624,
      backup: moment(0.4 * DAY_MS), bad_entries: 0, alarms: [],
    },
    ...(state.health ?? {}),
  };
}

/* everything that can be wrong, at once */
export function illHealth() {
  return {
    days: null,
    stored: { events: 10, first: moment(DAY_MS), newest: moment(DAY_MS), stored: null, damage: [{ code: "segment_left_out", message: "120 events of 00ab.seg are not counted: <img src=x onerror=alert(1)>" }] },
    installation: {
      days: null, redis: { is_there: false, why: "Connection refused" },
      collectors: [{ ...COLLECTOR, state: "spooling", why: "Redis has used 71% of its memory", spool_bytes: 71_000_000, damaged_records: 2, places: null }, { ...COLLECTOR, name: "b:1", state: "away", places: { type: "GeoLite2-City", built: moment(400 * DAY_MS) } }],
      segments: 1, bytes: 1000, free_bytes: 67_108_864, backup: null, bad_entries: 3,
      alarms: [{ code: "stream_lost", message: "5 entries of the stream were trimmed before they were read", first: moment(DAY_MS), last: moment(DAY_MS / 2), times: 5 }],
    },
  };
}

const ABOUT = { timezone: "Asia/Jakarta", from: null, to: null, left_out: { bots: 12 }, warnings: [], as_of: "2026-08-30T15:00:00Z", snapshot: "c1-55", events_read: 49_963, elapsed_ms: 31 };
const part = (name, orders, idr) => ({ part: name, orders, value: idr === null ? {} : { IDR: idr } });

const RECONCILIATION = {
  stage: 5, received: { orders: 319, value: { IDR: "286171000.00", USD: "12.50" } }, counted: { orders: 285, value: { IDR: "256020000.00" } },
  difference: { orders: 34, value: { IDR: "30151000.00", USD: "12.50" } },
  parts: [
    { part: "bots", orders: 3, value: { IDR: "2400000.00", USD: "12.50" } }, part("repeats", 9, "8100000.00"), part("other_rule", 0, null), part("filtered", 0, null),
    part("second", 22, "20151000.00"), part("excluded", 0, "0.00"), part("window", 1, "1200000.00"), part("before_range", 0, null), part("no_stage", 0, null), part("other_path", 0, null),
    part("refunds", 0, "-900000.00"), part("after_range", -1, "-800000.00"), part("no_sale", 0, null),
  ],
  refunds: 2,
  shared_orders: { n: 9, counted_twice: 1, orders: [
    { order: "order-5512", events: 3, counted: 2, n_visitors: 3, visitors: ["01J8V4B7W2T6AM7Q", "01J8V4B7W2T6AM8R", "v-3"] },
    { order: "<script>alert(1)</script>", events: 2, counted: 1, n_visitors: 2, visitors: ["v1", "v2"] },
  ] },
  ...ABOUT, snapshot_gone: false,
};

const rows = (list) => ({ n: list.length, rows: list.map(([name, events], index) => ({ name, events, last: moment(index * 5_000_000 + 4000) })) });
const CATALOGUE = {
  events: rows([["pageview", 40_113], ["engage", 7_002], ["add_to_cart", 2_563], ["sale", 319], ["<b>own</b>", 2]]),
  properties: { n: 240, rows: rows([["variant", 2_563], ["a_property_with_a_name_that_is_as_long_as_it_may_be_in_this_place_here", 9]]).rows },
  bots: rows([["crawler Googlebot/", 4_002], ["agent says headless", 77], ["", 3]]),
  damaged_files: 0, from: null, to: null, timezone: "Asia/Jakarta", snapshot_gone: false,
};

/* [status, body], or null where another part answers */
export function answerHealth({ state, error, site, kind, body }) {
  if (kind === "health" && state.isIll) return error(503, "unavailable", "the catalog is busy");
  if (kind === "health") return [200, site === "shop" ? health(state) : { ...health({}), days: [] }];
  if (kind === "reconcile") return [200, RECONCILIATION];
  if (kind === "export") {
    state.exports = [...(state.exports ?? []), body];
    return [200, { canned: body.format }];
  }
  if (kind === "catalogue") return [200, CATALOGUE];
  return null;
}
