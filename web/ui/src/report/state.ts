/* What a report's address says besides its question (ask/question.ts), and what is asked of the
 * server for both. Pure. */
import type { At, Breakdown, Figure, FunnelDefinition, Preset, ReportRequest } from "../api-types";
import { askedOf, queryText, writeQuestion, type Question } from "../ask/question";

export const TABS = ["stages", "breakdown", "trend", "time", "moves", "visitors"] as const;
export type Tab = (typeof TABS)[number];
export type TrendStep = "day" | "week" | "month";

/* A figure whose visitors are listed. */
export interface Opened {
  figure: Figure;
  stage: number | null;
}

export interface ReportState {
  /* null: as the funnel itself says */
  preset: Preset | null;
  /* the stage from which the drawing begins */
  first: number;
  tab: Tab;
  /* one or two attributes; none: the tab of rows asks for one */
  by: Breakdown[];
  rows: number;
  /* null: as fits the range */
  step: TrendStep | null;
  opened: Opened;
  /* whose time is shown: from one stage (0: their first) to a later one (0: the last) */
  span: { from: number; to: number };
  /* the bar of that whose visitors are listed, counted from 1; 0: none */
  bar: number;
}

export const ROWS = [20, 100, 1000] as const;
const PRESETS: Preset[] = ["open", "closed", "sequential"];
const STEPS: TrendStep[] = ["day", "week", "month"];
const BREAKDOWNS_MAX = 2;
const BINS_MAX = 100;

export const FIGURES_OF_REPORT: Figure[] = ["entered", "converted", "began_before", "after_range"];
export const FIGURES_OF_STAGE: Figure[] = [
  "throughput",
  "reached",
  "skipped",
  "entries",
  "onward",
  "exits",
  "dropoff",
  "lost",
  "open",
  "converted",
  "seen",
];

/* "product", "product@3", "value@last:10,50" */
export function parseBreakdown(source: string): Breakdown | null {
  const [, attribute = "", place, bins] = /^(.+?)(?:@(entry|first|last|[1-9]\d?))?(?::([-\d.,]+))?$/.exec(source) ?? [];
  if (attribute === "") return null;
  const breakdown: Breakdown = { attribute };
  if (place !== undefined) breakdown.at = /^\d/.test(place) ? Number(place) : (place as At);
  const numbers = (bins ?? "").split(",").filter((bin) => bin !== "" && Number.isFinite(Number(bin)));
  if (numbers.length > 0 && numbers.length <= BINS_MAX) breakdown.bins = numbers.map(Number);
  return breakdown;
}

export function breakdownText({ attribute, at, bins }: Breakdown): string {
  const place = at === undefined || at === "entry" ? "" : `@${at}`;
  return `${attribute}${place}${bins === undefined || bins.length === 0 ? "" : `:${bins.join(",")}`}`;
}

function parseOpened(params: URLSearchParams): Opened {
  const stage = Number(params.get("stage") ?? "0");
  const isOfStage = Number.isInteger(stage) && stage >= 1;
  const known = isOfStage ? FIGURES_OF_STAGE : FIGURES_OF_REPORT;
  const figure = known.find((one) => one === params.get("figure"));
  if (figure === undefined) return { figure: "entered", stage: null };
  return { figure, stage: isOfStage ? stage : null };
}

function parseNumber(params: URLSearchParams, name: string, least: number): number {
  const number = Number(params.get(name) ?? String(least));
  return Number.isInteger(number) && number >= least && number <= 1000 ? number : least;
}

export function parseState(query: string): ReportState {
  const params = new URLSearchParams(query);
  const rows = Number(params.get("rows"));
  const by = params.getAll("by").map(parseBreakdown);
  return {
    preset: PRESETS.find((name) => name === params.get("preset")) ?? null,
    first: parseNumber(params, "first", 1),
    tab: TABS.find((tab) => tab === params.get("tab")) ?? "stages",
    by: by.filter((one) => one !== null).slice(0, BREAKDOWNS_MAX),
    rows: ROWS.find((count) => count === rows) ?? ROWS[0],
    step: STEPS.find((step) => step === params.get("step")) ?? null,
    opened: parseOpened(params),
    span: { from: parseNumber(params, "since", 0), to: parseNumber(params, "upto", 0) },
    bar: parseNumber(params, "bar", 0),
  };
}

/* The shortest query that parseState and parseQuestion read back to the same: "" for the report as
 * it is. */
export function queryOf(state: ReportState, question: Question, usual: Question): string {
  const params = new URLSearchParams();
  writeQuestion(question, usual, params);
  if (state.preset !== null) params.set("preset", state.preset);
  if (state.first > 1) params.set("first", String(state.first));
  if (state.tab !== "stages") params.set("tab", state.tab);
  for (const one of state.by) params.append("by", breakdownText(one));
  if (state.rows !== ROWS[0]) params.set("rows", String(state.rows));
  if (state.step !== null) params.set("step", state.step);
  if (state.opened.figure !== "entered" || state.opened.stage !== null) {
    params.set("figure", state.opened.figure);
    if (state.opened.stage !== null) params.set("stage", String(state.opened.stage));
  }
  if (state.span.from > 0) params.set("since", String(state.span.from));
  if (state.span.to > 0) params.set("upto", String(state.span.to));
  if (state.bar > 0) params.set("bar", String(state.bar));
  return queryText(params);
}

/* The report itself; what a tab shows besides it is asked for apart, so that neither waits. */
export function requestOf(
  definition: FunnelDefinition,
  state: ReportState,
  question: Question,
  today: string,
): ReportRequest {
  const funnel = state.preset === null ? definition : { ...definition, preset: state.preset };
  return { funnel, ...askedOf(question, today) };
}

/* For lists: the same people, without the range that the report is compared with. */
export function listRequestOf(
  definition: FunnelDefinition,
  state: ReportState,
  question: Question,
  today: string,
): ReportRequest {
  return requestOf(definition, state, { ...question, compare: { kind: "none" } }, today);
}
