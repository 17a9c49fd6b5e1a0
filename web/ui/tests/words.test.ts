import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { say } from "../src/say";
import { text } from "../src/text";

const CATALOGUE = "../text/"; // the tests run in web/ui
const GENERATOR = "scripts/words.mjs";

/* What the generator says of English and one more language. */
function problemsOf(en: object, id: object): string[] {
  const folder = mkdtempSync(`${tmpdir()}/words-`);
  writeFileSync(`${folder}/en.json`, JSON.stringify(en));
  writeFileSync(`${folder}/pl.json`, JSON.stringify(id));
  const run = spawnSync(process.execPath, [GENERATOR, `${folder}/`, `${folder}/out/`], { encoding: "utf8" });
  rmSync(folder, { recursive: true });
  assert.equal(run.status, run.stderr === "" ? 0 : 1, run.stderr);
  return run.stderr.split("\n").filter((line) => line !== "").map((line) => line.replace(/^\S*pl\.json: /, ""));
}

test("every language says all there is to say", () => {
  const run = spawnSync(process.execPath, [GENERATOR], { encoding: "utf8" });
  assert.equal(run.stderr, "");
});

test("what a translation has wrong is told by its key", () => {
  const en = { a: { "found(count)": "{count, plural, one {# day} other {# days}}", "of(name)": "of {name}", list: ["x", "y"] } };
  const right = {
    a: { "found(count)": "{count, plural, one {#} few {#} many {#} other {#}}", "of(name)": "z {name}", list: ["x", "y"] },
  };
  assert.deepEqual(problemsOf(en, right), []);
  assert.deepEqual(problemsOf(en, { a: { ...right.a, "found(count)": "{count, plural, one {#} other {#}}" } }), [
    "a.found(count): the plural lacks few, many",
  ]);
  assert.deepEqual(problemsOf(en, { a: { ...right.a, "of(name)": "z {nane}" } }), [
    "a.of(name): {nane} is no parameter of the key",
    "a.of(name): {name} is missing",
  ]);
  assert.deepEqual(problemsOf(en, { a: { ...right.a, list: ["x"] } }), ["a.list: has 1 texts, not 2"].concat("a.list.1: is empty"));
  assert.deepEqual(problemsOf(en, { a: { "found(count)": right.a["found(count)"], list: ["x", " "], odd: "?" } }), [
    "a.odd: is not in the source",
    "a.of(name): is missing",
    "a.list.1: is empty",
  ]);
  assert.match(problemsOf(en, { a: { ...right.a, "of(name)": "z {name" } })[0] ?? "", /^a\.of\(name\): /);
});

test("plurals and choices become sentences", () => {
  assert.equal(text.visitors(1), "1 visitor");
  assert.equal(text.visitors(1234), "1,234 visitors");
  assert.equal(text.window["d"]?.(7), "7 days");
  assert.equal(text.drawing.entry(2, "Sale", ""), "2 visitors came in at Sale");
  assert.equal(text.drawing.entry(1, "Sale", "Cart"), "1 visitor came in at Sale, skipping Cart");
  assert.equal(say.choose(0, { "=0": "none", other: "some" }), "none");
});

test("nothing of a message's syntax is left in any text", () => {
  for (const file of readdirSync(CATALOGUE)) {
    const walk = (value: unknown): void => {
      if (typeof value === "string") assert.ok(!/plural,|select,|, number/.test(value.replace(/\{.*\}/s, "")), `${file}: ${value}`);
      else for (const part of Object.values(value as object)) walk(part);
    };
    walk(JSON.parse(readFileSync(CATALOGUE + file, "utf8")));
  }
});
