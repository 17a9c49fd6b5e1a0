import assert from "node:assert/strict";
import { test } from "node:test";
import {
  addDays,
  boundsOf,
  dayIn,
  isBackwards,
  isLive,
  parseState,
  queryOf,
  requestOf,
} from "../src/report/state";
import { link, parseRoute } from "../src/router";

const TODAY = "2026-06-14";

test("an address is read back as it was written", () => {
  for (const query of [
    "",
    "?preset=closed",
    "?range=7d",
    "?preset=sequential&range=90d&first=2",
    "?from=2026-06-01&until=2026-06-14",
    "?until=2026-06-14",
  ])
    assert.equal(queryOf(parseState(query)), query);
});

test("an address that makes no sense is read as the report itself", () => {
  for (const query of ["?preset=loose", "?range=8d", "?from=tomorrow", "?first=-1", "?first=x"])
    assert.equal(queryOf(parseState(query)), "", query);
});

test("the last 7 days are today and the six before; the end stays open", () => {
  assert.deepEqual(boundsOf({ kind: "days", days: 7 }, TODAY), { from: "2026-06-08", to: null });
});

test("the last day of a range belongs to it", () => {
  const range = { kind: "dates", from: "2026-06-01", until: "2026-06-30" } as const;
  assert.deepEqual(boundsOf(range, TODAY), { from: "2026-06-01", to: "2026-07-01" });
  assert.equal(addDays("2026-12-31", 1), "2027-01-01");
  assert.equal(addDays("2024-02-28", 1), "2024-02-29");
});

test("a report can still change while today is in its range", () => {
  const until = (day: string) => ({ kind: "dates", from: null, until: day }) as const;
  assert.equal(isLive({ kind: "all" }, TODAY), true);
  assert.equal(isLive(until("2026-06-14"), TODAY), true);
  assert.equal(isLive(until("2026-06-13"), TODAY), false);
  assert.equal(isBackwards("2026-06-02", "2026-06-01"), true);
  assert.equal(isBackwards("2026-06-02", null), false);
});

test("days are the site's days", () => {
  const moment = Date.parse("2026-06-14T18:00:00Z");
  assert.equal(dayIn("Asia/Jakarta", moment), "2026-06-15");
  assert.equal(dayIn("America/Los_Angeles", moment), "2026-06-14");
  assert.equal(dayIn("Not/AZone", moment), "2026-06-14");
});

test("a chosen preset goes into the question, the definition's other parts stay", () => {
  const funnel = { name: "f", preset: "open", stages: [] } as const;
  const definition = { ...funnel, stages: [] };
  const request = requestOf(definition, parseState("?preset=closed&range=7d"), TODAY);
  assert.deepEqual(request, {
    funnel: { name: "f", preset: "closed", stages: [] },
    from: "2026-06-08",
    to: null,
    bots: "exclude",
  });
  assert.equal(requestOf(definition, parseState(""), TODAY).funnel, definition);
});

test("every link leads to its screen, whatever the names are", () => {
  const name = "a/b?c#d %25 é <i>";
  const at = (url: string) => {
    const { pathname, search } = new URL(url, "http://localhost");
    return parseRoute(pathname, search);
  };
  assert.deepEqual(at(link.report("shop", name)), {
    screen: "report",
    site: "shop",
    funnel: name,
    query: "",
  });
  assert.deepEqual(at(link.editor(name, name)), { screen: "editor", site: name, funnel: name });
  assert.deepEqual(at(link.site("shop")), { screen: "site", site: "shop" });
  assert.deepEqual(at(link.newFunnel("shop", "trial")), {
    screen: "new-funnel",
    site: "shop",
    template: "trial",
  });
  assert.deepEqual(at("/setup?token=abc"), { screen: "setup", token: "abc" });
  assert.deepEqual(at("/"), { screen: "sites" });
  for (const url of ["/nowhere", "/sites/a/b", "/sites/a/funnels/b/c", "/sites/%ff/funnels/x"])
    assert.deepEqual(at(url), { screen: "unknown" }, url);
});
