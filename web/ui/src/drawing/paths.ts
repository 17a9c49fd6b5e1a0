/* From the layout's numbers to SVG path texts. */
import { area, curveBumpX } from "d3-shape";
import { drawnSlot, type Band, type Exit, type Layout } from "./layout";

interface Edge {
  x: number;
  y0: number;
  y1: number;
}

const ribbon = area<Edge>()
  .x((edge) => edge.x)
  .y0((edge) => edge.y0)
  .y1((edge) => edge.y1)
  .curve(curveBumpX);

/* One ribbon from the right side of the column it leaves, level through every column between, to the
 * left side of the column it ends in. */
export function bandPath(band: Band, layout: Layout): string {
  const edges: Edge[] = [];
  for (const slot of band.slots) {
    const { y0, y1 } = drawnSlot(slot);
    if (slot.column === 0) {
      edges.push({ x: layout.edgeX, y0, y1 });
      continue;
    }
    const column = layout.columns[slot.column - 1];
    if (column === undefined) continue;
    if (slot.column !== band.from) edges.push({ x: column.x, y0, y1 });
    if (slot.column !== band.to) edges.push({ x: column.x + column.width, y0, y1 });
  }
  return ribbon(edges) ?? "";
}

export interface ExitShape {
  path: string;
  /* where its label begins */
  labelX: number;
  labelY: number;
}

/* Out of the column to the right and then down. */
export function exitShape(exit: Exit, reach: number, drop: number): ExitShape {
  const y0 = exit.y0;
  const y1 = Math.max(exit.y1, y0 + 1.5);
  const end = exit.x + reach;
  const bend = exit.x + reach * 0.75;
  const path = [
    `M${exit.x},${y0}`,
    `C${bend},${y0} ${end},${y0 + drop * 0.35} ${end},${y0 + drop}`,
    `L${end},${y1 + drop}`,
    `C${end},${y1 + drop * 0.35} ${bend},${y1} ${exit.x},${y1}`,
    "Z",
  ].join("");
  return { path, labelX: end + 8, labelY: (y0 + y1) / 2 + drop };
}

/* The zigzag of a break, `width` wide, around y. */
export function breakPath(x: number, width: number, y: number): string {
  const teeth = Math.max(2, Math.round(width / 13) * 2);
  const step = width / teeth;
  const points: string[] = [];
  for (let i = 0; i <= teeth; i++) points.push(`${x + i * step},${y + (i % 2 === 0 ? 3.5 : -3.5)}`);
  return `M${points.join("L")}`;
}
