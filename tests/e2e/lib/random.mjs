// Random sites and random questions about them, the same ones for the same seed: ties in a
// millisecond, repeats, bots, people with several ids, several currencies, gaps around 30 minutes.

/** Whole numbers from a seed: {below(n), chance(percent), one(list), some(list, most)}. */
export function dice(seed) {
  let state = seed >>> 0;
  const number = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
  const below = (n) => number() % n;
  const one = (list) => list[below(list.length)];
  return {
    below, one,
    chance: (percent) => below(100) < percent,
    some: (list, most) => {
      const rest = [...list];
      return Array.from({ length: Math.min(most, rest.length) }, () => rest.splice(below(rest.length), 1)[0]);
    },
  };
}

const MINUTE = 60_000, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
export const BEGIN = Date.parse("2026-03-20T00:00:00Z"); // Europe's clocks change on the 29th
const STEPS = [0, 0, 1, 1000, 7 * MINUTE, 30 * MINUTE - 1, 30 * MINUTE, 30 * MINUTE + 1, HOUR, 5 * HOUR, DAY, 3 * DAY, 9 * DAY];
const BROWSERS = [
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
  "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
];
const BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
const NAMES = ["pageview", "pageview", "pageview", "add_to_cart", "checkout", "sale", "refund"];

function drive(r, page) {
  if (r.chance(60)) return { url: page };
  if (r.chance(30)) return { url: page, referrer: `https://r${r.below(3)}.example/x` };
  const keyword = r.chance(50) ? `&utm_term=${r.one(["shoes", "boots", "red%20boots"])}` : "";
  return {
    url: `${page}?utm_source=${r.one(["google", "news"])}&utm_medium=${r.one(["cpc", "email"])}&utm_campaign=c${r.below(3)}${keyword}`,
  };
}

function randomEvent(r, visitor, time, id) {
  const event = r.one(NAMES);
  const place = r.one([["ID", "ID-JK"], ["DE", "DE-BE"], ["DE", "DE-BY"], [undefined, undefined]]);
  return {
    visitor, time, event,
    ...(r.chance(70) ? { id } : {}),
    ...drive(r, `https://shop.example/p/${r.below(4)}${r.chance(20) ? "/x" : ""}`),
    user_agent: r.chance(6) ? BOT : r.one(BROWSERS),
    country: place[0], region: place[1],
    ...(r.chance(40) ? { product: `sku${r.below(4)}` } : {}),
    ...(event === "sale" || r.chance(10)
      ? { value: r.one([0, 0.05, 2.5, 9.99, 10, 10.01, 50, -2.5]), currency: r.one(["USD", "USD", "EUR", "KWD"]) } : {}),
    ...(r.chance(20) ? { engaged_ms: 10_000 * r.below(6) } : {}),
    ...(r.chance(30) ? { properties: { size: r.one(["1", "2", "2.0", "x", "12"]) } } : {}),
  };
}

/** The events of a site; visitors of a tight one are ties, all within milliseconds. */
export function* randomEvents(r, { visitors, isTight }) {
  for (let v = 0; v < visitors; v++) {
    let time = BEGIN + (isTight ? 0 : r.below(30 * 24) * HOUR);
    const n = 1 + r.below(8);
    for (let k = 0; k < n; k++) {
      time += isTight ? r.below(3) : k === 0 ? 0 : r.one(STEPS);
      const event = randomEvent(r, `v${v}`, time, `${v}-${k}`);
      yield event;
      if (r.chance(10)) yield event; // sent once more
      if (r.chance(5)) yield { ...event, time: time + 1 }; // the same id at another time
    }
    if (r.chance(10)) yield { visitor: `v${v}`, time, event: "identify", known: `k${r.below(Math.ceil(visitors / 10))}` };
  }
}

const is = (attribute, ...values) => ({ attribute, op: "is", values });
const OF_EVENT = [
  is("event", "pageview"), is("event", "sale"), is("event", "add_to_cart", "checkout"),
  { attribute: "path", op: "starts_with", values: ["/p/1"] }, { attribute: "value", op: "ge", values: [10] },
  { attribute: "properties.size", op: "set" }, { attribute: "engaged_ms", op: "between", values: [10_000, 30_000] },
  is("entrance", "true"), is("product", "sku1", "sku2"),
];
const OF_ENTRY = [
  is("country", "DE"), is("device", "mobile"), is("channel", "direct", "email"), is("source", "google"),
  { attribute: "campaign", op: "set" }, { attribute: "keyword", op: "contains", values: ["BOOTS"], ignore_case: true },
  { attribute: "region", op: "not_set" }, { attribute: "source", op: "is_not", values: ["news"] },
];
const BY = ["region", "country", "device", "channel", "source", "campaign", "keyword", "path", "product", "properties.size", "event", "currency", "value", "engaged_ms"];

/* Stages of different rules, now and then with one of them twice. */
function randomStages(r) {
  const rules = r.some(OF_EVENT, 2 + r.below(3));
  const isTwice = r.chance(15);
  if (isTwice) rules.push(rules[0]);
  const stages = rules.map((rule, k) => ({ name: `S${k + 1}`, rule, ...(r.chance(15) ? { required: r.chance(50) } : {}) }));
  return { stages, isTwice };
}

function randomFilter(r, n_stages, isTwice) {
  const kind = r.below(5);
  if (kind === 0) return { rule: r.one(OF_ENTRY) };
  if (kind === 1) return { rule: r.one(OF_ENTRY), at: r.one(["first", "last", "entry", "any", "none"]) };
  if (kind === 2) return { rule: r.one(OF_EVENT), at: r.one(["any", "none", "last", "first"]) };
  if (kind === 3) return { rule: { any: [r.one(OF_ENTRY), r.one(OF_EVENT)] }, at: r.one(["entry", "any"]) };
  return { rule: r.one(OF_ENTRY), at: isTwice || r.chance(50) ? "every" : 1 + r.below(n_stages) };
}

function randomBreakdown(r, n_stages) {
  const at = r.one(["entry", "entry", "first", "last", 1 + r.below(n_stages)]);
  if (r.chance(15)) return { attribute: "value", at, bins: [5, 10, 50] };
  return { attribute: r.one(BY), at };
}

const day = (n) => new Date(BEGIN + n * DAY).toISOString().slice(0, 10);

/** What POST /report takes, with a fixed `as_of`. */
export function randomQuestion(r) {
  const { stages, isTwice } = randomStages(r);
  const funnel = {
    name: "Random", window: r.one(["1d", "3d", "14d", "30m", "2h", "1s"]), stages,
    preset: r.one(["open", "open", "closed", "sequential"]), count: r.one(["visitors", "visitors", "sessions"]),
  };
  if (r.chance(20)) funnel.exclusions = [{ rule: is("event", "refund"), from: 1, to: stages.length }];
  const from = r.below(14), to = from + 1 + r.below(25);
  return {
    funnel,
    ...(r.chance(80) ? { from: day(from), to: day(to) } : {}),
    timezone: r.one(["Europe/Berlin", "UTC", "Asia/Jakarta", "America/Sao_Paulo"]),
    as_of: `${day(r.one([to, to, to + 5, 60]))}T12:00:00Z`,
    bots: r.one(["exclude", "exclude", "include", "only"]),
    filters: Array.from({ length: r.one([0, 0, 1, 1, 2, 3]) }, () => randomFilter(r, stages.length, isTwice)),
    breakdown: Array.from({ length: r.below(3) }, () => randomBreakdown(r, stages.length)),
    limit: r.one([2, 5, 20]),
    trend: r.one(["day", "week", "month"]),
    ...(r.chance(60) ? { compare: "previous" } : {}),
  };
}
