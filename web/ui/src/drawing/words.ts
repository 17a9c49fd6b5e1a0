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
  const skipped = flow.stages.slice(from, to - 1).map((stage) => stage.name).join(text.common.joins.comma);
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
const WIDE_LETTER = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]|\p{Extended_Pictographic}/u;
const LETTERS_MIN = 3;

/* About so many pixels are needed for text `size` high. */
export function textWidth(text: string, size: number): number {
  return Array.from(text).reduce((width, letter) => width + size * (WIDE_LETTER.test(letter) ? 1 : LETTER_WIDTH), 0);
}

/* The name cut to about `width` pixels of text `size` high, with an ellipsis. */
export function fitText(name: string, width: number, size: number): string {
  if (textWidth(name, size) <= width) return name;
  const letters = Array.from(name);
  let kept = letters.length;
  while (kept >= LETTERS_MIN && textWidth(letters.slice(0, kept).join(""), size) + size * LETTER_WIDTH > width) kept--;
  return letters.length <= LETTERS_MIN ? name : `${letters.slice(0, kept).join("").trimEnd()}…`;
}

/* "+12%", "-3.1%"; nothing where there was nothing. */
export function changeWords(now: number, before: number): string {
  if (before === 0) return "";
  const change = now / before - 1;
  if (change === 0) return text.drawing.same;
  return `${change > 0 ? "+" : "−"}${formatShare(Math.abs(change))}`;
}
