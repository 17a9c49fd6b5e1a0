/* Filters as chips: one attribute each, with its values and its place. Pure.
 *
 * In the address a filter is one parameter a value, `is.campaign=spring`, and says its place where
 * that is not the usual one: `is.product@last=teapot`, `not_set.keyword=`. What an address cannot
 * say twice is one filter: two chips of the same attribute, comparison and place join their values.
 */
import type { At, Attribute, Condition, Filter } from "../api-types";
import { isNumberOp, OPERATORS } from "../editor/operators";

/* A number narrows that stage's rule; "visit:3" chooses by the counted path's visit of stage 3. */
export type FilterPlace = "entry" | "first" | "last" | "any" | "none" | "every" | `visit:${number}` | number;

export interface ChosenFilter {
  attribute: string;
  op: string;
  values: string[];
  /* null: where the server looks for such an attribute anyway */
  at: FilterPlace | null;
}

const PLACES = ["entry", "first", "last", "any", "none", "every"] as const;
/* rules on these are asked of the entry where no place is given; others of any event */
const OF_ENTRY = new Set([
  ...["continent", "country", "region", "city", "device", "browser", "os", "language", "bot"],
  ...["channel", "source", "medium", "campaign", "content", "keyword", "referrer", "landing"],
]);

export function usualPlace(attribute: string): "entry" | "any" {
  return OF_ENTRY.has(attribute) ? "entry" : "any";
}

export function visitOf(stage: number): `visit:${number}` {
  return `visit:${stage}`;
}

/* Of rows, which may be at a stage's visit: the place at which a filter leaves one of them. */
export function placeOfRow(at: At | "any" | undefined): FilterPlace {
  return typeof at === "number" ? visitOf(at) : (at ?? "entry");
}

export function isVisit(at: FilterPlace | null): at is `visit:${number}` {
  return typeof at === "string" && at.startsWith("visit:");
}

export function parsePlace(place: string): FilterPlace | null {
  const named = PLACES.find((one) => one === place);
  if (named !== undefined) return named;
  const [, visit, stage] = /^(visit:)?([1-9]\d?)$/.exec(place) ?? [];
  if (stage === undefined) return null;
  return visit === undefined ? Number(stage) : visitOf(Number(stage));
}

interface Key {
  attribute: string;
  op: string;
  at: FilterPlace | null;
}

function parseKey(name: string): Key | null {
  const dot = name.indexOf(".");
  const op = OPERATORS.find((one) => one === name.slice(0, Math.max(0, dot)));
  if (op === undefined) return null;
  const rest = name.slice(dot + 1);
  const mark = rest.lastIndexOf("@");
  const at = mark > 0 ? parsePlace(rest.slice(mark + 1)) : null;
  const attribute = at === null ? rest : rest.slice(0, mark);
  return attribute === "" ? null : { attribute, op, at };
}

/* A place that the attribute's own name could be taken for is always written out. */
function keyOf(filter: ChosenFilter): string {
  const at = filter.at ?? (filter.attribute.includes("@") ? usualPlace(filter.attribute) : null);
  return `${filter.op}.${filter.attribute}${at === null ? "" : `@${at}`}`;
}

export function isFilterKey(name: string): boolean {
  return parseKey(name) !== null;
}

export function parseFilters(params: URLSearchParams): ChosenFilter[] {
  const found = new Map<string, ChosenFilter>();
  for (const [name, value] of params) {
    const key = parseKey(name);
    if (key === null) continue;
    const filter = found.get(name) ?? { ...key, values: [] };
    if (takesValues(key.op) && value !== "" && !filter.values.includes(value)) filter.values.push(value);
    found.set(name, filter);
  }
  return [...found.values()].filter((one) => one.values.length > 0 || !takesValues(one.op));
}

export function writeFilters(filters: ChosenFilter[], params: URLSearchParams): void {
  for (const filter of filters)
    for (const value of takesValues(filter.op) ? filter.values : [""]) params.append(keyOf(filter), value);
}

export function takesValues(op: string): boolean {
  return op !== "set" && op !== "not_set";
}

const POSITIVE: Record<string, string> = {
  is_not: "is",
  not_contains: "contains",
  not_set: "set",
  ne: "eq",
};

/* As the server takes it: numbers as numbers. "Is not" about what somebody did means that no event
 * of the visitor is so, not that some event is otherwise. */
export function filterOf(chosen: ChosenFilter): Filter {
  const positive = chosen.at === null && usualPlace(chosen.attribute) === "any" ? POSITIVE[chosen.op] : undefined;
  const rule: Condition = { attribute: chosen.attribute, op: positive ?? chosen.op };
  if (takesValues(chosen.op))
    rule.values = chosen.values.map((value) =>
      isNumberOp(chosen.op) && value.trim() !== "" && Number.isFinite(Number(value)) ? Number(value) : value,
    );
  const at = positive === undefined ? chosen.at : "none";
  return at === null ? { rule } : { rule, at };
}

function isSame(a: ChosenFilter, b: ChosenFilter): boolean {
  return keyOf(a) === keyOf(b);
}

/* Puts a filter in the place of `old`, else of the one like it, else at the end; without values it
 * is taken out. */
export function withFilter(filters: ChosenFilter[], filter: ChosenFilter, old = filter): ChosenFilter[] {
  const isEmpty = takesValues(filter.op) && filter.values.length === 0;
  const index = filters.findIndex((one) => isSame(one, old));
  const others = filters.filter((one) => !isSame(one, filter) && !isSame(one, old));
  if (isEmpty) return others;
  if (index >= 0) others.splice(index, 0, filter);
  else others.push(filter);
  return others;
}

export function withoutFilter(filters: ChosenFilter[], filter: ChosenFilter): ChosenFilter[] {
  return filters.filter((one) => !isSame(one, filter));
}

/* The one filter that a click on a value of an attribute makes: null is "not given". Other filters
 * of the attribute at that place go. */
export function pickValue(
  filters: ChosenFilter[],
  attribute: string,
  value: string | null,
  at: FilterPlace | null = null,
): ChosenFilter[] {
  const place = at === usualPlace(attribute) ? null : at;
  const filter: ChosenFilter =
    value === null
      ? { attribute, op: "not_set", values: [], at: place }
      : { attribute, op: "is", values: [value], at: place };
  return [...filters.filter((one) => one.attribute !== attribute || one.at !== place), filter];
}

/* Attributes that somebody looks for most, then by how many events have them. */
export function byUse(attributes: Attribute[]): Attribute[] {
  return attributes.filter((one) => one.seen > 0).sort((a, b) => b.seen - a.seen);
}
