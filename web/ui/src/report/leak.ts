/* The weakest stage of a funnel and what its gap costs. Pure.
 *
 * With another range beside it: the step whose rate lost most conversions against that range, as the
 * change splits (overview/change.ts). Without: the step with the lowest rate after the first one, and
 * what one point more of it would bring; the first step is nearly everywhere the lowest.
 */
import type { RangeFigures, Report } from "../api-types";
import { changeOf } from "../overview/change";

export interface Leak {
  /* from this stage to the next, counted from 1 */
  step: number;
  rate: number;
  /* null: nothing to compare with */
  rateBefore: number | null;
  /* conversions: lost against the time before, or to be had for one point more */
  cost: number;
}

function rateOf({ stages }: Pick<RangeFigures, "stages">, step: number): number | null {
  const from = stages[step - 1]?.throughput ?? 0;
  return from === 0 ? null : (stages[step]?.throughput ?? 0) / from;
}

export function leakOf(report: Report): Leak | null {
  const { compare } = report;
  if (compare !== undefined) {
    const losses = changeOf(report, compare).parts.filter(({ step, count }) => step > 0 && count < 0);
    const [worst] = losses.sort((a, b) => a.count - b.count);
    const rate = worst === undefined ? null : rateOf(report, worst.step);
    if (worst === undefined || rate === null) return null;
    return { step: worst.step, rate, rateBefore: rateOf(compare, worst.step), cost: -worst.count };
  }
  const steps = report.stages
    .slice(1)
    .map((_, index) => ({ step: index + 1, rate: rateOf(report, index + 1) }))
    .filter((one): one is { step: number; rate: number } => one.rate !== null && one.rate > 0);
  const later = steps.filter(({ step }) => step > 1);
  const [worst] = (later.length > 0 ? later : steps).sort((a, b) => a.rate - b.rate);
  if (worst === undefined) return null;
  return { ...worst, rateBefore: null, cost: (report.converted / worst.rate) * 0.01 };
}
