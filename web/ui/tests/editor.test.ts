import assert from "node:assert/strict";
import { test } from "node:test";
import type { FunnelDefinition, Rule } from "../src/api-types";
import {
  addCondition,
  addExclusion,
  addStage,
  changeExclusion,
  changeStage,
  conditionField,
  definitionOf,
  draftOf,
  isComplete,
  isRequired,
  moveStage,
  removeStage,
  STAGES_MAX,
  toggleRequired,
  type Draft,
  type NewStage,
} from "../src/editor/model";
import { fitValues, operatorsFor, typeOf } from "../src/editor/operators";
import { parseFunnel } from "../src/editor/parse";
import { freeName, fromTemplate, TEMPLATES } from "../src/editor/templates";
import { ruleWords } from "../src/ruleWords";

const NEW: NewStage = { name: "New", kind: "custom", rule: { attribute: "event", op: "is", values: [] } };
const is = (...values: string[]): Rule => ({ attribute: "event", op: "is", values });

/* The example of the funnel's definition, without what comes later. */
const spring: FunnelDefinition = {
  name: "Spring campaign",
  preset: "open",
  window: "30d",
  count: "visitors",
  stages: [
    { name: "Trace", kind: "trace", rule: { all: [is("pageview"), { attribute: "campaign", op: "set" }] } },
    { name: "Response", kind: "response", rule: is("pageview") },
    {
      name: "Engagement",
      kind: "engagement",
      required: true,
      rule: { any: [is("add_to_cart"), { attribute: "engaged_ms", op: "ge", values: [30000] }] },
    },
    { name: "Sale", kind: "sale", rule: is("sale") },
  ],
  exclusions: [{ rule: is("refund"), from: 3, to: 4 }],
};

test("a definition comes out of the form as it went in", () => {
  assert.deepEqual(definitionOf(draftOf(spring)), spring);
});

test("a rule that the form cannot show is kept as it is", () => {
  const nested: Rule = { all: [{ not: is("bot") }, { any: [is("a"), { all: [is("b"), is("c")] }] }] };
  const definition = { ...spring, stages: spring.stages.map((stage) => ({ ...stage, rule: nested })) };
  const draft = draftOf(definition);
  assert.equal(draft.stages[0]?.rule.kind, "nested");
  assert.deepEqual(definitionOf(draft), definition);
});

test("an exclusion keeps its stages when they move, and forgets one that goes", () => {
  const moved = moveStage(draftOf(spring), 2, 3);
  assert.deepEqual(moved.stages.map((stage) => stage.name), ["Trace", "Response", "Sale", "Engagement"]);
  assert.deepEqual(definitionOf(moved).exclusions, [{ rule: is("refund"), from: 4, to: 3 }]);
  const removed = removeStage(draftOf(spring), 3);
  assert.deepEqual(definitionOf(removed).exclusions, [{ rule: is("refund"), from: 3 }]);
});

test("stages move, come and go within the limits", () => {
  const draft = draftOf(spring);
  assert.equal(moveStage(draft, 0, -1), draft);
  assert.equal(moveStage(draft, 3, 4), draft);
  assert.equal(moveStage(draft, 2, 2), draft);
  assert.deepEqual(
    moveStage(draft, 3, 0).stages.map((stage) => stage.name),
    ["Sale", "Trace", "Response", "Engagement"],
  );
  const longer = addStage(draft, 0, NEW);
  assert.deepEqual(
    longer.stages.map((stage) => stage.name),
    ["Trace", "New", "Response", "Engagement", "Sale"],
  );
  assert.equal(new Set(longer.stages.map((stage) => stage.id)).size, 5);
  let full = draft;
  for (let i = 0; i < 30; i++) full = addStage(full, 0, NEW);
  assert.equal(full.stages.length, STAGES_MAX);
  let short: Draft = draft;
  for (let i = 0; i < 5; i++) short = removeStage(short, 0);
  assert.equal(short.stages.length, 2);
});

test("required: the preset decides until a stage says otherwise, and again when it agrees", () => {
  const draft = draftOf({ ...spring, preset: "closed" });
  assert.deepEqual([0, 1, 2, 3].map((index) => isRequired(draft, index)), [true, false, true, false]);
  const off = toggleRequired(draft, 0);
  assert.equal(off.stages[0]?.required, false);
  assert.equal(toggleRequired(off, 0).stages[0]?.required, null);
  assert.equal(toggleRequired(draft, 2).stages[2]?.required, null);
  assert.equal("required" in (definitionOf(toggleRequired(draft, 2)).stages[2] ?? {}), false);
});

test("a funnel is complete when every condition has its values", () => {
  const draft = draftOf(spring);
  assert.equal(isComplete(draft), true);
  assert.equal(isComplete(addStage(draft, 0, NEW)), false);
  assert.equal(isComplete(addExclusion(draft)), false);
  const rule = draft.stages[1]!.rule;
  assert.equal(isComplete(changeStage(draft, draft.stages[1]!.id, { rule: addCondition(rule) })), false);
});

test("numbers go out as numbers; what is none goes out as typed, for the server to name", () => {
  const draft = draftOf({
    ...spring,
    stages: [
      { name: "a", rule: { attribute: "value", op: "ge", values: ["12.5"] } },
      { name: "b", rule: { attribute: "value", op: "ge", values: ["twelve"] } },
    ],
  });
  const values = definitionOf(draft).stages.map((stage) => "values" in stage.rule && stage.rule.values);
  assert.deepEqual(values, [[12.5], ["twelve"]]);
});

test("the server's field of a condition", () => {
  const draft = draftOf(spring);
  assert.equal(conditionField("stages[1].rule", draft.stages[1]!.rule, 0), "stages[1].rule");
  assert.equal(conditionField("stages[2].rule", draft.stages[2]!.rule, 1), "stages[2].rule.any[1]");
});

test("an exclusion's stages are kept as numbers", () => {
  const draft = addExclusion(draftOf({ ...spring, exclusions: [] }));
  const id = draft.exclusions[0]!.id;
  const changed = changeExclusion(draft, id, { from: draft.stages[1]!.id });
  assert.equal(definitionOf(changed).exclusions?.[0]?.from, 2);
  assert.equal("to" in (definitionOf(changed).exclusions?.[0] ?? {}), false);
});

test("operators and values fit the attribute", () => {
  assert.equal(typeOf("value", []), "number");
  assert.equal(typeOf("bot", []), "flag");
  assert.equal(typeOf("path", []), "text");
  assert.ok(!operatorsFor("value", "number").includes("is"));
  assert.ok(operatorsFor("properties.size", "text").includes("between"));
  assert.deepEqual(operatorsFor("bot", "flag"), ["is"]);
  assert.deepEqual(fitValues("set", ["a"]), []);
  assert.deepEqual(fitValues("between", ["1", "x"]), ["1", ""]);
  assert.deepEqual(fitValues("is", ["a", ""]), ["a"]);
});

test("JSON from a person: what is wrong is named", () => {
  assert.deepEqual(parseFunnel(JSON.stringify(spring)), spring);
  const rows: [string, RegExp][] = [
    ["{", /line 1: the text ends too early/],
    ["[]", /object/],
    ["{}", /stages/],
    ['{"stages":[],"colour":1}', /colour/],
    ['{"stages":[{"name":1,"rule":{}}]}', /stages\[0\]\.name/],
    ['{"stages":[{"name":"a","rule":{"all":[{"not":{"op":"is"}}]}}]}', /stages\[0\]\.rule\.all\[0\]\.not\.attribute/],
    ['{"stages":[{"name":"a","kind":"odd","rule":{"attribute":"event","op":"is"}}]}', /stages\[0\]\.kind/],
    ['{"stages":[],"preset":"loose"}', /preset/],
    ['{"stages":[],"exclusions":[{"rule":{"attribute":"event","op":"set"},"from":1.5}]}', /exclusions\[0\]\.from/],
    [`{"stages":[{"name":"a","rule":${'{"not":'.repeat(40)}{}${"}".repeat(40)}}]}`, /deep/],
  ];
  for (const [json, expected] of rows) assert.throws(() => parseFunnel(json), expected, json);
});

test("templates take the event names that the site sent", () => {
  for (const template of TEMPLATES) {
    const definition = fromTemplate(template, "x", []);
    assert.equal(definition.stages.length, template.stages.length);
    assert.ok(definition.stages.every((stage) => stage.name !== ""));
  }
  const shop = TEMPLATES.find((template) => template.id === "shop")!;
  const rules = fromTemplate(shop, "Shop", ["page_viewed", "checkout_completed", "purchase"]).stages.map(
    (stage) => "values" in stage.rule && stage.rule.values,
  );
  assert.deepEqual(rules, [["page_viewed"], ["add_to_cart"], ["checkout"], ["purchase", "checkout_completed"]]);
  assert.equal(freeName("Shop", ["Shop", "Shop 2"]), "Shop 3");
});

test("rules in words", () => {
  assert.equal(ruleWords(is("a", "b")), "event is “a” or “b”");
  assert.equal(
    ruleWords({ any: [is("a"), { all: [is("b"), { attribute: "value", op: "between", values: [1, 2] }] }] }),
    "event is “a” or (event is “b” and value is between 1 and 2)",
  );
  assert.equal(ruleWords({ not: { attribute: "properties.size", op: "set" } }), "not (size is given)");
});
