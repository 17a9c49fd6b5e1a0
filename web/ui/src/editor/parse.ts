/* A funnel's JSON from a person: checked here only as far as the form needs it; the server checks
 * the rest and names the field. Unknown keys are refused, never dropped. */
import type { FunnelDefinition } from "../api-types";
import { words } from "../words/editor";
import { JsonError, lineAt, placeOf, placesOf } from "./json";

const FUNNEL_KEYS = ["name", "preset", "window", "count", "stages", "exclusions"];
const STAGE_KEYS = ["name", "kind", "required", "rule"];
const EXCLUSION_KEYS = ["rule", "from", "to"];
const CONDITION_KEYS = ["attribute", "op", "values", "ignore_case"];
const PRESETS = ["open", "closed", "sequential"];
const KINDS = ["trace", "response", "engagement", "sale", "custom"];
const RULE_DEPTH_MAX = 32;

type Fields = Record<string, unknown>;

class FieldError extends Error {
  readonly field: string;
  constructor(field: string, message: string) {
    super(field === "" ? message : `${field}: ${message}`);
    this.field = field;
  }
}

/* What is wrong with a funnel's JSON, and where it stands in it. */
export class FunnelError extends Error {
  readonly field: string;
  /* the character that it begins with */
  readonly at: number;
  constructor(source: string, field: string, at: number, message: string) {
    super(words.jsonAt(lineAt(source, at), field, message));
    this.field = field;
    this.at = at;
  }
}

const wrong = () => words.jsonWrong;
const join = (at: string, key: string) => (at === "" ? key : `${at}.${key}`);

function fail(field: string, message: string): never {
  throw new FieldError(field, message);
}

function fields(value: unknown, at: string, keys: string[]): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) fail(at, wrong().object);
  const object = value as Fields;
  for (const key of Object.keys(object)) if (!keys.includes(key)) fail(join(at, key), wrong().unknownKey(key));
  return object;
}

function list(value: unknown, at: string): unknown[] {
  if (!Array.isArray(value)) fail(at, wrong().list);
  return value as unknown[];
}

function word(value: unknown, at: string, allowed: string[] | null): void {
  if (typeof value !== "string") fail(at, wrong().text);
  if (allowed !== null && !allowed.includes(value)) fail(at, wrong().oneOf(allowed.join(", ")));
}

function stageNumber(value: unknown, at: string): void {
  if (!Number.isInteger(value)) fail(at, wrong().stageNumber);
}

function checkRule(value: unknown, at: string, depth: number): void {
  if (depth > RULE_DEPTH_MAX) fail(at, wrong().deep);
  if (typeof value === "object" && value !== null) {
    if ("all" in value || "any" in value) {
      const key = "all" in value ? "all" : "any";
      const members = list(fields(value, at, [key])[key], join(at, key));
      members.forEach((member, i) => checkRule(member, `${join(at, key)}[${i}]`, depth + 1));
      return;
    }
    if ("not" in value) {
      checkRule(fields(value, at, ["not"])["not"], join(at, "not"), depth + 1);
      return;
    }
  }
  const condition = fields(value, at, CONDITION_KEYS);
  word(condition["attribute"], join(at, "attribute"), null);
  word(condition["op"], join(at, "op"), null);
  if ("values" in condition)
    list(condition["values"], join(at, "values")).forEach((one, i) => {
      if (typeof one !== "string" && typeof one !== "number")
        fail(`${join(at, "values")}[${i}]`, wrong().textOrNumber);
    });
  if ("ignore_case" in condition && typeof condition["ignore_case"] !== "boolean")
    fail(join(at, "ignore_case"), wrong().flag);
}

function checkFunnel(value: unknown): FunnelDefinition {
  const funnel = fields(value, "", FUNNEL_KEYS);
  if ("name" in funnel) word(funnel["name"], "name", null);
  else funnel["name"] = "";
  if ("preset" in funnel) word(funnel["preset"], "preset", PRESETS);
  if ("window" in funnel) word(funnel["window"], "window", null);
  if ("count" in funnel) word(funnel["count"], "count", ["visitors", "sessions"]);
  list(funnel["stages"], "stages").forEach((one, i) => {
    const at = `stages[${i}]`;
    const stage = fields(one, at, STAGE_KEYS);
    word(stage["name"], `${at}.name`, null);
    if ("kind" in stage) word(stage["kind"], `${at}.kind`, KINDS);
    if ("required" in stage && typeof stage["required"] !== "boolean") fail(`${at}.required`, wrong().flag);
    checkRule(stage["rule"], `${at}.rule`, 0);
  });
  list(funnel["exclusions"] ?? [], "exclusions").forEach((one, i) => {
    const at = `exclusions[${i}]`;
    const exclusion = fields(one, at, EXCLUSION_KEYS);
    checkRule(exclusion["rule"], `${at}.rule`, 0);
    for (const key of ["from", "to"]) if (key in exclusion) stageNumber(exclusion[key], `${at}.${key}`);
  });
  return funnel as unknown as FunnelDefinition;
}

/* Throws a FunnelError, whose message names line and field. */
export function parseFunnel(json: string): FunnelDefinition {
  let places = new Map<string, number>();
  try {
    places = placesOf(json);
    return checkFunnel(JSON.parse(json));
  } catch (error) {
    if (error instanceof JsonError) throw new FunnelError(json, "", error.at, error.message);
    if (!(error instanceof FieldError)) throw error;
    const message = error.field === "" ? error.message : error.message.slice(error.field.length + 2);
    throw new FunnelError(json, error.field, placeOf(places, error.field), message);
  }
}
