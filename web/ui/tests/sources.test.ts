import assert from "node:assert/strict";
import { test } from "node:test";
import { campaignLink, shellWord } from "../src/sources/campaignLink";
import { CONTENT, deeper, DRIVERS, filterOfRow, levelOf } from "../src/sources/levels";

const PARTS = { target: "https://shop.example/sale?a=1#top", source: "", medium: "", campaign: "", term: "", content: "" };

test("a campaign link keeps what the page's address has, and replaces its campaign", () => {
  assert.equal(
    campaignLink({ ...PARTS, source: "news letter", medium: "email", campaign: "spring & more" }),
    "https://shop.example/sale?a=1&utm_source=news+letter&utm_medium=email&utm_campaign=spring+%26+more#top",
  );
  assert.equal(
    campaignLink({ ...PARTS, target: "https://shop.example/?utm_source=old", source: "new" }),
    "https://shop.example/?utm_source=new",
  );
});

test("only whole addresses of pages are targets", () => {
  for (const target of ["shop.example", "javascript:alert(1)", "", "ftp://shop.example/"])
    assert.equal(campaignLink({ ...PARTS, target }), null, target);
});

test("a word of a command is quoted where it must be", () => {
  assert.equal(shellWord("https://a.example/x"), "https://a.example/x");
  assert.equal(shellWord("a'b $(c)"), "'a'\\''b $(c)'");
});

test("a row is a filter, one of each attribute, and leads one level deeper", () => {
  const channel = levelOf("?by=channel");
  assert.equal(levelOf("?by=nonsense"), channel);
  const first = deeper([], channel, "email");
  assert.deepEqual(first, [{ attribute: "channel", op: "is", values: ["email"], at: null }]);
  assert.deepEqual(deeper(first, channel, null), [{ attribute: "channel", op: "not_set", values: [], at: null }]);
  assert.deepEqual(filterOfRow(levelOf("?by=exit"), "/cart").at, "last");
  const known = [...DRIVERS, ...CONTENT].map((level) => level.by);
  for (const level of [...DRIVERS, ...CONTENT]) assert.ok(level.next === null || known.includes(level.next));
});
