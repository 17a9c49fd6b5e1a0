/* How long events are kept, as the server writes it ("13mo", "400d", "never"). Pure. */

export type RetentionUnit = "mo" | "d";
export type Retention = { count: number; unit: RetentionUnit } | null;

/* null: for ever */
export function parseRetention(text: string): Retention {
  const match = /^(\d+)(mo|d)$/.exec(text);
  return match === null ? null : { count: Number(match[1]), unit: match[2] as RetentionUnit };
}

export function writeRetention(retention: Retention): string {
  return retention === null ? "never" : `${retention.count}${retention.unit}`;
}

/* About the first moment that still counts; the server works with the site's midnights. */
export function limitOf(retention: Retention, now: number): Date | null {
  if (retention === null) return null;
  const limit = new Date(now);
  if (retention.unit === "d") limit.setUTCDate(limit.getUTCDate() - retention.count);
  else limit.setUTCMonth(limit.getUTCMonth() - retention.count);
  return limit;
}

/* Does `next` let events go that `old` keeps? */
export function isShorter(old: Retention, next: Retention, now: number): boolean {
  const before = limitOf(old, now);
  const after = limitOf(next, now);
  if (after === null) return false;
  return before === null || after > before;
}
