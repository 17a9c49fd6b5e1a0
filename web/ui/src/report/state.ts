/* What a report's address says, and what is asked of the server for it. Pure. */
import type { FunnelDefinition, Preset, ReportRequest } from "../api-types";

export type Range =
  | { kind: "all" }
  | { kind: "days"; days: number }
  /* both days belong to the range; either may be left open */
  | { kind: "dates"; from: string | null; until: string | null };

export interface ReportState {
  /* null: as the funnel itself says */
  preset: Preset | null;
  range: Range;
  /* the stage from which the drawing begins */
  first: number;
}

export const LAST_DAYS = [7, 30, 90] as const;
const PRESETS: Preset[] = ["open", "closed", "sequential"];
const DAY_MS = 86_400_000;

function isDay(value: string | null): value is string {
  return value !== null && /^\d{4}-\d{2}-\d{2}$/.test(value) && !Number.isNaN(Date.parse(value));
}

export function parseState(query: string): ReportState {
  const params = new URLSearchParams(query);
  const preset = PRESETS.find((name) => name === params.get("preset")) ?? null;
  const first = Number(params.get("first") ?? "1");
  const last = LAST_DAYS.find((days) => `${days}d` === params.get("range"));
  const from = params.get("from");
  const until = params.get("until");
  let range: Range = { kind: "all" };
  if (last !== undefined) range = { kind: "days", days: last };
  else if (isDay(from) || isDay(until))
    range = {
      kind: "dates",
      from: isDay(from) ? from : null,
      until: isDay(until) ? until : null,
    };
  return { preset, range, first: Number.isInteger(first) && first >= 1 ? first : 1 };
}

/* The shortest query that parseState reads back to the same state: "" for the report as it is. */
export function queryOf(state: ReportState): string {
  const params = new URLSearchParams();
  if (state.preset !== null) params.set("preset", state.preset);
  if (state.range.kind === "days") params.set("range", `${state.range.days}d`);
  if (state.range.kind === "dates") {
    if (state.range.from !== null) params.set("from", state.range.from);
    if (state.range.until !== null) params.set("until", state.range.until);
  }
  if (state.first > 1) params.set("first", String(state.first));
  const query = params.toString();
  return query === "" ? "" : `?${query}`;
}

export function addDays(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
}

/* The calendar day that `now` is in a time zone; in UTC where the browser does not know the zone. */
export function dayIn(timezone: string, now: number): string {
  /* by parts: how a locale joins them differs between versions of its data */
  const day = (timeZone: string) => {
    const format = new Intl.DateTimeFormat("en", {
      timeZone,
      calendar: "gregory",
      numberingSystem: "latn",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
    });
    const parts = new Map(format.formatToParts(now).map((part) => [part.type, part.value]));
    return `${parts.get("year")}-${parts.get("month")}-${parts.get("day")}`;
  };
  try {
    return day(timezone);
  } catch {
    return day("UTC");
  }
}

/* The range as the server takes it: `to` exclusive. */
export function boundsOf(range: Range, today: string): { from: string | null; to: string | null } {
  if (range.kind === "all") return { from: null, to: null };
  if (range.kind === "days") return { from: addDays(today, 1 - range.days), to: null };
  return { from: range.from, to: range.until === null ? null : addDays(range.until, 1) };
}

/* Can what happens now still change the report? */
export function isLive(range: Range, today: string): boolean {
  const { to } = boundsOf(range, today);
  return to === null || to > today;
}

export function isBackwards(from: string | null, until: string | null): boolean {
  return from !== null && until !== null && from > until;
}

export function requestOf(
  definition: FunnelDefinition,
  state: ReportState,
  today: string,
): ReportRequest {
  const funnel = state.preset === null ? definition : { ...definition, preset: state.preset };
  return { funnel, ...boundsOf(state.range, today), bots: "exclude" };
}
