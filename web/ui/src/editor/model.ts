/* A funnel while it is being edited, and every change to it. Pure: a change answers a new draft.
 *
 * A draft differs from the definition in three ways: stages, conditions and exclusions have ids that
 * survive reordering (so that an exclusion keeps its stages, and the keyboard its place); values are
 * texts as typed; and a rule is either a list of conditions, as the form shows it, or any other rule,
 * kept as it is.
 */
import type {
  Condition,
  Exclusion,
  FunnelDefinition,
  Preset,
  Rule,
  StageDefinition,
  StageKind,
} from "../api-types";
import { isNumberOp } from "./operators";

export const STAGES_MIN = 2;
export const STAGES_MAX = 16;

export interface DraftCondition {
  id: number;
  attribute: string;
  op: string;
  values: string[];
  ignoreCase: boolean;
}

export type DraftRule =
  | { kind: "simple"; match: "all" | "any"; conditions: DraftCondition[] }
  | { kind: "nested"; rule: Rule };

export interface DraftStage {
  id: number;
  name: string;
  kind: StageKind;
  /* null: as the preset says */
  required: boolean | null;
  rule: DraftRule;
}

export interface DraftExclusion {
  id: number;
  rule: DraftRule;
  /* ids of stages; null: the first, the last */
  from: number | null;
  to: number | null;
}

export interface Draft {
  name: string;
  preset: Preset;
  window: string;
  count: "visitors" | "sessions" | null;
  stages: DraftStage[];
  exclusions: DraftExclusion[];
  nextId: number;
}

/* ---- from and to the definition ---- */

class Ids {
  next: number;
  constructor(next: number) {
    this.next = next;
  }
  take(): number {
    return this.next++;
  }
}

function isCondition(rule: Rule): rule is Condition {
  return "attribute" in rule;
}

function draftCondition(condition: Condition, ids: Ids): DraftCondition {
  return {
    id: ids.take(),
    attribute: condition.attribute,
    op: condition.op,
    values: (condition.values ?? []).map(String),
    ignoreCase: condition.ignore_case ?? false,
  };
}

export function draftRule(rule: Rule, ids: Ids): DraftRule {
  if (isCondition(rule))
    return { kind: "simple", match: "all", conditions: [draftCondition(rule, ids)] };
  const members = "all" in rule ? rule.all : "any" in rule ? rule.any : null;
  if (members === null || members.length === 0 || !members.every(isCondition))
    return { kind: "nested", rule };
  return {
    kind: "simple",
    match: "all" in rule ? "all" : "any",
    conditions: members.map((member) => draftCondition(member, ids)),
  };
}

export function draftOf(definition: FunnelDefinition): Draft {
  const ids = new Ids(1);
  const stages = definition.stages.map((stage) => ({
    id: ids.take(),
    name: stage.name,
    kind: stage.kind ?? ("custom" as const),
    required: stage.required ?? null,
    rule: draftRule(stage.rule, ids),
  }));
  const idAt = (number: number | undefined) =>
    number === undefined ? null : (stages[number - 1]?.id ?? null);
  const exclusions = (definition.exclusions ?? []).map((exclusion) => ({
    id: ids.take(),
    rule: draftRule(exclusion.rule, ids),
    from: idAt(exclusion.from),
    to: idAt(exclusion.to),
  }));
  return {
    name: definition.name,
    preset: definition.preset ?? "open",
    window: definition.window ?? "7d",
    count: definition.count ?? null,
    stages,
    exclusions,
    nextId: ids.next,
  };
}

/* A number as JSON has it, or the text itself where it is none: the server then names the field. */
function valueOf(op: string, value: string): string | number {
  const number = Number(value);
  return isNumberOp(op) && value.trim() !== "" && Number.isFinite(number) ? number : value;
}

function conditionOf(draft: DraftCondition): Condition {
  const condition: Condition = { attribute: draft.attribute, op: draft.op };
  if (draft.op !== "set" && draft.op !== "not_set")
    condition.values = draft.values.map((value) => valueOf(draft.op, value));
  if (draft.ignoreCase && !isNumberOp(draft.op)) condition.ignore_case = true;
  return condition;
}

export function ruleOf(draft: DraftRule): Rule {
  if (draft.kind === "nested") return draft.rule;
  const conditions = draft.conditions.map(conditionOf);
  const [only] = conditions;
  if (conditions.length === 1 && only !== undefined) return only;
  return draft.match === "all" ? { all: conditions } : { any: conditions };
}

/* Where the server's errors about a condition point. */
export function conditionField(rulePath: string, rule: DraftRule, index: number): string {
  if (rule.kind === "nested" || rule.conditions.length === 1) return rulePath;
  return `${rulePath}.${rule.match}[${index}]`;
}

export function definitionOf(draft: Draft): FunnelDefinition {
  const stages = draft.stages.map((stage) => {
    const definition: StageDefinition = { name: stage.name, kind: stage.kind, rule: ruleOf(stage.rule) };
    if (stage.required !== null) definition.required = stage.required;
    return definition;
  });
  const definition: FunnelDefinition = {
    name: draft.name.trim(),
    preset: draft.preset,
    window: draft.window,
    stages,
  };
  if (draft.count !== null) definition.count = draft.count;
  if (draft.exclusions.length > 0)
    definition.exclusions = draft.exclusions.map((exclusion) => exclusionOf(draft, exclusion));
  return definition;
}

function exclusionOf(draft: Draft, exclusion: DraftExclusion): Exclusion {
  const numberOf = (id: number | null) => draft.stages.findIndex((stage) => stage.id === id) + 1;
  const definition: Exclusion = { rule: ruleOf(exclusion.rule) };
  const from = numberOf(exclusion.from);
  const to = numberOf(exclusion.to);
  if (from > 0) definition.from = from;
  if (to > 0) definition.to = to;
  return definition;
}

/* ---- what the preset makes of a stage ---- */

export function presetRequires(preset: Preset, index: number): boolean {
  return preset === "sequential" || (preset === "closed" && index === 0);
}

export function isRequired(draft: Draft, index: number): boolean {
  return draft.stages[index]?.required ?? presetRequires(draft.preset, index);
}

export function isFilled(rule: DraftRule): boolean {
  return (
    rule.kind === "nested" ||
    (rule.conditions.length > 0 &&
      rule.conditions.every(
        (condition) =>
          condition.op === "set" ||
          condition.op === "not_set" ||
          (condition.values.length > 0 && condition.values.every((value) => value !== "")),
      ))
  );
}

/* Is every rule filled in, so that the server can be asked for figures? */
export function isComplete(draft: Draft): boolean {
  return (
    draft.stages.length >= STAGES_MIN &&
    draft.stages.every((stage) => isFilled(stage.rule)) &&
    draft.exclusions.every((exclusion) => isFilled(exclusion.rule))
  );
}

/* ---- changes ---- */

function emptyRule(id: number): DraftRule {
  return {
    kind: "simple",
    match: "all",
    conditions: [{ id, attribute: "event", op: "is", values: [], ignoreCase: false }],
  };
}

/* A stage of a kind, with what such a stage usually counts. */
export interface NewStage {
  name: string;
  kind: StageKind;
  rule: Rule;
}

export function addStage(draft: Draft, after: number, wanted: NewStage): Draft {
  if (draft.stages.length >= STAGES_MAX) return draft;
  const ids = new Ids(draft.nextId);
  const stage: DraftStage = {
    id: ids.take(),
    name: wanted.name,
    kind: wanted.kind,
    required: null,
    rule: draftRule(wanted.rule, ids),
  };
  const stages = [...draft.stages];
  stages.splice(after + 1, 0, stage);
  return { ...draft, stages, nextId: ids.next };
}

export function removeStage(draft: Draft, index: number): Draft {
  const removed = draft.stages[index];
  if (removed === undefined || draft.stages.length <= STAGES_MIN) return draft;
  const forget = (id: number | null) => (id === removed.id ? null : id);
  return {
    ...draft,
    stages: draft.stages.filter((stage) => stage !== removed),
    exclusions: draft.exclusions.map((exclusion) => ({
      ...exclusion,
      from: forget(exclusion.from),
      to: forget(exclusion.to),
    })),
  };
}

export function moveStage(draft: Draft, from: number, to: number): Draft {
  const stage = draft.stages[from];
  if (stage === undefined || draft.stages[to] === undefined || from === to) return draft;
  const stages = draft.stages.filter((one) => one !== stage);
  stages.splice(to, 0, stage);
  return { ...draft, stages };
}

export function changeStage(draft: Draft, id: number, change: Partial<DraftStage>): Draft {
  return {
    ...draft,
    stages: draft.stages.map((stage) => (stage.id === id ? { ...stage, ...change } : stage)),
  };
}

/* Another kind; a rule that says nothing yet becomes what such a stage usually counts, and a name
 * that nobody chose (`given`) that of the kind. */
export function changeKind(draft: Draft, id: number, wanted: NewStage, given: (name: string) => boolean): Draft {
  const stage = draft.stages.find((one) => one.id === id);
  if (stage === undefined) return draft;
  const ids = new Ids(draft.nextId);
  const change: Partial<DraftStage> = { kind: wanted.kind };
  if (!isFilled(stage.rule)) change.rule = draftRule(wanted.rule, ids);
  if (!given(stage.name)) change.name = wanted.name;
  return changeStage({ ...draft, nextId: ids.next }, id, change);
}

/* Turns the switch; where it then says what the preset says anyway, the preset decides again. */
export function toggleRequired(draft: Draft, index: number): Draft {
  const stage = draft.stages[index];
  if (stage === undefined) return draft;
  const wanted = !isRequired(draft, index);
  const required = wanted === presetRequires(draft.preset, index) ? null : wanted;
  return changeStage(draft, stage.id, { required });
}

export function addExclusion(draft: Draft): Draft {
  const exclusion = { id: draft.nextId, rule: emptyRule(draft.nextId + 1), from: null, to: null };
  return { ...draft, exclusions: [...draft.exclusions, exclusion], nextId: draft.nextId + 2 };
}

export function changeExclusion(draft: Draft, id: number, change: Partial<DraftExclusion>): Draft {
  return {
    ...draft,
    exclusions: draft.exclusions.map((one) => (one.id === id ? { ...one, ...change } : one)),
  };
}

export function removeExclusion(draft: Draft, id: number): Draft {
  return { ...draft, exclusions: draft.exclusions.filter((one) => one.id !== id) };
}

/* Conditions take their ids from themselves: rules are edited without the draft around them. */
export function addCondition(rule: DraftRule): DraftRule {
  if (rule.kind === "nested") return rule;
  const id = Math.max(0, ...rule.conditions.map((condition) => condition.id)) + 1_000_000;
  const condition = { id, attribute: "event", op: "is", values: [], ignoreCase: false };
  return { ...rule, conditions: [...rule.conditions, condition] };
}

export function changeCondition(
  rule: DraftRule,
  id: number,
  change: Partial<DraftCondition>,
): DraftRule {
  if (rule.kind === "nested") return rule;
  return {
    ...rule,
    conditions: rule.conditions.map((one) => (one.id === id ? { ...one, ...change } : one)),
  };
}

export function removeCondition(rule: DraftRule, id: number): DraftRule {
  if (rule.kind === "nested" || rule.conditions.length <= 1) return rule;
  return { ...rule, conditions: rule.conditions.filter((one) => one.id !== id) };
}

export function simpleRule(): DraftRule {
  return emptyRule(1);
}
