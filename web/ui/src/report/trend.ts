/* Points over time: where each ends, and whether what it counts can still grow. Pure. */
import type { TrendPoint } from "../api-types";
import { addDays, dayIn, monthStart } from "../ask/range";
import { parseWindow } from "../windowWords";
import type { TrendStep } from "./state";

const UNIT_MS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

export function windowMs(window: string): number {
  const parsed = parseWindow(window);
  return parsed === null ? 0 : parsed.count * (UNIT_MS[parsed.unit] ?? 0);
}

/* The first day of a point and the last one, both the site's. */
export function daysOf(point: TrendPoint, step: TrendStep, timezone: string): { from: string; until: string } {
  const from = dayIn(timezone, Date.parse(point.start));
  if (step === "day") return { from, until: from };
  if (step === "month") return { from, until: addDays(monthStart(from, 1), -1) };
  /* ISO weeks end on a Sunday; a first point that is cut begins within its week */
  const weekday = (new Date(`${from}T00:00:00Z`).getUTCDay() + 6) % 7;
  return { from, until: addDays(from, 6 - weekday) };
}

/* Who came in on its last day could still convert at `asOf`. `next`: the begin of the next point. */
export function isYoung(next: number, window: string, asOf: number): boolean {
  return next + windowMs(window) > asOf;
}
