/* Rows of a breakdown: their names, and the filters that show one alone. Pure. */
import type { Breakdown, BreakdownRow, Report } from "../api-types";
import { pickValue, placeOfRow, withFilter, type ChosenFilter } from "../ask/filter";
import { typeOf } from "../editor/operators";
import { valueName } from "../valueNames";

/* "<10", "10..50", ">=50" */
function binBounds(value: string): { low: string | null; high: string | null } | null {
  const [, low, high] = /^(-?[\d.]+)\.\.(-?[\d.]+)$/.exec(value) ?? [];
  if (low !== undefined && high !== undefined) return { low, high };
  const below = /^<(-?[\d.]+)$/.exec(value)?.[1];
  if (below !== undefined) return { low: null, high: below };
  const above = /^>=(-?[\d.]+)$/.exec(value)?.[1];
  return above === undefined ? null : { low: above, high: null };
}

function binName(value: string): string {
  const bounds = binBounds(value);
  if (bounds === null) return value;
  if (bounds.low === null) return `< ${bounds.high}`;
  return bounds.high === null ? `≥ ${bounds.low}` : `${bounds.low} – < ${bounds.high}`;
}

export function rowName(row: BreakdownRow, by: Breakdown[]): string[] {
  return (row.values ?? []).map((value, index) => {
    const breakdown = by[index];
    if (value !== null && breakdown?.bins !== undefined) return binName(value);
    return valueName(breakdown?.attribute ?? "", value);
  });
}

/* The filters that leave of a report what is in the row; null for the rest row, which none names. */
export function rowFilters(row: BreakdownRow, by: Breakdown[], filters: ChosenFilter[]): ChosenFilter[] | null {
  if (row.values === undefined) return null;
  let chosen = filters;
  for (const [index, value] of row.values.entries()) {
    const breakdown = by[index];
    if (breakdown === undefined) return null;
    const { attribute } = breakdown;
    const at = placeOfRow(breakdown.at);
    const bounds = value !== null && breakdown.bins !== undefined ? binBounds(value) : null;
    if (bounds === null && value !== null && typeOf(attribute, []) === "number")
      chosen = withFilter(chosen, { attribute, op: "eq", values: [value], at });
    else if (bounds === null) chosen = pickValue(chosen, attribute, value, at);
    else {
      if (bounds.low !== null) chosen = withFilter(chosen, { attribute, op: "ge", values: [bounds.low], at });
      if (bounds.high !== null) chosen = withFilter(chosen, { attribute, op: "lt", values: [bounds.high], at });
    }
  }
  return chosen;
}

/* The rows' sum, which is the total: said in the table, and asserted by the tests. */
export function sumOf(rows: BreakdownRow[]): { entered: number; converted: number } {
  return rows.reduce(
    (sum, row) => ({ entered: sum.entered + row.entered, converted: sum.converted + row.converted }),
    { entered: 0, converted: 0 },
  );
}

/* A row's figures as a report's: what small drawings are made from. */
export function flowOfRow(row: BreakdownRow): Pick<Report, "entered" | "stages" | "moves"> {
  const stages = row.stages.map((stage) => ({ ...stage, seen: 0, seen_value: {} }));
  return { entered: row.entered, stages, moves: [] };
}
