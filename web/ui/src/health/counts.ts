/* What became of events, added up over days. Pure. */
import type { HealthDay } from "../api-types";
import { addDays, dayIn } from "../ask/range";

export interface Spans {
  today: number;
  week: number;
  month: number;
}

/* today, the last 7 and the last 30 of the site's days */
export function spansOf(days: HealthDay[], today: string, of: (day: HealthDay) => number): Spans {
  const since = addDays(today, -6);
  const sum = (some: HealthDay[]) => some.reduce((total, day) => total + of(day), 0);
  return {
    today: sum(days.filter(({ day }) => day === today)),
    week: sum(days.filter(({ day }) => day >= since)),
    month: sum(days),
  };
}

/* The reasons there were, the most frequent first. */
export function reasonsOf(days: HealthDay[]): string[] {
  const total = new Map<string, number>();
  for (const { refused } of days)
    for (const [reason, count] of Object.entries(refused)) total.set(reason, (total.get(reason) ?? 0) + count);
  return [...total.keys()].sort((a, b) => (total.get(b) ?? 0) - (total.get(a) ?? 0) || (a < b ? -1 : 1));
}

export function todayOf(timezone: string, asOf: string): string {
  return dayIn(timezone, Date.parse(asOf));
}
