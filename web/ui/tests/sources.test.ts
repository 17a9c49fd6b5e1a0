import assert from "node:assert/strict";
import { test } from "node:test";
import { campaignLink } from "../src/sources/campaignLink";
import { qrOf } from "../src/sources/qr";
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

test("a QR code: its corners are finders, with a quiet zone around", () => {
  const qr = qrOf("https://stats.shop.example/r/june");
  assert.ok(qr !== null);
  /* of the smallest version that holds 33 bytes at this level: 29 modules, and 4 on each side */
  assert.equal(qr.size, 37);
  for (const finder of ["M4,4h7v1h-7z", "M26,4h7v1h-7z", "M4,26h7v1h-7z"]) assert.ok(qr.path.includes(finder), finder);
  assert.equal(qrOf("x".repeat(3000)), null);
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
