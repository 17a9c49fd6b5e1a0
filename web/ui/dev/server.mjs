/* Serves web/ui/dist with the headers of the real server and canned answers (fixtures.mjs), to look
 * at the dashboard and to test it in a browser without one. Development only. */
import { createServer } from "node:http";
import { existsSync, readFileSync } from "node:fs";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { accessState, answerAccess, answerPublic } from "./access_answers.mjs";
import { answerHealth } from "./health_answers.mjs";
import { answerSite } from "./sites_answers.mjs";
import { ATTRIBUTES, countFor, DROPOFF, FUNNELS, listFor, NEXT, reportFor, SITES, VALUES } from "./fixtures.mjs";

const DIST = fileURLToPath(new URL("../dist/", import.meta.url));
export const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
  "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'; " +
  "require-trusted-types-for 'script'; trusted-types 'none'";
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };

/* `mode`: what kind of installation this is: ready (signed in), door, setup, insecure */
export function startServer({ port = 0, mode = "ready" } = {}) {
  const state = {
    session: {
      account: mode === "ready" ? { email: "owner@shop.example", role: "owner" } : null,
      setup: mode === "setup", insecure: mode === "insecure",
      demo: { shop: "http://localhost:8001/shop/" }, version: "0.1.0",
      places: { name: "IP Geolocation by DB-IP", url: "https://db-ip.com" },
    },
    sites: structuredClone(SITES),
    funnels: structuredClone(FUNNELS),
    filters: [],
    isDown: false,
    ...accessState(),
  };

  const error = (status, code, message, field) => [status, { error: { code, message, ...(field ? { field } : {}) } }];

  function answer(method, url, body, headers = {}) {
    const path = url.pathname.replace("/api/v1", "");
    const parts = path.split("/").slice(1).map(decodeURIComponent);
    if (path === "/session" && method === "GET") return [200, state.session];
    if (path === "/session" && method === "DELETE") {
      state.session.account = null;
      return [204, null];
    }
    if (path === "/session" || path === "/setup") {
      if (body.password === "wrong-password") return error(401, "wrong_password", "wrong");
      if (path === "/setup" && body.token !== "good") return error(403, "denied", "token");
      Object.assign(state.session, { account: { email: body.email, role: "owner" }, setup: false });
      return [200, state.session];
    }
    const ofPublic = answerPublic({ state, error, method, parts, body });
    if (ofPublic !== null) return ofPublic;
    if (path === "/timezones") return [200, { timezones: ["UTC", "Asia/Jakarta", "Europe/Warsaw"] }];
    if (path === "/currencies") return [200, { currencies: ["EUR", "IDR", "PLN", "USD"] }];
    if (path === "/sites" && method === "GET") return [200, { sites: state.sites }];
    if (path === "/sites") {
      if (!/^[A-Za-z0-9_-]+$/.test(body.name)) return error(400, "invalid", "letters, digits, - and _ only", "name");
      const site = { ...state.sites[1], ...body };
      state.sites.push(site);
      return [201, { ...site, secret_key: "secret_CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC" }];
    }
    if (parts[0] === "queries" && method === "DELETE") return [204, null];
    const [, site, kind, name] = parts;
    if (!state.sites.some((one) => one.name === site)) return error(404, "not_found", "there is no such site");
    const ofAccess = answerAccess({ state, error, method, kind, name, body, url });
    if (ofAccess !== null) return ofAccess;
    const ofHealth = answerHealth({ state, error, site, kind, body });
    if (ofHealth !== null) return ofHealth;
    const ofSite = answerSite({ state, error, method, site, kind, name, body, url });
    if (ofSite !== null) return ofSite;
    if (kind === "attributes") return [200, { attributes: ATTRIBUTES }];
    if (kind === "values" && method === "POST") {
      const found = (VALUES[body.attribute] ?? []).filter(([value]) => value.startsWith(body.prefix ?? ""));
      const values = found.map(([value, events]) => ({ value, events, visitors: Math.ceil(events / 3) }));
      return [200, { attribute: body.attribute, n: found.length, values }];
    }
    if (kind === "values") {
      const attribute = url.searchParams.get("attribute");
      const prefix = url.searchParams.get("prefix") ?? "";
      const values = (VALUES[attribute] ?? []).filter(([value]) => value.startsWith(prefix)).map(([value, events]) => ({ value, events }));
      return [200, { attribute, values }];
    }
    const own = site === "shop" ? state.funnels : [];
    if (kind === "funnels" && name === undefined) return [200, { funnels: own }];
    if (kind === "funnels" && parts[4] === "versions") {
      const known = versionsOf(own.find((one) => one.name === name));
      return [200, { versions: known.map(({ version, updated, author, note }) => ({ version, saved: updated, author, note })) }];
    }
    if (kind === "funnels") return funnel(own, method, name, body, url, headers);
    if (kind === "filters") return filters(method, name, body);
    if (kind === "report") {
      const bad = refuse(body.funnel);
      return bad ?? [200, reportFor(body.funnel, body)];
    }
    if (kind === "live") {
      const now = new Date().toISOString();
      return [200, { as_of: now, newest: now, stored: now, visitors: 14, events_per_minute: 6.2, cursor: "c", events: [] }];
    }
    if (kind === "visitors") return [200, listFor(body.funnel, body)];
    if (kind === "count") return [200, countFor(body)];
    if (kind === "dropoff") return [200, { ...DROPOFF, stage: body.stage }];
    if (kind === "next") return [200, { ...NEXT, attribute: body.attribute, steps: 1, figure: body.figure, stage: body.stage }];
    return error(404, "not_found", "nothing here");
  }

  function refuse(definition) {
    if (definition.name === "") return error(400, "invalid", "must not be empty", "name");
    if (definition.stages.some((stage) => stage.name === "")) return error(400, "invalid", "must not be empty", "stages[0].name");
    const index = definition.stages.findIndex((stage) => stage.rule.values?.length === 0);
    return index < 0 ? null : error(400, "invalid", "needs at least one value", `stages[${index}].rule.values`);
  }

  /* the newest first */
  const versionsOf = (saved) => [saved, ...(saved.older ?? [])];

  function funnel(own, method, name, body, url, headers) {
    const index = own.findIndex((one) => one.name === name);
    const old = own[index];
    if (method === "PUT") {
      const bad = refuse(body);
      if (bad) return bad;
      const match = headers["if-match"];
      if (headers["if-none-match"] === "*" && old) return error(409, "exists", "there is one already", "name");
      if (match !== undefined && match !== `"${old?.version}"`) return error(409, "conflict", "somebody saved another version", "version");
      const saved = {
        name: url.searchParams.get("rename_to") ?? name, version: (old?.version ?? 0) + 1, updated: new Date().toISOString(),
        author: state.session.account.email, note: url.searchParams.get("note") ?? "", definition: body,
        older: old ? versionsOf(old).map((one) => ({ ...one, older: [] })) : [],
      };
      if (index < 0) own.push(saved);
      else own[index] = saved;
      return [200, saved];
    }
    if (index < 0) return error(404, "not_found", "there is no such funnel", "funnel");
    if (method === "DELETE") {
      own.splice(index, 1);
      return [204, null];
    }
    const version = url.searchParams.get("version");
    return [200, version === null ? old : versionsOf(old).find((one) => one.version === Number(version))];
  }

  function filters(method, name, body) {
    if (name === undefined) return [200, { filters: state.filters }];
    state.filters = state.filters.filter((one) => one.name !== name);
    if (method === "DELETE") return [204, null];
    state.filters.push({ name, updated: new Date().toISOString(), author: "owner@shop.example", filters: body.filters });
    return [200, state.filters.at(-1)];
  }

  const server = createServer((request, response) => {
    const url = new URL(request.url, "http://localhost");
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      if (state.isDown) return response.destroy();
      const headers = { "Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin" };
      if (url.pathname.startsWith("/api/")) {
        const source = Buffer.concat(chunks).toString();
        if (request.method !== "GET" && request.headers["x-corong"] !== "1") return response.writeHead(403).end();
        const [status, body] = answer(request.method, url, source === "" ? null : JSON.parse(source), request.headers);
        response.writeHead(status, { ...headers, "Content-Type": "application/json" });
        return response.end(body === null ? "" : JSON.stringify(body));
      }
      const file = DIST + url.pathname.slice(1);
      const found = url.pathname !== "/" && !url.pathname.includes("..") && existsSync(file) ? file : `${DIST}index.html`;
      response.writeHead(200, { ...headers, "Content-Type": TYPES[extname(found)] ?? "application/octet-stream" });
      return response.end(readFileSync(found));
    });
  });
  return new Promise((resolve) =>
    server.listen(port, "127.0.0.1", () => resolve({ server, state, url: `http://localhost:${server.address().port}` })),
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { url } = await startServer({ port: Number(process.argv[2] ?? 8000), mode: process.argv[3] ?? "ready" });
  console.log(`dashboard with canned answers: ${url}`);
}
