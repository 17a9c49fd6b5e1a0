/* How many took how long, in bars whose bounds people know. Pure. */
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const BOUNDS = [
  ...[1, 5, 15, 30].map((count) => count * MINUTE),
  ...[1, 2, 6, 12].map((count) => count * HOUR),
  ...[1, 2, 3, 7, 14, 30, 60, 90, 180, 400].map((count) => count * DAY),
];

export interface Bar<T> {
  /* ms; the upper one is not part of it */
  low: number;
  high: number;
  members: T[];
}

/* Every bar from nothing to the one that holds the longest, empty ones between included. */
export function histogram<T>(members: T[], timeOf: (member: T) => number): Bar<T>[] {
  const bars: Bar<T>[] = BOUNDS.map((high, index) => ({ low: BOUNDS[index - 1] ?? 0, high, members: [] }));
  let last = -1;
  for (const member of members) {
    const time = timeOf(member);
    const index = Math.max(0, bars.findIndex(({ high }) => time < high));
    bars[index]?.members.push(member);
    last = Math.max(last, index);
  }
  return bars.slice(0, last + 1);
}

/* From the visit of one stage (0: the first visit) to that of another, null where either is missing. */
export function timeBetween(path: [number, number][], from: number, to: number): number | null {
  const start = from === 0 ? path[0] : path.find(([stage]) => stage === from);
  const end = path.find(([stage]) => stage === to);
  return start === undefined || end === undefined || start[0] >= to ? null : end[1] - start[1];
}
