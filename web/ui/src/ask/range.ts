/* Which days a question is about, as the address says it and as the server takes it. Pure. Days are
 * the site's days, written YYYY-MM-DD. */
export type RangeName = "today" | "yesterday" | "month" | "last_month";

export type Range =
  | { kind: "all" }
  /* the last days, today among them */
  | { kind: "days"; days: number }
  | { kind: "named"; name: RangeName }
  /* both days belong to the range; either may be left open */
  | { kind: "dates"; from: string | null; until: string | null };

export interface Bounds {
  from: string | null;
  /* exclusive */
  to: string | null;
}

export const LAST_DAYS = [7, 30, 90] as const;
export const RANGE_NAMES: RangeName[] = ["today", "yesterday", "month", "last_month"];
const DAYS_MAX = 3660;
const DAY_MS = 86_400_000;

export function isDay(value: string | null): value is string {
  return value !== null && /^\d{4}-\d{2}-\d{2}$/.test(value) && !Number.isNaN(Date.parse(value));
}

/* null where the parameters say nothing that makes sense */
export function parseRange(params: URLSearchParams): Range | null {
  const given = params.get("range");
  if (given === "all") return { kind: "all" };
  const days = Number(/^(\d{1,4})d$/.exec(given ?? "")?.[1] ?? "0");
  if (days > 0 && days <= DAYS_MAX) return { kind: "days", days };
  const name = RANGE_NAMES.find((one) => one === given);
  if (name !== undefined) return { kind: "named", name };
  const from = params.get("from");
  const until = params.get("until");
  if (!isDay(from) && !isDay(until)) return null;
  return { kind: "dates", from: isDay(from) ? from : null, until: isDay(until) ? until : null };
}

export function writeRange(range: Range, params: URLSearchParams): void {
  if (range.kind === "all") params.set("range", "all");
  if (range.kind === "days") params.set("range", `${range.days}d`);
  if (range.kind === "named") params.set("range", range.name);
  if (range.kind !== "dates") return;
  if (range.from !== null) params.set("from", range.from);
  if (range.until !== null) params.set("until", range.until);
}

export function addDays(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
}

/* The first day of the month that is `months` after the one of `day`. */
export function monthStart(day: string, months = 0): string {
  const year = Number(day.slice(0, 4));
  const month = Number(day.slice(5, 7)) - 1 + months;
  return new Date(Date.UTC(year, month, 1)).toISOString().slice(0, 10);
}

/* The same day a year before; 29 February becomes 1 March. */
export function yearBefore(day: string): string {
  const [year, month, date] = day.split("-").map(Number);
  return new Date(Date.UTC((year ?? 0) - 1, (month ?? 1) - 1, date ?? 1)).toISOString().slice(0, 10);
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

export function boundsOf(range: Range, today: string): Bounds {
  if (range.kind === "all") return { from: null, to: null };
  const tomorrow = addDays(today, 1);
  if (range.kind === "days") return { from: addDays(tomorrow, -range.days), to: tomorrow };
  if (range.kind === "dates")
    return { from: range.from, to: range.until === null ? null : addDays(range.until, 1) };
  if (range.name === "today") return { from: today, to: tomorrow };
  if (range.name === "yesterday") return { from: addDays(today, -1), to: today };
  const months = range.name === "month" ? 0 : -1;
  return { from: monthStart(today, months), to: monthStart(today, months + 1) };
}

/* Can what happens now still change an answer about it? */
export function isLive(range: Range, today: string): boolean {
  const { to } = boundsOf(range, today);
  return to === null || to > today;
}

export function isBackwards(from: string | null, until: string | null): boolean {
  return from !== null && until !== null && from > until;
}
