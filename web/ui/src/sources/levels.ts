/* Which rows the table of sources and content has, and where a click on one leads. Pure. */
import type { At } from "../api-types";
import { withFilter, type ChosenFilter } from "../ask/filter";

export type By = "channel" | "source" | "campaign" | "keyword" | "landing" | "exit" | "path" | "page_group";

export interface Level {
  by: By;
  attribute: string;
  /* of the counted path; null: a count of events, in which a visitor may be in several rows */
  at: At | null;
  /* where a click on a row leads, null: stays */
  next: By | null;
}

const CHANNELS: Level = { by: "channel", attribute: "channel", at: "entry", next: "source" };

export const DRIVERS: Level[] = [
  CHANNELS,
  { by: "source", attribute: "source", at: "entry", next: "campaign" },
  { by: "campaign", attribute: "campaign", at: "entry", next: "keyword" },
  { by: "keyword", attribute: "keyword", at: "entry", next: null },
];

export const CONTENT: Level[] = [
  { by: "landing", attribute: "landing", at: "entry", next: null },
  { by: "exit", attribute: "path", at: "last", next: null },
  { by: "page_group", attribute: "page_group", at: null, next: "path" },
  { by: "path", attribute: "path", at: null, next: null },
];

export function levelOf(query: string): Level {
  const asked = new URLSearchParams(query).get("by");
  return [...DRIVERS, ...CONTENT].find((level) => level.by === asked) ?? CHANNELS;
}

/* The filter that a row stands for; null: the attribute is not there. */
export function filterOfRow(level: Level, value: string | null): ChosenFilter {
  const at = level.at === "last" ? "last" : null;
  if (value === null) return { attribute: level.attribute, op: "not_set", values: [], at };
  return { attribute: level.attribute, op: "is", values: [value], at };
}

/* The row's filter in place of any other of its attribute. */
export function deeper(filters: ChosenFilter[], level: Level, value: string | null): ChosenFilter[] {
  const others = filters.filter((filter) => filter.attribute !== level.attribute);
  return withFilter(others, filterOfRow(level, value));
}
