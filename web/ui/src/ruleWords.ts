/* A rule as a person would say it. */
import type { Condition, Rule } from "./api-types";
import { text } from "./text";

export function attributeName(attribute: string): string {
  if (attribute.startsWith("properties.")) return attribute.slice("properties.".length);
  return text.rule.attributes[attribute] ?? attribute;
}

export function operatorName(op: string): string {
  return text.rule.operators[op] ?? op;
}

function conditionWords(condition: Condition): string {
  const name = attributeName(condition.attribute);
  const op = operatorName(condition.op);
  const values = (condition.values ?? []).map((value) =>
    typeof value === "string" ? `“${value}”` : String(value),
  );
  if (values.length === 0) return `${name} ${op}`;
  const joint = condition.op === "between" ? text.rule.between : text.rule.or;
  return `${name} ${op} ${values.join(joint)}`;
}

/* Brackets only where a list of another kind stands inside. */
export function ruleWords(rule: Rule, isInside = false): string {
  if ("all" in rule || "any" in rule) {
    const members = "all" in rule ? rule.all : rule.any;
    const joint = "all" in rule ? text.rule.and : text.rule.or;
    const words = members.map((member) => ruleWords(member, members.length > 1)).join(joint);
    return isInside && members.length > 1 ? `(${words})` : words;
  }
  if ("not" in rule) return text.rule.not(ruleWords(rule.not));
  return conditionWords(rule);
}
