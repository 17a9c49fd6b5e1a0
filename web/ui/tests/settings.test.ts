import assert from "node:assert/strict";
import { test } from "node:test";
import { fitsOf, globPattern, listOf, suggestionsFor } from "../src/settings/groups";
import { collectorOf, diagnose } from "../src/settings/diagnosis";
import { isShorter, limitOf, parseRetention, writeRetention } from "../src/settings/retention";

const NOW = Date.parse("2026-06-15T12:00:00Z");
const tag = (src: string) => `<script defer src="${src}" data-site="site_A"></script>`;
const SITE = {
  events: 10,
  last_event: "2026-06-15T11:00:00Z",
  domain: "shop.example",
  snippet: tag("https://stats.shop.example/corong.js"),
  consent: "none" as const,
  gpc: "respect" as const,
  dnt: "ignore" as const,
  demo: false,
};
const codes = (site: Partial<typeof SITE> | object, browser = { gpc: false, dnt: false }) =>
  diagnose({ ...SITE, ...site }, browser, NOW).map((finding) => finding.code);

test("the collector is read from the tag, also behind a name of one's own", () => {
  assert.deepEqual(collectorOf(tag("https://a.example/lib/x.js")), {
    origin: "https://a.example",
    host: "a.example",
    script: "x.js",
  });
  assert.equal(collectorOf("<script></script>"), null);
  assert.equal(collectorOf(tag("not an address")), null);
});

test("a site that receives has nothing to mend", () => {
  assert.deepEqual(codes({}), ["receiving"]);
});

test("silence is said, after a day and before the first event", () => {
  assert.deepEqual(codes({ last_event: "2026-06-14T11:59:00Z" }), ["quiet"]);
  assert.deepEqual(codes({ events: 0, last_event: null }), ["nothing"]);
  assert.deepEqual(codes({ last_event: "2026-06-01T00:00:00Z", demo: true }), ["receiving"]);
});

test("a collector that browsers cannot reach, or only without https, or elsewhere", () => {
  assert.deepEqual(codes({ snippet: tag("http://localhost:8001/corong.js") }), ["receiving", "localCollector"]);
  assert.deepEqual(codes({ snippet: tag("http://localhost:8001/corong.js"), domain: "localhost" }), ["receiving"]);
  assert.deepEqual(codes({ snippet: tag("http://stats.shop.example/corong.js") }), ["receiving", "plainHttp"]);
  assert.deepEqual(codes({ snippet: tag("https://stats.other.example/corong.js") }), ["receiving", "otherHost"]);
  assert.deepEqual(codes({ domain: "www.shop.example" }), ["receiving"]);
  assert.deepEqual(codes({ domain: "notshop.example" }), ["receiving", "otherHost"]);
});

test("wishes of this very browser count only where the site respects them", () => {
  const both = { gpc: true, dnt: true };
  assert.deepEqual(codes({ consent: "required" }, both), ["receiving", "consent", "gpcHere"]);
  assert.deepEqual(codes({ gpc: "ignore", dnt: "respect" }, both), ["receiving", "dntHere"]);
});

test("retention is written as it was read", () => {
  for (const text of ["13mo", "400d", "never"]) assert.equal(writeRetention(parseRetention(text)), text);
  assert.equal(parseRetention("soon"), null);
});

test("what lets events go that were kept is shorter, in either unit", () => {
  const shorter = (old: string, next: string) => isShorter(parseRetention(old), parseRetention(next), NOW);
  assert.equal(shorter("never", "13mo"), true);
  assert.equal(shorter("13mo", "never"), false);
  assert.equal(shorter("13mo", "12mo"), true);
  assert.equal(shorter("13mo", "400d"), false);
  assert.equal(shorter("400d", "13mo"), true);
  assert.equal(shorter("13mo", "13mo"), false);
  assert.equal(limitOf(parseRetention("2mo"), NOW)?.toISOString(), "2026-04-15T12:00:00.000Z");
  assert.equal(limitOf(null, NOW), null);
});

test("a glob covers the whole path: * within one part, ** across them, everything else as it is", () => {
  const fits = (glob: string, path: string) => globPattern(glob).test(path);
  assert.ok(fits("/p/*", "/p/1") && !fits("/p/*", "/p/1/2") && !fits("/p/*", "/q/p/1"));
  assert.ok(fits("/p/**", "/p/1/2") && fits("**/x", "/a/b/x"));
  assert.ok(fits("/a.b?(c)", "/a.b?(c)") && !fits("/a.b", "/axb"));
});

const PATHS = [
  { value: "/", events: 9 },
  { value: "/p/1", events: 5 },
  { value: "/p/2", events: 4 },
  { value: "/blog-posts/a", events: 2 },
  { value: "/blog-posts/b", events: 1 },
  { value: "/about/us", events: 7 },
];

test("the first group that fits has the path", () => {
  const groups = [
    { name: "One", globs: ["/p/1"] },
    { name: "All", globs: ["/p/**", "/"] },
  ];
  assert.deepEqual(fitsOf(groups, PATHS), [{ paths: 1, events: 5 }, { paths: 2, events: 13 }]);
});

test("groups suggest themselves where several pages lie under one part and nobody has them", () => {
  assert.deepEqual(suggestionsFor([], PATHS), [
    { group: { name: "P", globs: ["/p/**"] }, events: 9 },
    { group: { name: "Blog posts", globs: ["/blog-posts/**"] }, events: 3 },
  ]);
  const taken = [{ name: "P", globs: ["/p/*"] }];
  assert.deepEqual(suggestionsFor(taken, PATHS).map((one) => one.group.name), ["Blog posts"]);
  assert.deepEqual(suggestionsFor([], PATHS.slice(1, 3)), [], "a group of all pages tells nothing");
  assert.deepEqual(listOf(" a.example, b.example\n\nc.example "), ["a.example", "b.example", "c.example"]);
});
