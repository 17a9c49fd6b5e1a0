/* Where a change in conversions comes from: more or fewer visitors, or another rate at a stage. The
 * parts are whole numbers and add up to the change exactly. Pure. */
import type { RangeFigures } from "../api-types";
import { roundParts, splitChange } from "../stats";

export interface ChangePart {
  /* 0: visitors; k: the way from stage k to the next */
  step: number;
  count: number;
}

export interface Change {
  total: number;
  /* without those that come to nothing; the largest first, those that made it so before the others */
  parts: ChangePart[];
}

type Figures = Pick<RangeFigures, "entered" | "converted" | "stages">;

/* The rate from each stage to the next; null where nobody was there to go on. */
function ratesOf({ stages }: Figures): (number | null)[] {
  return stages.slice(1).map((stage, index) => {
    const before = stages[index]?.throughput ?? 0;
    return before === 0 ? null : stage.throughput / before;
  });
}

export function changeOf(now: Figures, before: Figures): Change {
  const total = now.converted - before.converted;
  const rates = ratesOf(now);
  const old = ratesOf(before);
  /* where one of the two has no rate, the other's stands for it: that stage changed nothing */
  const after = rates.map((rate, index) => rate ?? old[index] ?? 0);
  const prior = old.map((rate, index) => rate ?? rates[index] ?? 0);
  const split = splitChange([before.entered, ...prior], [now.entered, ...after]);
  const parts = roundParts(split, total)
    .map((count, step) => ({ step, count }))
    .filter(({ count }) => count !== 0)
    .sort((a, b) => Math.abs(b.count) - Math.abs(a.count) || a.step - b.step);
  return { total, parts };
}
