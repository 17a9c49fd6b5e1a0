/* Filters as the server keeps them, as chips again. Pure. */
import type { Filter } from "../api-types";
import { filterOf, takesValues, usualPlace, type ChosenFilter } from "./filter";

const NEGATIVE: Record<string, string> = { is: "is_not", contains: "not_contains", set: "not_set", eq: "ne" };

function isOfStage({ at }: Pick<ChosenFilter, "at">): boolean {
  return typeof at === "number" || (typeof at === "string" && at.startsWith("visit:"));
}

/* What can be saved: filters at a stage are those of one funnel. */
export function savable(filters: ChosenFilter[]): ChosenFilter[] {
  return filters.filter((filter) => !isOfStage(filter));
}

/* null: no chip shows such a rule (the API takes any). */
export function chosenOf(filter: Filter): ChosenFilter | null {
  const { rule } = filter;
  const at = filter.at ?? null;
  if (!("attribute" in rule) || rule.ignore_case === true) return null;
  const values = takesValues(rule.op) ? (rule.values ?? []).map(String) : [];
  const negative = NEGATIVE[rule.op];
  /* "is not" about what somebody did is kept as "in no event" */
  if (at === "none" && negative !== undefined && usualPlace(rule.attribute) === "any")
    return { attribute: rule.attribute, op: negative, values, at: null };
  return { attribute: rule.attribute, op: rule.op, values, at };
}

/* null where one of them is no chip. */
export function chosenAll(filters: Filter[]): ChosenFilter[] | null {
  const chosen = filters.map(chosenOf);
  return chosen.some((one) => one === null) ? null : chosen.filter((one) => one !== null);
}

export function isSameFilters(a: Filter[], b: ChosenFilter[]): boolean {
  const written = (filters: Filter[]) => filters.map((one) => JSON.stringify(one)).sort().join("\n");
  return written(a) === written(b.map(filterOf));
}
