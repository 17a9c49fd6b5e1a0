/* Which comparisons fit which attribute (docs/funnel.md, section 4). */
import type { Attribute, AttributeType } from "../api-types";

const TEXT_OPS = [
  "is",
  "is_not",
  "contains",
  "not_contains",
  "starts_with",
  "ends_with",
  "glob",
  "regex",
  "set",
  "not_set",
];
const NUMBER_OPS = ["eq", "ne", "lt", "le", "gt", "ge", "between", "set", "not_set"];
export const OPERATORS = [...new Set([...TEXT_OPS, ...NUMBER_OPS])];
const NUMBERS = ["value", "quantity", "engaged_ms", "scroll_pct", "load_ms"];
const FLAGS = ["bot", "entrance"];

export function isNumberOp(op: string): boolean {
  return ["eq", "ne", "lt", "le", "gt", "ge", "between"].includes(op);
}

/* The attribute's type as the server says it; by name for one that the site never sent. */
export function typeOf(name: string, known: Attribute[]): AttributeType {
  const attribute = known.find((candidate) => candidate.name === name);
  if (attribute !== undefined) return attribute.type;
  if (NUMBERS.includes(name)) return "number";
  return FLAGS.includes(name) ? "flag" : "text";
}

/* A property takes both kinds: its numbers may have come as texts. */
export function operatorsFor(name: string, type: AttributeType): string[] {
  if (name.startsWith("properties."))
    return [...TEXT_OPS, ...NUMBER_OPS.filter((op) => !TEXT_OPS.includes(op))];
  if (type === "number") return NUMBER_OPS;
  return type === "flag" ? ["is"] : TEXT_OPS;
}

/* How many values a comparison takes: none, one, two, or any number from one. */
export function valueCount(op: string): 0 | 1 | 2 | "many" {
  if (op === "set" || op === "not_set") return 0;
  if (op === "between") return 2;
  return isNumberOp(op) ? 1 : "many";
}

/* The values that make sense under another comparison. */
export function fitValues(op: string, values: string[]): string[] {
  const count = valueCount(op);
  if (count === "many") return values.filter((value) => value !== "");
  const fitting = isNumberOp(op)
    ? values.filter((value) => value !== "" && Number.isFinite(Number(value)))
    : values;
  return Array.from({ length: count }, (_, index) => fitting[index] ?? "");
}
