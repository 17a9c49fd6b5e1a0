/* A funnel's JSON from a person: checked here only as far as the form needs it; the server checks
 * the rest and names the field. Unknown keys are refused, never dropped. */
import type { FunnelDefinition, Rule } from "../api-types";

const FUNNEL_KEYS = ["name", "preset", "window", "count", "stages", "exclusions"];
const STAGE_KEYS = ["name", "kind", "required", "rule"];
const EXCLUSION_KEYS = ["rule", "from", "to"];
const CONDITION_KEYS = ["attribute", "op", "values", "ignore_case"];
const PRESETS = ["open", "closed", "sequential"];
const KINDS = ["trace", "response", "engagement", "sale", "custom"];
const RULE_DEPTH_MAX = 32;

type Fields = Record<string, unknown>;

function fail(field: string, message: string): never {
  throw new Error(field === "" ? message : `${field}: ${message}`);
}

function fields(value: unknown, at: string, keys: string[]): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    fail(at, "an object is needed here");
  const object = value as Fields;
  for (const key of Object.keys(object))
    if (!keys.includes(key)) fail(at, `unknown key "${key}"`);
  return object;
}

function list(value: unknown, at: string): unknown[] {
  if (!Array.isArray(value)) fail(at, "a list is needed here");
  return value as unknown[];
}

function word(value: unknown, at: string, allowed: string[] | null): void {
  if (typeof value !== "string") fail(at, "a text is needed here");
  if (allowed !== null && !allowed.includes(value)) fail(at, `one of ${allowed.join(", ")}`);
}

function stageNumber(value: unknown, at: string): void {
  if (!Number.isInteger(value)) fail(at, "a stage's number is needed here");
}

function checkRule(value: unknown, at: string, depth: number): void {
  if (depth > RULE_DEPTH_MAX) fail(at, "nested too deeply");
  if (typeof value === "object" && value !== null) {
    if ("all" in value || "any" in value) {
      const key = "all" in value ? "all" : "any";
      const members = list(fields(value, at, [key])[key], `${at}.${key}`);
      members.forEach((member, i) => checkRule(member, `${at}.${key}[${i}]`, depth + 1));
      return;
    }
    if ("not" in value) {
      checkRule(fields(value, at, ["not"])["not"], `${at}.not`, depth + 1);
      return;
    }
  }
  const condition = fields(value, at, CONDITION_KEYS);
  word(condition["attribute"], `${at}.attribute`, null);
  word(condition["op"], `${at}.op`, null);
  if ("values" in condition)
    list(condition["values"], `${at}.values`).forEach((one, i) => {
      if (typeof one !== "string" && typeof one !== "number")
        fail(`${at}.values[${i}]`, "a text or a number is needed here");
    });
  if ("ignore_case" in condition && typeof condition["ignore_case"] !== "boolean")
    fail(`${at}.ignore_case`, "true or false");
}

/* Throws an Error whose message names the field. */
export function checkRuleShape(value: unknown, at: string): asserts value is Rule {
  checkRule(value, at, 0);
}

export function parseFunnel(json: string): FunnelDefinition {
  const funnel = fields(JSON.parse(json), "", FUNNEL_KEYS);
  if ("name" in funnel) word(funnel["name"], "name", null);
  else funnel["name"] = "";
  if ("preset" in funnel) word(funnel["preset"], "preset", PRESETS);
  if ("window" in funnel) word(funnel["window"], "window", null);
  if ("count" in funnel) word(funnel["count"], "count", ["visitors", "sessions"]);
  list(funnel["stages"], "stages").forEach((value, i) => {
    const at = `stages[${i}]`;
    const stage = fields(value, at, STAGE_KEYS);
    word(stage["name"], `${at}.name`, null);
    if ("kind" in stage) word(stage["kind"], `${at}.kind`, KINDS);
    if ("required" in stage && typeof stage["required"] !== "boolean")
      fail(`${at}.required`, "true or false");
    checkRule(stage["rule"], `${at}.rule`, 0);
  });
  list(funnel["exclusions"] ?? [], "exclusions").forEach((value, i) => {
    const at = `exclusions[${i}]`;
    const exclusion = fields(value, at, EXCLUSION_KEYS);
    checkRule(exclusion["rule"], `${at}.rule`, 0);
    for (const key of ["from", "to"]) if (key in exclusion) stageNumber(exclusion[key], `${at}.${key}`);
  });
  return funnel as unknown as FunnelDefinition;
}
