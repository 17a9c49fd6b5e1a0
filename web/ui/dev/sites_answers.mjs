/* Canned answers about one site besides its funnels: settings. Development only, as server.mjs. */

import { journey, search } from "./people_fixtures.mjs";

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
  if (kind === "search") return [200, search(body)];
  if (kind === "journey") return [200, journey(body)];
  return null;
}
