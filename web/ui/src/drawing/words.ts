/* What a column, a band or an exit says when it is pointed at. */
import { formatShare, shareOf } from "../format";
import { text } from "../text";
import type { Band, Column, Exit, Flow } from "./layout";

function stageName(flow: Flow, number: number): string {
  return flow.stages[number - 1]?.name ?? "";
}

export function columnWords(column: Column): string {
  const { name, throughput, reached, skipped } = column.stage;
  return text.drawing.column(name, throughput, reached, skipped);
}

export function moveWords(flow: Flow, from: number, to: number, count: number): string {
  const skipped = flow.stages.slice(from, to - 1).map((stage) => stage.name).join(", ");
  if (from === 0) return text.drawing.entry(count, stageName(flow, to), skipped);
  return text.drawing.move(count, stageName(flow, from), stageName(flow, to), skipped);
}

export function othersWords(bands: Band[]): string {
  return text.drawing.others(
    bands.reduce((sum, band) => sum + band.count, 0),
    bands.length,
  );
}

export function exitWords(exit: Exit, flow: Flow): string {
  const stage = flow.stages[exit.column];
  if (stage === undefined) return "";
  if (exit.kind === "open") return text.drawing.stillOpenAfter(exit.count, stage.name);
  const share = formatShare(shareOf(exit.count, stage.throughput));
  return text.drawing.exit(exit.count, stage.name, share, stage.throughput);
}

/* Of a bold letter in a wide system font, in heights: names are cut rather early than late. */
const LETTER_WIDTH = 0.66;

/* The name cut to about `width` pixels of text `size` high, with an ellipsis. */
export function fitText(name: string, width: number, size: number): string {
  const chars = Math.max(3, Math.floor(width / (size * LETTER_WIDTH)));
  const letters = Array.from(name);
  return letters.length <= chars ? name : `${letters.slice(0, chars - 1).join("").trimEnd()}…`;
}

/* "+12%", "-3.1%"; nothing where there was nothing. */
export function changeWords(now: number, before: number): string {
  if (before === 0) return "";
  const change = now / before - 1;
  if (change === 0) return text.drawing.same;
  return `${change > 0 ? "+" : "−"}${formatShare(Math.abs(change))}`;
}
