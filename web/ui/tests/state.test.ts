import assert from "node:assert/strict";
import { test } from "node:test";
import type { Breakdown, Site } from "../src/api-types";
import { filterOf, parseFilters, pickValue, withFilter, type ChosenFilter } from "../src/ask/filter";
import {
  askedOf,
  parseQuestion,
  queryText,
  sharedQuery,
  usualQuestion,
  writeQuestion,
  type Question,
} from "../src/ask/question";
import { addDays, boundsOf, dayIn, isBackwards, isLive, yearBefore } from "../src/ask/range";
import { rowFilters } from "../src/report/rows";
import { breakdownText, parseBreakdown, parseState, queryOf, requestOf } from "../src/report/state";
import { link, parseRoute } from "../src/router";

const TODAY = "2026-06-14";
const NOW = Date.parse("2026-06-14T10:00:00Z");
const site = (last: string | null) => ({ timezone: "UTC", last_event: last }) as Site;
const USUAL = usualQuestion(site("2026-06-14T09:00:00Z"), NOW);

const read = (query: string) => parseQuestion(query, USUAL);
function written(question: Question): string {
  const params = new URLSearchParams();
  writeQuestion(question, USUAL, params);
  return queryText(params);
}

test("an address is read back as it was written", () => {
  for (const query of [
    "",
    "?range=7d",
    "?range=all",
    "?range=last_month",
    "?from=2026-06-01&until=2026-06-14",
    "?until=2026-06-14",
    "?compare=none",
    "?range=7d&compare=2025-06-01..2025-06-07",
    "?bots=include",
    "?is.campaign=spring&is.campaign=autumn&is.region=ID-JK",
    "?not_set.keyword=&contains.path=/p/&is.product@last=teapot",
    "?is.product@3=teapot&between.value=1&between.value=2",
    "?is.properties.a%3Db%26c=%3Ci%3E+%25+%E4%BD%A0",
  ])
    assert.equal(written(read(query)), query);
  for (const query of [
    "?preset=closed",
    "?preset=sequential&first=2",
    "?range=90d&tab=breakdown&by=region&by=product@3&rows=100",
    "?tab=breakdown&by=value@last:10,50",
    "?tab=trend&step=week",
    "?tab=visitors&figure=dropoff&stage=3",
    "?tab=visitors&figure=after_range",
  ])
    assert.equal(queryOf(parseState(query), read(query), USUAL), query);
});

test("an address that makes no sense is read as the usual question", () => {
  for (const query of [
    "?range=8days",
    "?range=0d",
    "?from=tomorrow",
    "?compare=2026-06-02..2026-06-01",
    "?compare=x",
    "?bots=some",
    "?is.=x",
    "?almost.campaign=x",
    "?is.campaign=",
  ])
    assert.equal(written(read(query)), "", query);
  for (const query of ["?preset=loose", "?first=-1", "?first=x", "?tab=x", "?rows=7", "?figure=x", "?figure=open"])
    assert.equal(queryOf(parseState(query), USUAL, USUAL), "", query);
});

test("nobody's address can name more than the server takes", () => {
  assert.equal(parseState("?by=a&by=b&by=c").by.length, 2);
  assert.deepEqual(parseBreakdown("properties.a@b"), { attribute: "properties.a@b" });
  assert.equal(breakdownText({ attribute: "value", at: "entry", bins: [10, 50] }), "value:10,50");
  assert.equal(parseBreakdown(""), null);
});

test("the usual question is the last 30 days; all time where nothing came in them", () => {
  assert.deepEqual(USUAL.range, { kind: "days", days: 30 });
  assert.deepEqual(usualQuestion(site("2026-05-16T00:00:00Z"), NOW).range, { kind: "days", days: 30 });
  assert.deepEqual(usualQuestion(site("2026-05-15T23:59:59Z"), NOW).range, { kind: "all" });
  assert.deepEqual(usualQuestion(site(null), NOW).range, { kind: "days", days: 30 });
});

test("the last 7 days are today and the six before", () => {
  assert.deepEqual(boundsOf({ kind: "days", days: 7 }, TODAY), { from: "2026-06-08", to: "2026-06-15" });
  assert.deepEqual(boundsOf({ kind: "named", name: "today" }, TODAY), { from: "2026-06-14", to: "2026-06-15" });
  assert.deepEqual(boundsOf({ kind: "named", name: "month" }, TODAY), { from: "2026-06-01", to: "2026-07-01" });
  assert.deepEqual(boundsOf({ kind: "named", name: "last_month" }, "2026-01-31"), {
    from: "2025-12-01",
    to: "2026-01-01",
  });
});

test("the last day of a range belongs to it", () => {
  const range = { kind: "dates", from: "2026-06-01", until: "2026-06-30" } as const;
  assert.deepEqual(boundsOf(range, TODAY), { from: "2026-06-01", to: "2026-07-01" });
  assert.equal(addDays("2026-12-31", 1), "2027-01-01");
  assert.equal(addDays("2024-02-28", 1), "2024-02-29");
});

test("an answer can still change while today is in its range", () => {
  const until = (day: string) => ({ kind: "dates", from: null, until: day }) as const;
  assert.equal(isLive({ kind: "all" }, TODAY), true);
  assert.equal(isLive({ kind: "days", days: 7 }, TODAY), true);
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

test("a range with two ends is compared, one without is not", () => {
  assert.equal(askedOf(read(""), TODAY).compare, "previous");
  assert.equal(askedOf(read("?range=all"), TODAY).compare, undefined);
  assert.equal(askedOf(read("?until=2026-06-01"), TODAY).compare, undefined);
  assert.equal(askedOf(read("?compare=none"), TODAY).compare, undefined);
  assert.deepEqual(askedOf(read("?range=7d&compare=year"), TODAY).compare, { from: "2025-06-08", to: "2025-06-15" });
  assert.deepEqual(askedOf(read("?compare=2025-06-01..2025-06-07"), TODAY).compare, {
    from: "2025-06-01",
    to: "2025-06-08",
  });
  assert.equal(yearBefore("2024-02-29"), "2023-03-01");
});

test("filters go to the server as rules, each at its place", () => {
  const filter = (query: string) => parseFilters(new URLSearchParams(query)).map(filterOf);
  assert.deepEqual(filter("is.campaign=a&is.campaign=b"), [
    { rule: { attribute: "campaign", op: "is", values: ["a", "b"] } },
  ]);
  assert.deepEqual(filter("ge.value@4=10.5"), [{ rule: { attribute: "value", op: "ge", values: [10.5] }, at: 4 }]);
  assert.deepEqual(filter("not_set.keyword="), [{ rule: { attribute: "keyword", op: "not_set" } }]);
  /* "not" about what somebody did: no event of his is so */
  assert.deepEqual(filter("is_not.path=/p"), [{ rule: { attribute: "path", op: "is", values: ["/p"] }, at: "none" }]);
  assert.deepEqual(filter("is_not.path@entry=/p"), [
    { rule: { attribute: "path", op: "is_not", values: ["/p"] }, at: "entry" },
  ]);
  assert.deepEqual(filter("is_not.region=X"), [{ rule: { attribute: "region", op: "is_not", values: ["X"] } }]);
});

test("a filter takes the place of the one like it; without values it goes", () => {
  const campaign = (...values: string[]): ChosenFilter => ({ attribute: "campaign", op: "is", values, at: null });
  const both = withFilter([campaign("a")], campaign("a", "b"));
  assert.deepEqual(both, [campaign("a", "b")]);
  assert.deepEqual(withFilter(both, campaign()), []);
  assert.deepEqual(pickValue(both, "campaign", "c"), [campaign("c")]);
  assert.deepEqual(pickValue(both, "campaign", null), [{ attribute: "campaign", op: "not_set", values: [], at: null }]);
  assert.deepEqual(pickValue([], "path", "/p", "entry"), [
    { attribute: "path", op: "is", values: ["/p"], at: "entry" },
  ]);
});

test("a row of a breakdown is the report filtered to its values, each at the row's own place", () => {
  const row = (...values: (string | null)[]) => ({ values, entered: 1, converted: 0, stages: [] });
  const filters = (by: Breakdown[], ...values: (string | null)[]) => rowFilters(row(...values), by, [])?.map(filterOf);
  assert.deepEqual(filters([{ attribute: "region" }], "ID-JK"), [
    { rule: { attribute: "region", op: "is", values: ["ID-JK"] } },
  ]);
  /* a filter at 3 would narrow the stage instead */
  assert.deepEqual(filters([{ attribute: "product", at: 3 }, { attribute: "path", at: "last" }], "p", null), [
    { rule: { attribute: "product", op: "is", values: ["p"] }, at: "visit:3" },
    { rule: { attribute: "path", op: "not_set" }, at: "last" },
  ]);
  assert.deepEqual(filters([{ attribute: "value", at: 4, bins: [10, 50] }], "10..50"), [
    { rule: { attribute: "value", op: "ge", values: [10] }, at: "visit:4" },
    { rule: { attribute: "value", op: "lt", values: [50] }, at: "visit:4" },
  ]);
  assert.deepEqual(filters([{ attribute: "quantity" }], "2.5"), [
    { rule: { attribute: "quantity", op: "eq", values: [2.5] }, at: "entry" },
  ]);
  assert.deepEqual(read("?is.product@visit:3=p").filters, [
    { attribute: "product", op: "is", values: ["p"], at: "visit:3" },
  ]);
  assert.equal(rowFilters({ other: true, entered: 1, converted: 0, stages: [] }, [{ attribute: "region" }], []), null);
});

test("from screen to screen the question goes along, a screen's own parameters do not", () => {
  assert.equal(
    sharedQuery("?range=7d&preset=closed&tab=time&is.campaign=spring&not_set.keyword=&by=region"),
    "?range=7d&is.campaign=spring&not_set.keyword=",
  );
  assert.equal(sharedQuery("?tab=time"), "");
});

test("a chosen preset goes into the question, the definition's other parts stay", () => {
  const funnel = { name: "f", preset: "open", stages: [] } as const;
  const definition = { ...funnel, stages: [] };
  const ask = (query: string) => requestOf(definition, parseState(query), read(query), TODAY);
  assert.deepEqual(ask("?preset=closed&range=7d&compare=none"), {
    funnel: { name: "f", preset: "closed", stages: [] },
    from: "2026-06-08",
    to: "2026-06-15",
    bots: "exclude",
  });
  assert.equal(ask("").funnel, definition);
});

test("every link leads to its screen, whatever the names are", () => {
  const name = "a/b?c#d %25 é <i>";
  const at = (url: string) => {
    const { pathname, search } = new URL(url, "http://localhost");
    return parseRoute(pathname, search);
  };
  const screen = (site: string, path: string, rest: string[] = [], query = "") => ({
    screen: "site",
    site,
    path,
    rest,
    query,
  });
  assert.deepEqual(at(link.report("shop", name)), screen("shop", "funnels", [name]));
  assert.deepEqual(at(link.editor(name, name)), screen(name, "funnels", [name, "edit"]));
  assert.deepEqual(at(link.screen("shop", "journeys", name)), screen("shop", "journeys", [name]));
  assert.deepEqual(at(link.site("shop")), screen("shop", ""));
  assert.deepEqual(at(link.newFunnel("shop", "trial")), screen("shop", "funnels", [], "?new=trial"));
  assert.deepEqual(at("/setup?token=abc"), { screen: "setup", token: "abc" });
  assert.deepEqual(at("/"), { screen: "sites" });
  for (const url of ["/nowhere", "/sites/%ff/funnels/x"])
    assert.deepEqual(at(url), { screen: "unknown" }, url);
});
