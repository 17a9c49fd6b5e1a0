/* What every screen asks alike: which days, beside which others, which visitors. The address holds
 * all of it, and links from screen to screen carry it along. Pure. */
import type { Compare, Filter, Site } from "../api-types";
import { isFilterKey, filterOf, parseFilters, writeFilters, type ChosenFilter } from "./filter";
import {
  addDays,
  boundsOf,
  dayIn,
  isBackwards,
  isDay,
  parseRange,
  writeRange,
  yearBefore,
  type Range,
} from "./range";

export type Comparison =
  | { kind: "none" }
  | { kind: "previous" }
  | { kind: "year" }
  | { kind: "dates"; from: string; until: string };

export interface Question {
  range: Range;
  compare: Comparison;
  filters: ChosenFilter[];
  bots: Bots;
}

/* What a question says to the server; `compare` is left out where nothing is compared. */
export interface Asked {
  from: string | null;
  to: string | null;
  bots: Bots;
  filters?: Filter[];
  compare?: Compare;
}

export type Bots = "exclude" | "include" | "only";

const BOTS: Bots[] = ["exclude", "include", "only"];
const OWN_KEYS = new Set(["range", "from", "until", "compare", "bots"]);
const USUAL_DAYS = 30;

function parseComparison(params: URLSearchParams): Comparison | null {
  const given = params.get("compare");
  if (given === "none" || given === "previous" || given === "year") return { kind: given };
  const [from, until] = (given ?? "").split("..");
  if (from === undefined || until === undefined || !isDay(from) || !isDay(until)) return null;
  return isBackwards(from, until) ? null : { kind: "dates", from, until };
}

/* What is asked where the address says nothing: the last 30 days beside the 30 before; everything
 * where the site has had no event in them. */
export function usualQuestion(site: Site, now: number): Question {
  const today = dayIn(site.timezone, now);
  const last = site.last_event === null ? null : dayIn(site.timezone, Date.parse(site.last_event));
  const isRecent = last === null || last > addDays(today, -USUAL_DAYS);
  return {
    range: isRecent ? { kind: "days", days: USUAL_DAYS } : { kind: "all" },
    compare: { kind: "previous" },
    filters: [],
    bots: "exclude",
  };
}

export function parseQuestion(query: string, usual: Question): Question {
  const params = new URLSearchParams(query);
  return {
    range: parseRange(params) ?? usual.range,
    compare: parseComparison(params) ?? usual.compare,
    filters: parseFilters(params),
    bots: BOTS.find((one) => one === params.get("bots")) ?? usual.bots,
  };
}

/* Adds to `params` what parseQuestion needs to read the same question back. */
export function writeQuestion(question: Question, usual: Question, params: URLSearchParams): void {
  if (JSON.stringify(question.range) !== JSON.stringify(usual.range)) writeRange(question.range, params);
  const { compare } = question;
  if (JSON.stringify(compare) !== JSON.stringify(usual.compare))
    params.set("compare", compare.kind === "dates" ? `${compare.from}..${compare.until}` : compare.kind);
  if (question.bots !== usual.bots) params.set("bots", question.bots);
  writeFilters(question.filters, params);
}

export function isQuestionKey(name: string): boolean {
  return OWN_KEYS.has(name) || isFilterKey(name);
}

/* The part of an address's query that the next screen asks too: "" or "?...". */
export function sharedQuery(query: string): string {
  const shared = [...new URLSearchParams(query)].filter(([name]) => isQuestionKey(name));
  return queryText(new URLSearchParams(shared));
}

/* What a screen's own parameters and a question make of an address's query: "" or "?...". */
export function queryWith(own: Record<string, string | null>, question: Question, usual: Question): string {
  const params = new URLSearchParams();
  writeQuestion(question, usual, params);
  for (const [name, value] of Object.entries(own)) if (value !== null && value !== "") params.append(name, value);
  return queryText(params);
}

/* As a browser takes it, but with the signs left that are harmless and easier to read. */
export function queryText(params: URLSearchParams): string {
  const query = params.toString().replaceAll("%40", "@").replaceAll("%2F", "/").replaceAll("%3A", ":").replaceAll("%2C", ",");
  return query === "" ? "" : `?${query}`;
}

/* A range with an open end has no other one beside it. */
export function comparedWith(question: Question, today: string): Compare | null {
  const { from, to } = boundsOf(question.range, today);
  const { compare } = question;
  if (compare.kind === "none" || from === null || to === null) return null;
  if (compare.kind === "previous") return "previous";
  if (compare.kind === "year") return { from: yearBefore(from), to: yearBefore(to) };
  return { from: compare.from, to: addDays(compare.until, 1) };
}

export function askedOf(question: Question, today: string): Asked {
  const asked: Asked = { ...boundsOf(question.range, today), bots: question.bots };
  const compare = comparedWith(question, today);
  if (question.filters.length > 0) asked.filters = question.filters.map(filterOf);
  if (compare !== null) asked.compare = compare;
  return asked;
}

/* The most rows that a breakdown may have; those beyond are together in one that says so. */
export const ROWS_MAX = 1000;
