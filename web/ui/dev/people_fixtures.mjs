/* Visitors and one journey, canned: development only. One name is an attack, one id is a known one. */

const DRIVERS = [
  ["paid search", "google", "cpc", "spring-2026", "teapot gift"],
  ["email", "newsletter", "email", "newsletter-32", null],
  ["direct", null, null, null, null],
];
const PLACES = [["ID", "ID-JK", "Jakarta"], ["SG", "SG", "Singapore"], [null, null, null]];

export const VISITORS = Array.from({ length: 120 }, (_, i) => {
  const [channel, source, medium, campaign, keyword] = DRIVERS[i % 3];
  const [country, region, city] = PLACES[i % 3];
  const visitor = i === 1 ? "customer-1234" : i === 2 ? "<img src=x onerror=alert(1)>" : (i + 17).toString(16).padStart(4, "0").repeat(8);
  return {
    visitor, ids: i === 1 ? [visitor, "aa11".repeat(8), "bb22".repeat(8)] : [visitor],
    first: "2026-08-20T03:00:00Z", last: new Date(Date.parse("2026-08-30T14:12:00Z") - i * 437_000).toISOString(),
    stage: i % 5 === 4 ? null : (i % 4) + 1, channel, source, medium, campaign, keyword, country, region, city, device: "mobile",
    visitors: 1, sessions: 1 + (i % 3), events: 3 + (i % 17), orders: i % 4 === 3 ? 1 : 0,
    value: i % 4 === 3 ? { IDR: "450000.00" } : {}, engaged_ms: 23_000,
  };
});

const place = { country: "ID", region: "ID-JK", city: "Jakarta", device: "mobile", browser: "Chrome", os: "Android" };
const at = (time, event, more = {}) => ({ visitor: "customer-1234", time, event, host: "shop.example", ...more, ...place });

const SESSIONS = [
  {
    start: "2026-08-29T03:00:00Z", is_whole: true, channel: "paid search", source: "google", medium: "cpc",
    campaign: "spring-2026", content: null, keyword: "teapot gift", referrer: "https://google.com/", landing: "/",
    events: [
      { event: at("2026-08-29T03:00:00Z", "page_viewed", { path: "/" }), stages: [1] },
      { event: at("2026-08-29T03:02:10Z", "page_viewed", { path: "/products/pillow", product: "pillow", engaged_ms: 5300, scroll_pct: 58 }), stages: [1], why: [{ stage: 1, reason: "stage_served" }] },
      { event: at("2026-08-29T03:02:40Z", "product_added_to_cart", { path: "/products/pillow", product: "pillow", quantity: 2, value: 900000.5, currency: "IDR" }), stages: [2] },
    ],
  },
  {
    start: "2026-08-30T14:00:00Z", is_whole: true, channel: "email", source: "newsletter", medium: "email",
    campaign: "newsletter-32", content: null, keyword: null, referrer: null, landing: "/cart",
    events: [
      { event: { ...at("2026-08-30T14:00:00Z", "page_viewed", { path: "/cart", properties: { colour: "<b>red</b>" } }), visitor: "aa11".repeat(8) }, stages: [1] },
      { event: at("2026-08-30T14:12:00Z", "checkout_completed", { path: "/checkout/thank-you", order: "order-77", value: 900000, currency: "IDR" }), stages: [4] },
    ],
  },
];

const about = (body) => ({
  from: body.from ?? null, to: body.to ?? null, timezone: "Asia/Jakarta", left_out: { bots: 12 }, warnings: [],
  as_of: "2026-08-30T15:00:00Z", snapshot: "c1-55", snapshot_gone: false, events_read: 49963, elapsed_ms: 3.1,
});

export function search(body) {
  const found = VISITORS.filter(
    (one) =>
      (body.id === undefined || one.ids.some((id) => id.startsWith(body.id))) &&
      (body.order === undefined || (body.order === "order-77" && one.visitor === "customer-1234")) &&
      (body.stage === undefined || one.stage === body.stage),
  ).map(({ stage, ...one }) => (body.funnel === undefined ? one : { ...one, stage }));
  const from = Number(body.cursor ?? 0);
  const to = from + (body.limit ?? 20);
  return { ...about(body), n: found.length, visitors: found.slice(from, to), cursor: to < found.length ? String(to) : null };
}

export function journey(body) {
  const one = VISITORS.find((candidate) => candidate.ids.includes(body.visitor));
  if (one === undefined) return null;
  const sessions = structuredClone(SESSIONS);
  if (body.funnel === undefined) for (const session of sessions) for (const event of session.events) delete event.stages;
  const paths = [{ path: [[1, Date.parse("2026-08-29T03:00:00Z")], [2, Date.parse("2026-08-29T03:02:40Z")], [4, Date.parse("2026-08-30T14:12:00Z")]] }];
  return { ...about(body), visitor: one.visitor, ids: one.ids, n: 5, sessions, ...(body.funnel ? { paths } : {}) };
}

/* the newest events: one of a bot, and what a test has added before them */
export function liveOf(extra) {
  const one = (key, event, more = {}) => ({
    key, visitor: event.visitor, bot: false, event, channel: "email", source: "newsletter", medium: "email", campaign: "newsletter-32",
    keyword: null, is_entrance: false, stages: [1], reached: 2, ...more,
  });
  return {
    as_of: "2026-08-30T14:12:04Z", newest: "2026-08-30T14:12:00Z", stored: "2026-08-30T14:12:01Z", visitors: 14, events_per_minute: 6.2, cursor: "c",
    events: [
      ...extra.map((name, i) => one(`x${i}`, at("2026-08-30T14:12:03Z", name, { path: "/new" }))),
      one("b", at("2026-08-30T14:12:00Z", "checkout_completed", { path: "/checkout/thank-you", value: 900000, currency: "IDR" }), { stages: [4], reached: 4 }),
      one("a", at("2026-08-30T14:11:00Z", "page_viewed", { path: "/" }), { bot: true, is_entrance: true, channel: null, reached: null }),
    ],
  };
}
