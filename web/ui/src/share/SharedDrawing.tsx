/* The funnel of a shared report: columns as high as many got so far, with what goes on and what is
 * left. Narrow screens get the same columns lying down. */
import { useMemo } from "preact/hooks";
import { fitText } from "../drawing/words";
import { layoutBars, layoutFlow, type Column, type Layout } from "../drawing/layout";
import type { Palette } from "../drawing/palette";
import { bandPath, breakPath, exitShape } from "../drawing/paths";
import type { SharedReport } from "../api-types";
import { formatCount, formatShare } from "../format";
import { words } from "../words/people";
import { sharedFlow, type SharedFlow } from "./sharedFlow";

const say = words.shared;
const NARROW_PX = 640;
const HEIGHT = 260;
const HEAD_PX = 58;
const COLUMN_PX = 26;
const EDGE_PX = 40;
const STEP_MIN_PX = 118;
const DROP_PX = 36;

interface Props {
  report: SharedReport;
  width: number;
  palette: Palette;
}

/* "2,563", or that it is not shown */
export function countWords(count: number | null): string {
  return count === null ? say.hidden : formatCount(count);
}

export function SharedDrawing({ report, width, palette }: Props) {
  const shared = useMemo(() => sharedFlow(report), [report]);
  if (width < NARROW_PX) return <Bars report={report} shared={shared} width={width} palette={palette} />;
  return <Columns report={report} shared={shared} width={width} palette={palette} />;
}

function labelOf(report: SharedReport, index: number): string {
  const stage = report.stages[index];
  return say.column(stage?.name ?? "", countWords(stage?.throughput ?? null), formatShare(stage?.rate_from_first ?? null));
}

function Columns({ report, shared, width, palette }: Props & { shared: SharedFlow }) {
  const { flow, isHidden } = shared;
  const full = Math.max(width, EDGE_PX + flow.stages.length * STEP_MIN_PX);
  const height = HEAD_PX + HEIGHT + DROP_PX + 14;
  const layout = layoutFlow(flow, { x: 0, y: HEAD_PX, width: full, height: HEIGHT }, COLUMN_PX, EDGE_PX);
  return (
    <div class="drawing-scroll">
      <svg
        role="group"
        aria-label={say.drawing(flow.stages.length)}
        width={full}
        height={height}
        viewBox={`0 0 ${full} ${height}`}
        font-family="system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif"
        font-size="12"
      >
        {layout.bands.map((band) => (
          <path
            key={band.to}
            d={bandPath(band, layout)}
            fill={band.from === 0 ? palette.entry : palette.onward}
            fill-opacity="0.86"
          />
        ))}
        {layout.exits.map((exit) => (
          <path key={exit.column} d={shapeOf(exit, layout).path} fill={palette.lost} />
        ))}
        {layout.columns.map((column, index) => (
          <g key={column.stage.number} role="img" aria-label={labelOf(report, index)}>
            <title>{labelOf(report, index)}</title>
            <ColumnShape column={column} isHidden={isHidden[index] === true} palette={palette} />
            <Head report={report} index={index} column={column} room={layout.gap + COLUMN_PX - 12} palette={palette} />
          </g>
        ))}
        <g aria-hidden="true">
          <ExitLabels shared={shared} layout={layout} palette={palette} />
        </g>
        <Break layout={layout} palette={palette} />
      </svg>
    </div>
  );
}

function shapeOf(exit: Layout["exits"][number], layout: Layout) {
  return exitShape(exit, Math.min(66, layout.gap * 0.3), DROP_PX);
}

function ColumnShape({ column, isHidden, palette }: { column: Column; isHidden: boolean; palette: Palette }) {
  const height = Math.max(2, column.reachedPx);
  if (!isHidden)
    return <rect x={column.x} y={column.y} width={column.width} height={height} fill={palette.reached} />;
  return (
    <rect
      x={column.x + 0.5}
      y={column.y}
      width={column.width - 1}
      height={height}
      fill={palette.surface}
      stroke={palette.muted}
      stroke-dasharray="3 3"
    />
  );
}

interface HeadProps {
  report: SharedReport;
  index: number;
  column: Column;
  room: number;
  palette: Palette;
}

function Head({ report, index, column, room, palette }: HeadProps) {
  const stage = report.stages[index];
  if (stage === undefined) return null;
  const isShown = stage.throughput !== null;
  return (
    <>
      <text x={column.x} y={column.y - 34} font-size="14" font-weight="600" fill={palette.ink}>
        {fitText(stage.name, room, 14)}
      </text>
      <text
        x={column.x}
        y={column.y - 13}
        font-size={isShown ? 17 : 13}
        font-weight={isShown ? 600 : 400}
        fill={isShown ? palette.ink : palette.muted}
      >
        {countWords(stage.throughput)}
        {isShown && index > 0 && (
          <tspan font-size="12" font-weight="400" fill={palette.muted} dx="6">
            {formatShare(stage.rate_from_first)}
          </tspan>
        )}
      </text>
    </>
  );
}

/* Only where both figures are shown: their difference is a figure, too. */
function ExitLabels({ shared, layout, palette }: { shared: SharedFlow; layout: Layout; palette: Palette }) {
  return (
    <>
      {layout.exits.map((exit) => {
        if (shared.isHidden[exit.column] === true || shared.isHidden[exit.column + 1] === true) return null;
        const { labelX, labelY } = shapeOf(exit, layout);
        return (
          <text key={exit.column} x={labelX} y={labelY} fill={palette.lostText}>
            {`−${formatCount(exit.count)}`}
          </text>
        );
      })}
    </>
  );
}

function Break({ layout, palette }: { layout: Layout; palette: Palette }) {
  const column = layout.columns[0];
  if (column === undefined || column.breakY === null) return null;
  const path = breakPath(layout.edgeX, column.x + column.width - layout.edgeX + 3, column.breakY);
  return <path d={path} fill="none" stroke={palette.surface} stroke-width="5" />;
}

function Bars({ report, shared, width, palette }: Props & { shared: SharedFlow }) {
  return (
    <ol class="bars">
      {layoutBars(shared.flow, width).map((bar, index) => {
        const stage = report.stages[index];
        return (
          <li key={bar.stage.number}>
            <p class="bars-head">
              <strong>{bar.stage.name}</strong>
              <span>
                <strong>{countWords(stage?.throughput ?? null)}</strong>{" "}
                {index > 0 && formatShare(stage?.rate_from_first ?? null)}
              </span>
            </p>
            <svg width={width} height="20" viewBox={`0 0 ${width} 20`} aria-hidden="true">
              {shared.isHidden[index] === true ? (
                <rect
                  x="0.5"
                  y="0.5"
                  width={Math.max(2, bar.reachedPx - 1)}
                  height="19"
                  fill="none"
                  stroke={palette.muted}
                  stroke-dasharray="3 3"
                />
              ) : (
                <rect width={Math.max(1.5, bar.reachedPx)} height="20" fill={palette.reached} />
              )}
              {bar.breakX !== null && (
                <path
                  d={`M${bar.breakX - 3},-1L${bar.breakX + 3},5L${bar.breakX - 3},10L${bar.breakX + 3},15L${bar.breakX - 3},21`}
                  fill="none"
                  stroke={palette.surface}
                  stroke-width="5"
                />
              )}
            </svg>
          </li>
        );
      })}
    </ol>
  );
}
