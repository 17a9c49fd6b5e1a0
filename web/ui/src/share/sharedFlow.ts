/* What is drawn of a shared report: how many got as far as each stage. Nobody is told whether they
 * came through a stage or skipped it, so all of a column is drawn alike. Pure. */
import type { SharedReport } from "../api-types";
import type { Flow } from "../drawing/layout";

export interface SharedFlow {
  flow: Flow;
  /* of each stage: is its figure not shown */
  isHidden: boolean[];
}

/* A figure that is not shown is drawn as the next one that is: it is not smaller. */
function drawn(counts: (number | null)[]): number[] {
  return counts.map((_, k) => counts.slice(k).find((count) => count !== null) ?? 0);
}

export function sharedFlow(report: SharedReport): SharedFlow {
  const shown = report.stages.map((stage) => stage.throughput);
  const counts = drawn(shown);
  const stages = report.stages.map((stage, k) => {
    const count = counts[k] ?? 0;
    const exits = k + 1 < counts.length ? count - (counts[k + 1] ?? 0) : 0;
    return {
      number: k + 1,
      name: stage.name,
      kind: stage.kind,
      reached: count,
      skipped: 0,
      throughput: count,
      open: null,
      exits,
    };
  });
  return {
    flow: {
      entered: counts[0] ?? 0,
      stages,
      moves: counts.flatMap((count, k) => (count > 0 ? [[k, k + 1, count] as [number, number, number]] : [])),
    },
    isHidden: shown.map((count) => count === null),
  };
}
