/* Canned answers about people, keys, share links, sessions and what was done: development only. */
import { SHOP_FUNNEL } from "./fixtures.mjs";

const DAY_MS = 86_400_000;
const ago = (days) => new Date(Date.now() - days * DAY_MS).toISOString();
const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";

const ACTIONS = [
  ["PATCH /api/v1/sites/{site}", "/api/v1/sites/shop"],
  ["PUT /api/v1/sites/{site}/funnels/{name}", "/api/v1/sites/shop/funnels/Spring/<b>sale</b>"],
  ["PATCH /api/v1/sites/{site}/people/{email}", "/api/v1/sites/shop/people/bo@shop.example"],
  ["DELETE /api/v1/sites/{site}/keys/{id}", "/api/v1/sites/shop/keys/7"],
  ["POST /api/v1/sites/{site}/new-thing", "/api/v1/sites/shop/new-thing"],
];

export function accessState() {
  return {
    people: [
      { email: "owner@shop.example", role: "owner", is_everywhere: true },
      { email: "bo@shop.example", role: "viewer", is_everywhere: false },
      { email: "a-rather-long-address-of-somebody@marketing.agency.example", role: "editor", is_everywhere: false },
    ],
    invitations: [{ id: 3, email: "cy@shop.example", role: "viewer", created: ago(1), created_by: "owner@shop.example", expires: ago(-6) }],
    keys: [
      { id: 1, name: "Spreadsheet <img src=x onerror=alert(1)>", start: "corong_Ab12", scopes: ["read"], created: ago(40), created_by: "owner@shop.example", last_used: ago(0.1) },
      { id: 2, name: "shop server", start: "corong_zZ99", scopes: ["read", "write_events"], created: ago(3), created_by: "bo@shop.example", last_used: null },
    ],
    shares: [
      { id: 1, name: "For the board", days: 30, question: { funnel: SHOP_FUNNEL, breakdown: [{ attribute: "channel" }] }, created: ago(10), created_by: "owner@shop.example", expires: ago(-80), last_used: ago(1) },
      { id: 2, name: "June", days: 0, question: { funnel: "Shop", from: "2026-06-01", to: "2026-07-01" }, created: ago(100), created_by: "bo@shop.example", expires: ago(10), last_used: null },
    ],
    links: [{ slug: "june", target: "https://shop.example/sale?utm_source=flyer&utm_campaign=june", address: "https://stats.shop.example/r/june", created: ago(30) }],
    sessions: [
      { id: "aaaaaaaaaaaaaaaa", created: ago(2), last_seen: ago(0), expires: ago(-28), agent: FIREFOX, current: true },
      { id: "bbbbbbbbbbbbbbbb", created: ago(9), last_seen: ago(3), expires: ago(-21), agent: IPHONE, current: false },
    ],
    audit: Array.from({ length: 150 }, (_, i) => {
      const [action, detail] = ACTIONS[i % ACTIONS.length];
      return { id: 150 - i, time: ago(i / 9), who: i % 7 === 3 ? "key 2" : "owner@shop.example", action, detail };
    }),
  };
}

const REPORT = {
  entered: 33_416, converted: null, conversion_rate: null, from: "2026-05-31T17:00:00Z", to: "2026-06-30T17:00:00Z", timezone: "Asia/Jakarta", as_of: "2026-08-30T15:00:00Z",
  stages: [
    { name: "Page view", kind: "trace", throughput: 33_416, rate_from_first: 1, rate_from_previous: null, value: {} },
    { name: "Add to cart", kind: "engagement", throughput: 2563, rate_from_first: 0.0767, rate_from_previous: 0.0767, value: { IDR: "2563000.00" } },
    { name: "Checkout <script>alert(1)</script>", kind: "engagement", throughput: 719, rate_from_first: 0.0215, rate_from_previous: 0.28, value: { IDR: "719000.00" } },
    { name: "Sale", kind: "sale", throughput: null, rate_from_first: null, rate_from_previous: null, value: null },
  ],
};
const row = (name, counts) => ({ ...name, entered: counts[0], converted: counts.at(-1), conversion_rate: null, stages: counts.map((throughput) => ({ throughput, rate_from_first: throughput === null ? null : throughput / counts[0], rate_from_previous: null })) });
const SHARED = {
  name: "For the board", site: "shop",
  report: { ...REPORT, breakdown: [row({ values: ["paid search"] }, [20_000, 2000, 700, null]), row({ values: [null] }, [13_000, 563, null, 0]), row({ other: true }, [416, null, 19, null])] },
};

export function answerPublic({ state, error, method, parts, body }) {
  const [kind, name] = parts;
  if (kind === "share") return name === "good" ? [200, SHARED] : error(404, "not_found", "this link is not, or no longer, valid", "token");
  if (kind === "sessions" && method === "GET") return [200, { sessions: state.sessions }];
  if (kind === "sessions") {
    state.sessions = state.sessions.filter(({ id }) => id !== name);
    return [204, null];
  }
  if (kind !== "invitation") return null;
  if (body.token !== "new" && body.token !== "known") return error(403, "denied", "this link is not, or no longer, valid", "token");
  const invitation = { email: "cy@shop.example", role: "viewer", site: "shop", has_account: body.token === "known", expires: ago(-6) };
  if (name === undefined) return [200, invitation];
  if (body.password === "wrong-password") return error(403, "denied", "the email address or the password is wrong");
  state.session = { ...state.session, account: { email: invitation.email, role: "viewer" }, setup: false };
  return [200, state.session];
}

/* [status, body], or null where another part answers */
export function answerAccess({ state, error, method, kind, name, body, url }) {
  if (kind === "people" && method === "GET") return [200, { people: state.people, invitations: state.invitations }];
  if (kind === "people") {
    const one = state.people.find(({ email }) => email === name);
    if (method === "PATCH") Object.assign(one, body);
    else state.people = state.people.filter(({ email }) => email !== name);
    return [204, null];
  }
  if (kind === "audit") {
    const before = Number(url.searchParams.get("before") ?? Infinity);
    const entries = state.audit.filter(({ id }) => id < before).slice(0, 100);
    return [200, { entries, cursor: entries.length === 100 ? String(entries.at(-1).id) : null }];
  }
  if (kind === "secret") return [201, { secret_key: "secret_anew" }];
  if (kind === "erase") return [200, { ids: 3, backup_knows: false }];
  if (kind === "links" && method === "GET") return [200, { links: state.links }];
  if (kind === "links" && method === "DELETE") {
    state.links = state.links.filter(({ slug }) => slug !== name);
    return [204, null];
  }
  if (kind === "links") {
    if (state.links.some(({ slug }) => slug === body.slug)) return error(409, "exists", `there is a link ${body.slug} already`, "slug");
    const made = { ...body, address: `https://stats.shop.example/r/${body.slug}`, created: ago(0) };
    state.links.push(made);
    return [201, made];
  }
  if (!["invitations", "keys", "shares"].includes(kind)) return null;
  const list = state[kind];
  if (method === "GET") return [200, { [kind]: list }];
  if (method === "DELETE") {
    state[kind] = list.filter(({ id }) => id !== Number(name));
    return [204, null];
  }
  if (kind === "invitations" && body.email === "wrong@x") return error(400, "invalid", "is no email address", "email");
  const made = { ...body, id: 10 + list.length, created: ago(0), created_by: "owner@shop.example", last_used: null };
  if (kind === "invitations") Object.assign(made, { expires: ago(-7), token: "TOKEN", path: "/invite#TOKEN" });
  if (kind === "keys") Object.assign(made, { start: "corong_new1", key: "corong_new1SECRET" });
  if (kind === "shares") Object.assign(made, { expires: body.expires_days === null ? null : ago(-body.expires_days), token: "TOKEN", path: "/share#TOKEN", csv: "/api/v1/share/TOKEN.csv" });
  list.push(made);
  return [201, made];
}
