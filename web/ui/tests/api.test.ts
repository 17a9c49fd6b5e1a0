/* Every request that the dashboard makes is one that web/api/openapi.json describes, with the header
 * that the server asks for; and what goes wrong comes back as an ApiError. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { api, ApiError, setSignedOutHandler } from "../src/api";
import type { FunnelDefinition } from "../src/api-types";
import { ROWS_MAX } from "../src/ask/question";

interface Schema {
  properties: Record<string, { enum?: string[]; maximum?: number }>;
}

interface Sent {
  method: string;
  url: URL;
  body: Record<string, unknown>;
  headers: Record<string, string>;
}

interface Operation {
  parameters?: { name?: string; in?: string }[];
}

const sent: Sent[] = [];

function answerWith(status: number, body: unknown, headers: Record<string, string> = {}): void {
  globalThis.fetch = (input, init) => {
    assert.ok(typeof input === "string");
    sent.push({
      method: init?.method ?? "GET",
      url: new URL(input, "http://localhost"),
      headers: init?.headers as Record<string, string>,
      body: typeof init?.body === "string" ? (JSON.parse(init.body) as Record<string, unknown>) : {},
    });
    return Promise.resolve(
      new Response(status === 204 ? null : JSON.stringify(body), { status, headers }),
    );
  };
}

const definition: FunnelDefinition = { name: "new/name", stages: [] };

async function callEverything(): Promise<void> {
  const site = { name: "s", domain: "d", timezone: "UTC", currency: "" };
  await api.session();
  await api.signIn("a@b", "c");
  await api.signOut();
  await api.setUp("t", "a@b", "c");
  await api.sites();
  await api.addSite(site);
  await api.timezones();
  await api.currencies();
  await api.attributes("a b");
  await api.values("s", "path", "/?&#", 10);
  await api.funnels("s");
  await api.funnel("s", "a/b");
  await api.saveFunnel("s", "old", definition);
  await api.saveFunnel("s", "new/name", definition);
  await api.saveFunnel("s", "new/name", definition, { basedOn: 3, note: "ä & b" });
  await api.saveFunnel("s", "new/name", definition, { basedOn: 0 });
  await api.funnelVersions("s", "a b");
  await api.funnelVersion("s", "a b", 2);
  await api.savedFilters("s");
  await api.saveFilters("s", "a b", []);
  await api.removeFilters("s", "a b");
  await api.removeFunnel("s", "x?y");
  await api.report("s", { funnel: definition });
  await api.sessions();
  await api.endSession("0123456789abcdef");
  await api.invitation("t");
  await api.acceptInvitation("t", "p");
  await api.shared("t");
  await api.people("s");
  await api.setRole("s", "a+b/c@d", "editor");
  await api.removePerson("s", "a@b");
  await api.invite("s", "a@b", "viewer");
  await api.withdraw("s", 1);
  await api.keys("s");
  await api.addKey("s", "k", ["read"]);
  await api.removeKey("s", 1);
  await api.shares("s");
  await api.addShare("s", { name: "n", question: { funnel: "f" }, days: 0, expires_days: null });
  await api.removeShare("s", 1);
  await api.redirects("s");
  await api.addRedirect("s", "june", "https://a.example/");
  await api.removeRedirect("s", "june");
  await api.renewSecret("s");
  await api.erase("s", "v");
  await api.audit("s", null);
  await api.audit("s", "7");
  await api.exportFile("s", { funnel: "f", what: "breakdown", breakdown: [{ attribute: "path", at: "last" }], format: "csv" });
  await api.exportFile("s", { what: "count", breakdown: [{ attribute: "path" }], limit: ROWS_MAX, format: "xlsx" });
  await api.exportFile("s", { what: "catalogue", from: null, to: null, format: "xlsx" });
}

test("every request is one of the document's, and those that change something say who asks", async () => {
  const path = "../api/openapi.json";
  assert.ok(existsSync(path));
  const document = JSON.parse(readFileSync(path, "utf8")) as {
    paths: Record<string, Record<string, Operation>>;
  };
  sent.length = 0;
  answerWith(200, {});
  await callEverything();
  assert.equal(sent.length, 49);
  assert.deepEqual(sent.map(({ headers }) => headers["If-Match"] ?? headers["If-None-Match"]).filter((one) => one !== undefined), ['"3"', "*"]);
  for (const { method, url, headers } of sent) {
    const template = Object.keys(document.paths).find((candidate) =>
      new RegExp(`^${candidate.replace(/\{\w+\}/g, "[^/]+")}$`).test(url.pathname),
    );
    assert.ok(template !== undefined, `${url.pathname} is described`);
    const operation = document.paths[template]?.[method.toLowerCase()];
    assert.ok(operation !== undefined, `${method} ${template} is described`);
    const known = (operation.parameters ?? []).filter((one) => one.in === "query");
    for (const name of url.searchParams.keys())
      assert.ok(known.some((one) => one.name === name), `${template}?${name}= is described`);
    assert.equal(headers["X-Corong"], "1");
  }
});

test("what a file is asked with is in the document, and asks for no more rows than it allows", async () => {
  const document = JSON.parse(readFileSync("../api/openapi.json", "utf8")) as {
    paths: Record<string, { post: { requestBody: { content: Record<string, { schema: Schema }> } } }>;
  };
  const path = Object.keys(document.paths).find((one) => one.endsWith("/sites/{site}/export")) ?? "";
  const { properties } = document.paths[path]?.post.requestBody.content["application/json"]?.schema ?? {};
  assert.ok(properties !== undefined);
  sent.length = 0;
  answerWith(200, {});
  await callEverything();
  const bodies = sent.filter(({ url }) => url.pathname.endsWith("/export")).map(({ body }) => body);
  assert.deepEqual(bodies.map(({ what }) => what), ["breakdown", "count", "catalogue"]);
  for (const body of bodies) for (const name of Object.keys(body)) assert.ok(name in properties, name);
  for (const { what, format } of bodies) {
    assert.ok(properties["what"]?.enum?.includes(String(what)), String(what));
    assert.ok(properties["format"]?.enum?.includes(String(format)), String(format));
  }
  assert.equal(properties["limit"]?.maximum, ROWS_MAX);
});

test("names are one part of the address, whatever is in them", async () => {
  sent.length = 0;
  answerWith(200, {});
  await api.funnel("a/b", "c?d#e");
  await api.saveFunnel("s", "old", definition);
  await api.saveFunnel("s", "new/name", definition);
  assert.deepEqual(
    sent.map(({ url }) => url.pathname + url.search),
    [
      "/api/v1/sites/a%2Fb/funnels/c%3Fd%23e",
      "/api/v1/sites/s/funnels/old?rename_to=new%2Fname",
      "/api/v1/sites/s/funnels/new%2Fname",
    ],
  );
});

test("a refusal names its code, its field and when to try again", async () => {
  answerWith(400, { error: { code: "invalid", message: "no", field: "stages[0].rule" } });
  await assert.rejects(api.sites(), (error: unknown) => {
    assert.ok(error instanceof ApiError);
    assert.deepEqual([error.status, error.code, error.field], [400, "invalid", "stages[0].rule"]);
    return true;
  });
  answerWith(429, { error: { code: "too_many_tries", message: "wait" } }, { "Retry-After": "90" });
  await assert.rejects(api.signIn("a", "b"), (error: unknown) => {
    assert.ok(error instanceof ApiError);
    assert.deepEqual([error.field, error.retryAfterSeconds], [null, 90]);
    return true;
  });
  answerWith(502, "not one of ours");
  await assert.rejects(api.sites(), { code: "http", status: 502 });
  globalThis.fetch = () => Promise.resolve(new Response('{"sites":[', { status: 200 }));
  await assert.rejects(api.sites(), { code: "unreachable", status: 0 }, "an answer that breaks off is none");
  globalThis.fetch = () => Promise.reject(new TypeError("Failed to fetch"));
  await assert.rejects(api.sites(), { code: "unreachable", status: 0 });
});

test("whoever is signed out elsewhere is asked to sign in, a wrong password is not that", async () => {
  let count = 0;
  setSignedOutHandler(() => count++);
  answerWith(401, { error: { code: "sign_in", message: "sign in first" } });
  await assert.rejects(api.sites());
  assert.equal(count, 1);
  await assert.rejects(api.signIn("a", "b"));
  assert.equal(count, 1);
});
