/* Canned answers for looking at the dashboard without a server. Development only: nothing of this is
 * built or shipped. Figures of SHOP are those of a real shop's open, closed and sequential reports. */

const PRESET_FIGURES = {
  open: {
    reached: [33416, 1943, 719, 285],
    moves: [
      [0, 1, 33416], [0, 2, 1150], [0, 3, 320], [0, 4, 71], [1, 2, 793],
      [1, 3, 159], [1, 4, 70], [2, 3, 240], [2, 4, 13], [3, 4, 131],
    ],
  },
  closed: {
    reached: [33866, 757, 387, 224],
    moves: [
      [0, 1, 33866], [1, 2, 757], [1, 3, 197], [1, 4, 99], [2, 3, 190], [3, 4, 125],
    ],
  },
  sequential: {
    reached: [33866, 768, 162, 118],
    moves: [[0, 1, 33866], [1, 2, 768], [2, 3, 162], [3, 4, 118]],
  },
};

const SPREADS = [
  null,
  { p50: 240_000, p90: 172_800_000, mean: 21_600_000 },
  { p50: 95_000, p90: 5_400_000, mean: 1_260_000 },
  { p50: 210_000, p90: 1_500_000, mean: 640_000 },
];
const ZERO = (n) => Array.from({ length: n }, () => 0);
const rate = (part, whole) => (whole === 0 ? null : part / whole);

/* Everything of a report that follows from its moves. */
export function reportFromMoves(definition, moves, extra = {}) {
  const n = definition.stages.length;
  const reached = ZERO(n), skipped = ZERO(n), entries = ZERO(n), onward = ZERO(n);
  for (const [from, to, count] of moves) {
    reached[to - 1] += count;
    if (from === 0) entries[to - 1] += count;
    else onward[from - 1] += count;
    for (let k = from + 1; k < to; k++) skipped[k - 1] += count;
  }
  const throughput = reached.map((r, k) => r + skipped[k]);
  const converted = throughput[n - 1];
  const stages = definition.stages.map((stage, k) => {
    const exits = reached[k] - onward[k];
    const through = k === n - 1 ? converted : Math.min(onward[k], Math.round(reached[k] * 0.081));
    const spread = reached[k] > entries[k] ? SPREADS[Math.min(k, 3)] : null;
    return {
      name: stage.name, kind: stage.kind ?? "custom", required: stage.required ?? false,
      reached: reached[k], skipped: skipped[k], throughput: throughput[k], entries: entries[k],
      exits, dropoff: k === n - 1 ? null : exits, onward: onward[k],
      rate_onward: rate(onward[k], reached[k]), converted: through,
      rate_converted: rate(through, reached[k]), rate_from_first: rate(throughput[k], throughput[0]),
      rate_from_previous: k === 0 ? null : rate(throughput[k], throughput[k - 1]),
      seen: Math.round(reached[k] * 1.04), seen_value: {},
      value: k === n - 1 && converted > 0 ? { USD: "286171.00", IDR: "1250000", "": "12.50" } : {},
      time_from_previous_ms: k === 0 ? null : spread,
      time_from_start_ms: k === 0 || spread === null ? null : { p50: spread.p50 * 3, p90: spread.p90 * 2, mean: spread.mean * 2 },
    };
  });
  return {
    entered: throughput[0], converted, conversion_rate: rate(converted, throughput[0]), stages, moves,
    left_out: { bots: 6437 }, warnings: [], as_of: new Date().toISOString(), events_read: 49963,
    elapsed_ms: 3.4, funnel: definition, from: null, to: null, timezone: "Asia/Jakarta",
    range: { first: "2026-06-01T00:00:00Z", last: "2026-08-30T00:00:00Z" }, presets: {}, ...extra,
  };
}

const event = (...values) => ({ attribute: "event", op: "is", values });

export const SHOP_FUNNEL = {
  name: "Shop", preset: "open", window: "7d",
  stages: [
    { name: "Page view", kind: "trace", rule: event("page_viewed") },
    { name: "Add to cart", kind: "engagement", rule: event("product_added_to_cart") },
    { name: "Checkout", kind: "engagement", rule: event("checkout_started") },
    { name: "Sale", kind: "sale", rule: event("checkout_completed") },
  ],
};

const LONG_FUNNEL = {
  name: "Eight stages <img src=x onerror=alert(1)>", preset: "open", window: "30d",
  stages: ["Campaign seen somewhere on the open web", "Landing", "Product", "Gallery", "Cart", "Address", "Payment", "Sale"].map(
    (name, k) => ({ name, kind: k === 7 ? "sale" : "custom", rule: { any: [event(`e${k}`), { all: [event("pageview"), { attribute: "path", op: "glob", values: [`/step/${k}/**`] }] }] } }),
  ),
  exclusions: [{ rule: event("refund"), from: 3, to: 7 }],
};

/* Random visitors through all stages, with a fixed seed: many moves, none of them special. */
function randomMoves(n, visitors) {
  let seed = 12345;
  const random = () => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return seed / 2147483648;
  };
  const counts = new Map();
  for (let v = 0; v < visitors; v++) {
    let at = 0;
    for (let k = 1; k <= n; k++) {
      if (random() < (at === 0 ? 0.55 : 0.5)) {
        const key = `${at}-${k}`;
        counts.set(key, (counts.get(key) ?? 0) + 1);
        at = k;
      } else if (at > 0 && random() < 0.18) break;
    }
  }
  return [...counts].map(([key, count]) => [...key.split("-").map(Number), count]).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
}

const RANDOM = randomMoves(8, 9000);

function movesFor(definition) {
  const n = definition.stages.length;
  if (n === 4) return PRESET_FIGURES[definition.preset ?? "open"].moves;
  return n === 8 ? RANDOM : randomMoves(n, 2000);
}

export function reportFor(definition, request) {
  const isEmpty = request.to !== null && request.to !== undefined && request.to < "2026-01-01";
  const report = reportFromMoves(definition, isEmpty ? [] : movesFor(definition), {
    from: request.from ?? null, to: request.to ?? null,
  });
  for (const preset of ["open", "closed", "sequential"]) {
    const one = reportFromMoves(definition, isEmpty ? [] : movesFor({ ...definition, preset }));
    report.presets[preset] = { entered: one.entered, converted: one.converted, conversion_rate: one.conversion_rate };
  }
  const counts = (part) => ({ entered: part.entered, converted: part.converted, stages: part.stages });
  if (request.compare !== undefined && request.compare !== null)
    report.compare = { ...reportFromMoves(definition, movesFor({ ...definition, preset: "closed" })), from: "2026-05-01T00:00:00+07:00", to: "2026-06-01T00:00:00+07:00", as_of: "2026-06-01T00:00:00Z" };
  if (request.breakdown !== undefined) {
    /* the moves of everybody dealt out to three rows, so that the rows add up */
    const deal = (row) => report.moves.map(([from, to, count]) => [from, to, Math.floor(count / 3) + (row < count % 3 ? 1 : 0)]);
    const values = [request.breakdown.map((_, k) => `value ${k}`), request.breakdown.map(() => null), null];
    report.breakdown = values.map((value, row) => ({
      ...(value === null ? { other: true } : { values: value }), ...counts(reportFromMoves(definition, deal(row))),
    }));
  }
  if (typeof request.trend === "string")
    report.trend = Array.from({ length: 12 }, (_, day) => ({
      ...counts(reportFromMoves(definition, report.moves.map(([from, to, count]) => [from, to, Math.floor(count / (9 + day))]))),
      start: new Date(Date.UTC(2026, 7, 15 + day, -7)).toISOString(),
    }));
  return report;
}

/* As many of one figure as it says, in one page; each came through the stages asked for. */
export function listFor(definition, request) {
  const report = reportFor(definition, request);
  const stage = request.stage ?? 1;
  const n = Math.min(40, report.stages[stage - 1][request.figure] ?? report[request.figure] ?? 0);
  const start = Date.UTC(2026, 7, 20, 9);
  const visitors = Array.from({ length: n }, (_, k) => ({
    visitor: `visitor-${k}`,
    path: [[1, start + k * 60_000], [Math.max(2, stage), start + k * 60_000 + k * k * 4000]],
  }));
  return { figure: request.figure, stage: request.stage ?? null, n, visitors, cursor: null, snapshot: "c1-a", as_of: report.as_of, snapshot_gone: false };
}

export function countFor(request) {
  const figures = (part) => ({ visitors: Math.round(34_990 * part), sessions: Math.round(41_000 * part), events: Math.round(49_963 * part), orders: Math.round(301 * part), value: { IDR: String(Math.round(294_461_000 * part)) }, engaged_ms: 1e9 });
  return {
    ...figures(1), ...(request.compare ? { compare: figures(0.9) } : {}),
    trend: Array.from({ length: 12 }, (_, day) => ({ start: new Date(Date.UTC(2026, 7, 15 + day)).toISOString(), ...figures(0.1) })),
    left_out: { bots: 6437 }, warnings: [],
  };
}

export const DROPOFF = {
  leavers: 108, stayers: 59, open: 3, tested: 30, n: 2, left_out_attributes: ["event"], warnings: [], left_out: { bots: 1 },
  rows: [
    { attribute: "device", at: "entry", value: "mobile", leavers: 83, stayers: 7, share_leavers: 0.7685, share_stayers: 0.1186, log_odds: 3.1, p: 1e-9, q: 1e-8 },
    { attribute: "sign", at: "session", value: "rage_click", leavers: 40, stayers: 3, share_leavers: 0.37, share_stayers: 0.05, log_odds: 2.2, p: 1e-4, q: 1e-3 },
    { attribute: "path", at: "session", value: "/thanks <img src=x onerror=alert(1)>", leavers: 0, stayers: 52, share_leavers: 0, share_stayers: 0.88, log_odds: -7.3, p: 1e-6, q: 1e-5 },
  ],
};

export const NEXT = {
  n: 111, next: [{ values: ["error"], n: 80 }, { values: [null], n: 20 }, { other: true, n: 11 }], last: [{ values: ["engage"], n: 111 }],
};

const USUAL = {
  identity: "first_party", consent: "none", gpc: "respect", dnt: "ignore", retention: "never", hosts: [],
  ignored_referrers: ["pay.example"], page_groups: [], first_day_of_week: "monday", bots: "exclude",
  viewer_journeys: "no", funnel: "", max_age_ms: 86_400_000, max_events_per_visitor_day: 5000,
  role: "owner", may_see_visitors: true,
};

export const SITES = [
  { name: "shop", domain: "shop.example", timezone: "Asia/Jakarta", currency: "IDR", key: "site_AAAAAAAAAAAAAAAAAAAAAA", snippet: '<script async src="http://localhost:8001/corong.js" data-site="site_AAAAAAAAAAAAAAAAAAAAAA"></script>', events: 49963, first_event: "2026-06-01T02:00:00Z", last_event: "2026-08-30T14:12:00Z", demo: true, ...USUAL },
  { name: "blog", domain: "blog.example", timezone: "Europe/Warsaw", currency: "PLN", key: "site_BBBBBBBBBBBBBBBBBBBBBB", snippet: '<script async src="http://localhost:8001/corong.js" data-site="site_BBBBBBBBBBBBBBBBBBBBBB"></script>', events: 0, first_event: null, last_event: null, demo: false, ...USUAL },
];

export const FUNNELS = [SHOP_FUNNEL, LONG_FUNNEL].map((definition) => ({
  name: definition.name, version: 1, updated: "2026-08-29T10:00:00Z", author: "owner@shop.example", note: "", definition,
}));

export const ATTRIBUTES = [
  ["event", "event", "text", 49963], ["path", "event", "text", 49963], ["url", "event", "text", 49963],
  ["product", "event", "text", 2100], ["value", "event", "number", 290], ["engaged_ms", "event", "number", 0],
  ["properties.colour", "event", "text", 812], ["country", "surroundings", "text", 41000], ["device", "surroundings", "text", 49963],
  ["bot", "surroundings", "flag", 49963], ["channel", "driver", "text", 49963], ["campaign", "driver", "text", 20111], ["keyword", "driver", "text", 0],
].map(([name, klass, type, seen]) => ({ name, class: klass, type, seen }));

export const VALUES = {
  event: [["page_viewed", 41020], ["product_added_to_cart", 2306], ["email_filled_on_popup", 1840], ["checkout_started", 1010], ["checkout_completed", 294], ["refund", 12]],
  path: [["/", 11020], ["/products/mattress", 9100], ["/products/pillow", 4100], ["/cart", 2300], ["/checkout/thank-you", 290]],
  campaign: [["spring-2026", 12000], ["newsletter-32", 5100]],
};
