/* What the editor asks about a draft, what it says of the answers, what it can undo, and where a
 * wrong JSON is wrong. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { FunnelDefinition, Report, Rule, StageFigures } from "../src/api-types";
import { filterOf, type ChosenFilter } from "../src/ask/filter";
import { chosenAll, chosenOf, isSameFilters, savable } from "../src/ask/saved";
import { fieldInForm, isSameQuestion, isUnchanged, matchesOf, named, othersOf, overlapFunnel, sideRows, unnamed } from "../src/editor/asking";
import { changed, historyOf, redone, undone } from "../src/editor/history";
import { lineAt, placeOf, placesOf } from "../src/editor/json";
import { addStage, changeKind, changeStage, definitionOf, draftOf, moveStage } from "../src/editor/model";
import { FunnelError, parseFunnel } from "../src/editor/parse";
import { fromTemplate, isChosenName, stageOfKind, TEMPLATES } from "../src/editor/templates";
import { dropClass } from "../src/editor/useDrag";

const is = (...values: string[]): Rule => ({ attribute: "event", op: "is", values });
const funnel = (...stages: [string, Rule][]): FunnelDefinition => ({
  name: "F",
  window: "7d",
  stages: stages.map(([name, rule]) => ({ name, rule })),
});
const SHOP = funnel(["Visit", is("pageview")], ["Cart", is("cart")], ["Sale", is("sale")]);
const reportOf = (counts: number[]) =>
  ({ stages: counts.map((count) => ({ throughput: count, seen: count, name: "x", kind: "custom" }) as StageFigures) }) as Report;

test("names and kinds are no part of the question, everything else is", () => {
  const renamed = { ...SHOP, name: "G", stages: SHOP.stages.map((stage) => ({ ...stage, name: "?", kind: "sale" as const })) };
  assert.ok(isSameQuestion(SHOP, renamed));
  assert.ok(isSameQuestion(SHOP, { ...SHOP, preset: "open" }), "a default that is written out");
  assert.ok(!isSameQuestion(SHOP, { ...SHOP, preset: "closed" }));
  assert.ok(!isSameQuestion(SHOP, { ...SHOP, window: "8d" }));
  assert.ok(!isSameQuestion(SHOP, { ...SHOP, stages: SHOP.stages.map((stage) => ({ ...stage, required: true })) }));
  assert.ok(unnamed(SHOP).stages.every(({ name }) => name !== "") && unnamed(SHOP).name !== "", "the server takes no empty names");
  assert.deepEqual(named(reportOf([1, 2, 3]), renamed).stages.map(({ name, kind }) => [name, kind]), [["?", "sale"], ["?", "sale"], ["?", "sale"]]);
  assert.ok(isUnchanged(draftOf(SHOP), SHOP));
  assert.ok(!isUnchanged({ ...draftOf(SHOP), name: "G" }, SHOP));
});

test("the server's field of a draft is that of the form", () => {
  assert.equal(fieldInForm("funnel.stages[1].rule.values"), "stages[1].rule.values");
  assert.equal(fieldInForm("funnel"), "");
  assert.equal(fieldInForm(null), null);
});

test("overlaps: one draft asks for all of them, in as many stages as a funnel has", () => {
  const draft = draftOf(SHOP);
  const others = othersOf(draft, 1);
  assert.deepEqual(others.map(({ number, name }) => [number, name]), [[1, "Visit"], [3, "Sale"]]);
  const asked = overlapFunnel(is("cart"), others);
  assert.deepEqual(asked.stages.map(({ rule }) => rule), [is("cart"), { all: [is("cart"), is("pageview")] }, { all: [is("cart"), is("sale")] }]);
  assert.deepEqual(matchesOf(reportOf([200, 0, 24]), others), { visitors: 200, overlaps: [{ number: 3, name: "Sale", share: 0.12 }] });
  assert.deepEqual(matchesOf(reportOf([0, 0, 0]), others), { visitors: 0, overlaps: [] });
  assert.equal(overlapFunnel(is("a"), []).stages.length, 2, "a funnel has two stages at least");
  const many = Array.from({ length: 20 }, (_, index) => ({ number: index + 1, name: "", rule: is(String(index)) }));
  assert.equal(overlapFunnel(is("a"), many).stages.length, 16);
  const empty = changeStage(draft, draft.stages[0]?.id ?? 0, { rule: { kind: "simple", match: "all", conditions: [] } });
  assert.deepEqual(othersOf(empty, 1).map(({ number }) => number), [3], "a rule that says nothing overlaps nothing");
});

test("old against new: by name, else by rule; what is gone comes last", () => {
  const now = funnel(["Visit", is("pageview")], ["Basket", is("cart")], ["Till", is("checkout")]);
  assert.deepEqual(sideRows(now, reportOf([10, 5, 3]), SHOP, reportOf([9, 4, 2])), [
    { name: "Visit", old: 9, now: 10 },
    { name: "Basket", old: 4, now: 5 },
    { name: "Till", old: null, now: 3 },
    { name: "Sale", old: 2, now: null },
  ]);
});

test("undo: a step a change, typing in one field one step, and done again", () => {
  const draft = draftOf(SHOP);
  let history = changed(historyOf(draft), { ...draft, name: "A" }, 1000);
  history = changed(history, { ...draft, name: "AB" }, 1500);
  assert.equal(history.past.length, 1, "letters of one word");
  history = changed(history, { ...draft, name: "ABC" }, 9000);
  assert.equal(history.past.length, 2, "after a pause");
  history = changed(history, moveStage(history.present, 0, 1), 9100);
  assert.equal(history.past.length, 3, "a move is a step of its own");
  const back = undone(undone(history));
  assert.equal(back.present.name, "AB");
  assert.equal(redone(redone(back)).present, history.present);
  assert.equal(undone(undone(undone(history))).present, draft);
  assert.equal(undone(historyOf(draft)).present, draft);
  assert.equal(redone(historyOf(draft)).present, draft);
  assert.deepEqual(changed(back, { ...draft, name: "Z" }, 99_999).future, []);
});

test("kinds: a rule that says nothing and a name nobody chose become the kind's; others stay", () => {
  const sent = ["page_viewed", "purchase"];
  const draft = addStage(draftOf(SHOP), 2, stageOfKind("custom", 4, sent));
  const id = draft.stages[3]?.id ?? 0;
  assert.equal(draft.stages[3]?.name, "Stage 4");
  const sale = changeKind(draft, id, stageOfKind("sale", 4, sent), isChosenName);
  assert.deepEqual(definitionOf(sale).stages[3], { name: "Sale", kind: "sale", rule: is("purchase") });
  const response = changeKind(sale, id, stageOfKind("response", 4, sent), isChosenName);
  assert.deepEqual(definitionOf(response).stages[3], { name: "Response", kind: "response", rule: is("purchase") });
  const kept = changeKind(draft, draft.stages[0]?.id ?? 0, stageOfKind("sale", 1, sent), isChosenName);
  assert.deepEqual(definitionOf(kept).stages[0], { name: "Visit", kind: "sale", rule: is("pageview") });
  const ids = sale.stages.flatMap((stage) => [stage.id, ...(stage.rule.kind === "simple" ? stage.rule.conditions.map((one) => one.id) : [])]);
  assert.equal(new Set(ids).size, ids.length);
});

test("every template begins with what the site sent, and is a funnel", () => {
  for (const id of ["shop", "lead", "trial", "content", "second"]) {
    const template = TEMPLATES.find((one) => one.id === id);
    assert.ok(template !== undefined, id);
    const made = fromTemplate(template, "x", ["page_viewed", "checkout_completed"]);
    assert.deepEqual(parseFunnel(JSON.stringify(made)), made);
    assert.doesNotMatch(JSON.stringify(made), /"pageview"/, `${id}: the site calls it page_viewed`);
  }
});

test("where a card falls is marked at the card before or after it", () => {
  const marks = (from: number, to: number) => [0, 1, 2, 3].map((index) => dropClass({ from, to }, index));
  assert.deepEqual(marks(0, 2), [" is-dragged", "", " is-drop-after", ""]);
  assert.deepEqual(marks(3, 1), ["", " is-drop-before", "", " is-dragged"]);
  assert.deepEqual(marks(1, 1), ["", " is-dragged", "", ""]);
  assert.equal(dropClass(null, 0), "");
});

test("JSON: the line of each value, and what is wrong by line and field", () => {
  const source = '{\n  "name": "x",\n  "window": "7d",\n  "stages": [\n    {"name": "a\\"}", "rule": {"attribute": "event", "op": "is",\n      "values": ["1", 2e3]}}\n  ]\n}\n';
  const places = placesOf(source);
  const line = (path: string) => lineAt(source, placeOf(places, path));
  assert.deepEqual(["", "name", "stages", "stages[0].rule.op", "stages[0].rule.values[1]", "stages[0].kind", "stages[7].rule"].map(line), [1, 2, 4, 5, 6, 5, 4]);
  const rows: [string, string, number][] = [
    [source.replace('"op"', '"opp"'), "stages[0].rule.opp", 5],
    [source.replace("2e3", "true"), "stages[0].rule.values[1]", 6],
    [source.replace('"7d",', '"7d"'), "", 4],
    [source.replace("2e3", "02"), "", 6],
    [source.replace('"window"', '"name"'), "", 3],
    [source.slice(0, 40), "", 4],
    [`${source}x`, "", 9],
    ['{"stages":[{"name":"a', "", 1],
  ];
  for (const [json, field, wanted] of rows)
    assert.throws(
      () => parseFunnel(json),
      (error) => error instanceof FunnelError && error.field === field && lineAt(json, error.at) === wanted && error.message.startsWith(`line ${wanted}`),
      json,
    );
  const random = Array.from("{}[]\",:\\ 0eE+-.truefalsn");
  for (let seed = 1; seed <= 3000; seed++) {
    let state = seed;
    const pick = () => random[(state = (state * 48271) % 2147483647) % random.length] ?? "";
    const text = Array.from({ length: 1 + (seed % 12) }, pick).join("");
    let isJson = true;
    try {
      JSON.parse(text);
    } catch {
      isJson = false;
    }
    let isTaken = true;
    try {
      placesOf(text);
    } catch {
      isTaken = false;
    }
    if (isTaken !== isJson) assert.match(text, /"([^"]*)":.*"\1":/, `${text}: only like keys are refused beyond JSON`);
  }
});

test("saved filters come back as the chips that they were", () => {
  const chips: ChosenFilter[] = [
    { attribute: "campaign", op: "is", values: ["a", "b"], at: null },
    { attribute: "product", op: "is_not", values: ["teapot"], at: null },
    { attribute: "value", op: "ge", values: ["10.5"], at: "last" },
    { attribute: "keyword", op: "not_set", values: [], at: null },
  ];
  assert.deepEqual(chosenAll(chips.map(filterOf)), chips);
  assert.ok(isSameFilters(chips.map(filterOf).reverse(), chips));
  assert.ok(!isSameFilters(chips.slice(1).map(filterOf), chips));
  assert.equal(chosenOf({ rule: { not: is("a") }, at: "any" }), null);
  assert.equal(chosenAll([{ rule: { all: [is("a")] } }]), null);
  assert.deepEqual(savable([...chips, { attribute: "path", op: "is", values: ["/"], at: 2 }, { attribute: "path", op: "is", values: ["/"], at: "visit:2" }]), chips);
});
