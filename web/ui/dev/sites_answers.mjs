/* Canned answers about one site besides its funnels: settings. Development only, as server.mjs. */

import { reportFromMoves, SHOP_FUNNEL } from "./fixtures.mjs";
import { journey, liveOf, search } from "./people_fixtures.mjs";

const CHANGEABLE = [
  "domain", "timezone", "currency", "identity", "consent", "gpc", "dnt", "retention", "hosts",
  "ignored_referrers", "page_groups", "first_day_of_week", "bots", "viewer_journeys", "funnel", "max_age_ms", "max_events_per_visitor_day",
];

function tagOf(site) {
  const more = `${site.identity === "cookieless" ? ' data-identity="cookieless"' : ""}${site.consent === "required" ? ' data-consent="required"' : ""}`;
  return `<script defer src="http://localhost:8001/corong.js" data-site="${site.key}"${more}></script>`;
}

/* [status, body], or null where another part answers */
export function answerSite({ state, error, method, site, kind, body }) {
  const one = state.sites.find((candidate) => candidate.name === site);
  if (kind === undefined && method === "GET") return [200, one];
  if (kind === undefined && method === "PATCH") {
    const unknown = Object.keys(body).find((key) => !CHANGEABLE.includes(key));
    if (unknown !== undefined) return error(400, "invalid", `no such member: ${unknown}`, unknown);
    if (/[ /]/.test(body.domain ?? "")) return error(400, "invalid", "not a domain", "domain");
    Object.assign(one, body);
    one.snippet = tagOf(one);
    return [200, one];
  }
  if (kind === "live") {
    state.livePolls = (state.livePolls ?? 0) + 1;
    return [200, site === "shop" ? liveOf(state.liveExtra ?? []) : { ...liveOf([]), events: [], newest: null, visitors: 0 }];
  }
  if (kind === "search") return [200, search(body)];
  if (kind === "journey") {
    const found = journey(body);
    return found === null ? error(404, "not_found", "nobody of that id has done anything there", "visitor") : [200, found];
  }
  if (kind === "report" && typeof body?.funnel === "string" && body.breakdown?.length === 1) return [200, bySource(body)];
  if (kind === "count") return [200, counted(body)];
  return null;
}

const MOVES = [[0, 1, 900], [1, 2, 120], [2, 3, 40], [3, 4, 12]];
const VALUES = {
  channel: ["paid search", "email", "direct"], source: ["google", "newsletter", null], campaign: ["spring-2026", "<b>autumn</b>", null],
  keyword: ["teapot", "pillow", null], landing: ["/", "/products/pillow", "/cart"], path: ["/", "/products/pillow", "/checkout/thank-you"],
};
const ABOUT = { timezone: "Asia/Jakarta", from: null, to: null, left_out: { bots: 12 }, warnings: [], as_of: "2026-08-30T15:00:00Z", snapshot: "c1-55", events_read: 49963, elapsed_ms: 3 };

/* three rows of a funnel, each a third or so of the whole, and their sum */
function bySource(body) {
  const part = (share) => MOVES.map(([from, to, count]) => [from, to, Math.round(count * share)]);
  const rows = (VALUES[body.breakdown[0].attribute] ?? [null]).map((value, index) => {
    const { entered, converted, stages } = reportFromMoves(SHOP_FUNNEL, part([0.6, 0.38, 0.02][index]));
    return { values: [value], entered, converted, stages };
  });
  return { ...reportFromMoves(SHOP_FUNNEL, MOVES), ...ABOUT, presets: {}, breakdown: rows };
}

function counted(body) {
  const figures = (visitors) => ({ visitors, sessions: visitors + 7, events: visitors * 3, orders: 2, value: {}, engaged_ms: visitors * 42_000 });
  const rows = (VALUES[body.breakdown?.[0]?.attribute] ?? [null]).map((value, index) => ({ values: [value], ...figures(300 - index * 120) }));
  return { ...figures(420), ...ABOUT, ...(body.breakdown ? { breakdown: rows } : {}) };
}
