/* Where everything in the drawing of a funnel lies. Pure arithmetic: no DOM, no text, no colour.
 *
 *   entries          column k                 column k+1
 *      |        +---------------+ top
 *      |  0->n  |   skipped     |----- moves that pass k: through the hatched part ----
 *      |========|   (hatched)   |
 *      |        +---------------+
 *      |  0->k  |   reached     |----- moves from k, farthest target on top -----------
 *      |========|   (solid)     |
 *      |        |               |~~~~. exits of k: go down
 *               +---------------+     `~~
 *
 * A column's height is the stage's throughput = skipped + reached. A move i -> j is one band: it leaves
 * the reached part of i, passes the skipped part of every column between, and ends in the reached
 * part of j. So at every column the bands that pass add up to `skipped` and those that end there add
 * up to `reached`. All columns hang from the same top, and throughput[k+1] = throughput[k] - exits[k],
 * so exits always lie below every band of the gap they open into.
 *
 * Bands that pass a column are ordered by where they began (earliest on top), then by target
 * (farthest on top); bands that leave a column by target, farthest on top; bands that end in a column
 * by where they began. With this order two bands cross only if they must: i < i' < j < j'.
 *
 * If the second column is under CUT_SHARE of the first, nothing but the first would be visible: the
 * scale is then set by the second column, and the part of the first column that leaves there is drawn
 * CUT_PX high with a break in it; those who leave go out below the break.
 */
import type { Move, Report, StageKind } from "../api-types";

export const CUT_SHARE = 0.15;
export const BANDS_MAX = 24;
export const BAND_MIN_PX = 1.5;
const CUT_PX = 66;
/* from the last column's left side to the right edge */
const LAST_PX = 170;

export interface FlowStage {
  /* the stage's number in the funnel, from 1 */
  number: number;
  name: string;
  kind: StageKind;
  reached: number;
  skipped: number;
  throughput: number;
  /* part of the exits that is still under way, null where that is not known */
  open: number | null;
  exits: number;
}

/* What is drawn: stages in order, and moves between them counted from 1 within this list. */
export interface Flow {
  entered: number;
  stages: FlowStage[];
  moves: Move[];
}

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/* The piece of a band's path at one column; column 0 is the left edge. */
export interface Slot {
  column: number;
  part: "edge" | "reached" | "skipped";
  y0: number;
  y1: number;
}

export type BandKind = "entry" | "onward" | "skip" | "other";

export interface Band {
  from: number;
  to: number;
  count: number;
  kind: BandKind;
  /* one slot a column, from `from` to `to` */
  slots: Slot[];
}

export interface Column {
  stage: FlowStage;
  x: number;
  y: number;
  width: number;
  skippedPx: number;
  reachedPx: number;
  /* where the break is drawn, null in a column that is not cut */
  breakY: number | null;
}

export interface Exit {
  /* index of the column that is left */
  column: number;
  kind: "lost" | "open";
  count: number;
  x: number;
  y0: number;
  y1: number;
}

export interface Layout {
  columns: Column[];
  /* at most BANDS_MAX, then those of the rest, which are drawn as one */
  bands: Band[];
  exits: Exit[];
  pxPerCount: number;
  isCut: boolean;
  gap: number;
  edgeX: number;
}

/* The flow from stage `first` on: whoever came from a stage before it comes in from the left. */
export function flowOf(report: Pick<Report, "entered" | "stages" | "moves">, first = 1): Flow {
  const stages = report.stages.slice(first - 1).map((stage, index) => ({
    number: first + index,
    name: stage.name,
    kind: stage.kind,
    reached: stage.reached,
    skipped: stage.skipped,
    throughput: stage.throughput,
    open: stage.open ?? null,
    exits: stage.exits,
  }));
  const counts = new Map<string, Move>();
  for (const [from, to, count] of report.moves) {
    if (to < first) continue;
    const move: Move = [Math.max(0, from - first + 1), to - first + 1, count];
    const key = `${move[0]}-${move[1]}`;
    const known = counts.get(key);
    if (known === undefined) counts.set(key, move);
    else known[2] += count;
  }
  return {
    entered: first === 1 ? report.entered : (stages[0]?.throughput ?? 0),
    stages,
    moves: [...counts.values()].sort((a, b) => a[0] - b[0] || a[1] - b[1]),
  };
}

/* How many got as far as each drawn stage in the range that this one is compared with. */
export function comparedOf(figures: Pick<Report, "stages">, first = 1): number[] {
  return figures.stages.slice(first - 1).map((stage) => stage.throughput);
}

/* Is the first column cut? Not where nobody goes on: then there is nothing to make visible. */
export function isCut(flow: Flow): boolean {
  const first = flow.stages[0]?.throughput ?? 0;
  const second = flow.stages[1]?.throughput ?? 0;
  return second > 0 && second < first * CUT_SHARE;
}

interface Ranked {
  from: number;
  to: number;
  count: number;
  isOther: boolean;
}

/* The largest BANDS_MAX moves keep a band of their own; equal counts keep the earlier one. */
function rank(moves: Move[]): Ranked[] {
  const kept = new Set(
    [...moves]
      .sort((a, b) => b[2] - a[2] || a[0] - b[0] || a[1] - b[1])
      .slice(0, BANDS_MAX),
  );
  return moves
    .filter((move) => move[2] > 0)
    .map((move) => ({ from: move[0], to: move[1], count: move[2], isOther: !kept.has(move) }));
}

const byOrigin = (a: Ranked, b: Ranked) =>
  Number(a.isOther) - Number(b.isOther) || a.from - b.from || b.to - a.to;
const byTarget = (a: Ranked, b: Ranked) => Number(a.isOther) - Number(b.isOther) || b.to - a.to;

function kindOf(move: Ranked): BandKind {
  if (move.isOther) return "other";
  if (move.to - move.from > 1) return "skip";
  return move.from === 0 ? "entry" : "onward";
}

interface Scale {
  pxPerCount: number;
  isCut: boolean;
  /* height of the first column's exits */
  firstExitPx: number;
}

function scaleOf(flow: Flow, height: number): Scale {
  const first = flow.stages[0];
  const second = flow.stages[1];
  if (first === undefined || first.throughput === 0)
    return { pxPerCount: 0, isCut: false, firstExitPx: 0 };
  if (second !== undefined && isCut(flow)) {
    const firstExitPx = Math.min(CUT_PX, height / 3);
    return { pxPerCount: (height - firstExitPx) / second.throughput, isCut: true, firstExitPx };
  }
  const pxPerCount = height / first.throughput;
  return { pxPerCount, isCut: false, firstExitPx: first.exits * pxPerCount };
}

/* Stacks the moves downwards from y; answers each one's slot. */
function stack(
  moves: Ranked[],
  column: number,
  part: Slot["part"],
  y: number,
  heightOf: (move: Ranked) => number,
): Map<Ranked, Slot> {
  const slots = new Map<Ranked, Slot>();
  let at = y;
  for (const move of moves) {
    const height = heightOf(move);
    slots.set(move, { column, part, y0: at, y1: at + height });
    at += height;
  }
  return slots;
}

/* From one column's left side to the next one's; the last keeps room for its words. */
function spacingOf(columns: number, width: number): number {
  const even = width / Math.max(1, columns);
  return columns < 2 ? even : (width - Math.min(even, LAST_PX)) / (columns - 1);
}

export function layoutFlow(flow: Flow, box: Box, columnWidth: number, edgeWidth: number): Layout {
  const { pxPerCount, isCut: cut, firstExitPx } = scaleOf(flow, box.height);
  const spacing = spacingOf(flow.stages.length, box.width - edgeWidth);
  const moves = rank(flow.moves);
  const slots = new Map<Ranked, Slot[]>(moves.map((move) => [move, []]));
  const isEntryOfFirst = (move: Ranked) => move.from === 0 && move.to === 1;
  const exitPx = (index: number) =>
    index === 0 ? firstExitPx : (flow.stages[index]?.exits ?? 0) * pxPerCount;
  const reachedPx = (index: number) => {
    const stage = flow.stages[index];
    if (stage === undefined) return 0;
    return (stage.reached - stage.exits) * pxPerCount + exitPx(index);
  };
  const movePx = (move: Ranked) => (isEntryOfFirst(move) ? reachedPx(0) : move.count * pxPerCount);
  const place = (placed: Map<Ranked, Slot>) => {
    for (const [move, slot] of placed) slots.get(move)?.push(slot);
  };

  place(
    stack(moves.filter((move) => move.from === 0).sort(byTarget), 0, "edge", box.y, movePx),
  );

  const columns: Column[] = [];
  const exits: Exit[] = [];
  flow.stages.forEach((stage, index) => {
    const number = index + 1;
    const x = box.x + edgeWidth + index * spacing;
    const skippedPx = stage.skipped * pxPerCount;
    const reachedY = box.y + skippedPx;
    const bottom = reachedY + reachedPx(index);
    const passing = moves.filter((move) => move.from < number && move.to > number).sort(byOrigin);
    const ending = moves.filter((move) => move.to === number).sort(byOrigin);
    const leaving = moves.filter((move) => move.from === number).sort(byTarget);

    place(stack(passing, number, "skipped", box.y, movePx));
    place(stack(ending, number, "reached", reachedY, movePx));
    place(stack(leaving, number, "reached", reachedY, movePx));
    columns.push({
      stage,
      x,
      y: box.y,
      width: columnWidth,
      skippedPx,
      reachedPx: reachedPx(index),
      breakY: cut && index === 0 ? bottom - firstExitPx * 0.8 : null,
    });
    if (number < flow.stages.length) {
      const leavingPx = exitPx(index) * (cut && index === 0 ? 0.6 : 1);
      exits.push(...exitsOf(stage, index, x + columnWidth, bottom - leavingPx, leavingPx));
    }
  });

  return {
    columns,
    bands: moves.map((move) => ({
      from: move.from,
      to: move.to,
      count: move.count,
      kind: kindOf(move),
      slots: slots.get(move) ?? [],
    })),
    exits,
    pxPerCount,
    isCut: cut,
    gap: spacing - columnWidth,
    edgeX: box.x,
  };
}

/* Lost below still under way; one part where the server does not tell them apart. */
function exitsOf(stage: FlowStage, column: number, x: number, y: number, height: number): Exit[] {
  if (stage.exits === 0) return [];
  const open = stage.open ?? 0;
  const openPx = (height * open) / stage.exits;
  const parts: Exit[] = [
    { column, kind: "open", count: open, x, y0: y, y1: y + openPx },
    { column, kind: "lost", count: stage.exits - open, x, y0: y + openPx, y1: y + height },
  ];
  return parts.filter((part) => part.count > 0);
}

/* The slot as drawn: at least BAND_MIN_PX high, grown upwards, so that a thin band that passes a
 * column never covers the solid part below it. */
export function drawnSlot(slot: Slot): { y0: number; y1: number } {
  return { y0: Math.min(slot.y0, slot.y1 - BAND_MIN_PX), y1: slot.y1 };
}

export interface Bar {
  stage: FlowStage;
  reachedPx: number;
  skippedPx: number;
  breakX: number | null;
}

/* The same columns lying down, for narrow screens: reached from the left, then skipped; the part of a
 * cut first column that leaves there is shortened in the same way. */
export function layoutBars(flow: Flow, width: number): Bar[] {
  const { pxPerCount, isCut: cut, firstExitPx } = scaleOf(flow, width);
  return flow.stages.map((stage, index) => {
    const exitPx = index === 0 ? firstExitPx : stage.exits * pxPerCount;
    const onwardPx = (stage.reached - stage.exits) * pxPerCount;
    return {
      stage,
      reachedPx: onwardPx + exitPx,
      skippedPx: stage.skipped * pxPerCount,
      breakX: cut && index === 0 ? onwardPx + exitPx * 0.5 : null,
    };
  });
}

/* Labels beside exits of one column never lie on each other: each at least `gap` below the last. */
export function spreadLabels(wanted: number[], gap: number): number[] {
  const placed: number[] = [];
  for (const y of wanted) placed.push(Math.max(y, (placed.at(-1) ?? -Infinity) + gap));
  return placed;
}
