/* The drawing of a funnel: columns, bands, exits, each a labelled link to its figures below. */
import { useId, useMemo, useRef, useState } from "preact/hooks";
import { formatCount, formatShare, shareOf } from "../format";
import { useMedia, useWidth } from "../parts/hooks";
import { text } from "../text";
import { FunnelBars } from "./FunnelBars";
import { BAND_MIN_PX, layoutFlow, type Band, type Column, type Exit, type Flow, type Layout } from "./layout";
import { DARK, LIGHT, type Palette } from "./palette";
import { bandPath, breakPath, exitShape, type ExitShape } from "./paths";
import { columnWords, exitWords, fitText, moveWords, othersWords } from "./words";

const NARROW_PX = 640;
const COLUMN_PX = 26;
const EDGE_PX = 64;
const GAP_MIN_PX = 122;
const EXIT_DROP_PX = 40;
const HEADER_PX = 84;
const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif";

export interface DrawingProps {
  flow: Flow;
  /* prefix of the ids that links lead to: `${anchors}stage-2`, `${anchors}moves`; null: no links */
  anchors: string | null;
  height?: number;
  /* a small drawing leaves out what is in the table anyway */
  compact?: boolean;
}

export function FunnelDrawing(props: DrawingProps) {
  const frame = useRef<HTMLDivElement>(null);
  const width = useWidth(frame);
  const palette = useMedia("(prefers-color-scheme: dark)") ? DARK : LIGHT;
  const isNarrow = width < (props.compact === true ? 420 : NARROW_PX);
  return (
    <div class="drawing" ref={frame}>
      {width > 0 && isNarrow && (
        <FunnelBars flow={props.flow} width={width} palette={palette} anchors={props.anchors} />
      )}
      {width > 0 && !isNarrow && <Columns {...props} width={width} palette={palette} />}
    </div>
  );
}

interface ColumnsProps extends DrawingProps {
  width: number;
  palette: Palette;
}

function Columns({ flow, anchors, width, palette, height = 300, compact = false }: ColumnsProps) {
  const hatch = `hatch${useId()}`;
  const [words, setWords] = useState("");
  const minimum = EDGE_PX + flow.stages.length * (compact ? 92 : GAP_MIN_PX);
  const fullWidth = Math.max(width, minimum);
  const headerPx = compact ? 46 : HEADER_PX;
  const layout = useMemo(
    () =>
      layoutFlow(
        flow,
        { x: 0, y: headerPx, width: fullWidth, height },
        COLUMN_PX,
        compact ? 36 : EDGE_PX,
      ),
    [flow, fullWidth, height, headerPx, compact],
  );
  const own = layout.bands.filter((band) => band.kind !== "other");
  const others = layout.bands.filter((band) => band.kind === "other");
  const say = (label: string) => ({
    onMouseEnter: () => setWords(label),
    onMouseLeave: () => setWords(""),
    onFocusIn: () => setWords(label),
    onFocusOut: () => setWords(""),
  });
  const to = (anchor: string) => (anchors === null ? undefined : `#${anchors}${anchor}`);

  return (
    <>
      <div class="drawing-scroll">
        <svg
          role="group"
          aria-label={text.drawing.label(flow.stages.length, flow.entered)}
          width={fullWidth}
          height={headerPx + height + EXIT_DROP_PX + 14}
          viewBox={`0 0 ${fullWidth} ${headerPx + height + EXIT_DROP_PX + 14}`}
          font-family={FONT}
          font-size="12"
        >
          <defs>
            <pattern
              id={hatch}
              width="6"
              height="6"
              patternUnits="userSpaceOnUse"
              patternTransform="rotate(45)"
            >
              <rect width="6" height="6" fill={palette.surface} fill-opacity="0.72" />
              <rect width="2" height="6" fill={palette.hatch} />
            </pattern>
          </defs>
          {[...own].sort(drawOrder).map((band) => {
            const label = moveWords(flow, band.from, band.to, band.count);
            return (
              <Link key={`${band.from}-${band.to}`} href={to("moves")} label={label} {...say(label)}>
                <path
                  d={bandPath(band, layout)}
                  fill={bandColour(band, palette)}
                  fill-opacity="0.86"
                  stroke={palette.surface}
                  stroke-width={isThin(band) ? 0 : 0.8}
                />
              </Link>
            );
          })}
          {others.length > 0 && (
            <Link href={to("moves")} label={othersWords(others)} {...say(othersWords(others))}>
              <path
                d={others.map((band) => bandPath(band, layout)).join("")}
                fill={palette.other}
                fill-opacity="0.86"
              />
            </Link>
          )}
          {layout.exits.map((exit) => (
            <Link
              key={`${exit.column}-${exit.kind}`}
              href={to(`stage-${flow.stages[exit.column]?.number ?? 0}`)}
              label={exitWords(exit, flow)}
              {...say(exitWords(exit, flow))}
            >
              <path
                d={shapeOf(exit, layout).path}
                fill={exit.kind === "lost" ? palette.lost : palette.open}
              />
            </Link>
          ))}
          {layout.columns.map((column) => (
            <Link
              key={column.stage.number}
              href={to(`stage-${column.stage.number}`)}
              label={columnWords(column)}
              {...say(columnWords(column))}
            >
              <rect
                x={column.x}
                y={0}
                width={Math.min(150, layout.gap)}
                height={headerPx - 6}
                fill="none"
                pointer-events="all"
              />
              <ColumnPart column={column} palette={palette} hatch={hatch} />
            </Link>
          ))}
          <Break layout={layout} palette={palette} />
          {/* the links say all of this themselves, in whole sentences */}
          <g aria-hidden="true" pointer-events="none">
            {layout.exits.map((exit) => (
              <ExitLabel
                key={`${exit.column}-${exit.kind}`}
                exit={exit}
                flow={flow}
                layout={layout}
                palette={palette}
                compact={compact}
              />
            ))}
            {layout.columns.map((column, index) => (
              <Header
                key={column.stage.number}
                column={column}
                flow={flow}
                palette={palette}
                room={layout.gap + COLUMN_PX - 14}
                isFirst={index === 0}
                compact={compact}
              />
            ))}
            {!compact && <BandCounts bands={own} layout={layout} palette={palette} />}
          </g>
        </svg>
      </div>
      {!compact && (
        <p class="drawing-words" aria-hidden="true">
          {words === "" ? text.drawing.hint : words}
        </p>
      )}
    </>
  );
}

/* Too thin for an outline: it would cover the band. */
function isThin(band: Band): boolean {
  const slot = band.slots[0];
  return slot === undefined || slot.y1 - slot.y0 < 4;
}

/* Long bands first, so that short ones lie on top of them where they cross. */
function drawOrder(a: Band, b: Band): number {
  return b.to - b.from - (a.to - a.from) || b.count - a.count;
}

function bandColour(band: Band, palette: Palette): string {
  if (band.kind === "entry") return palette.entry;
  if (band.kind === "onward") return palette.onward;
  return band.kind === "skip" ? palette.skip : palette.other;
}

interface LinkProps {
  href: string | undefined;
  label: string;
  children: preact.ComponentChildren;
  onMouseEnter?: () => void;
  onMouseLeave?: () => void;
  onFocusIn?: () => void;
  onFocusOut?: () => void;
}

function Link({ href, label, children, ...handlers }: LinkProps) {
  if (href === undefined)
    return (
      <g role="img" aria-label={label} {...handlers}>
        <title>{label}</title>
        {children}
      </g>
    );
  return (
    <a href={href} aria-label={label} class="drawing-link" {...handlers}>
      <title>{label}</title>
      {children}
    </a>
  );
}

function ColumnPart({ column, palette, hatch }: { column: Column; palette: Palette; hatch: string }) {
  const { x, y, width, skippedPx, reachedPx, stage } = column;
  const reachedShown = stage.reached > 0 ? Math.max(reachedPx, BAND_MIN_PX) : 0;
  return (
    <>
      {stage.throughput === 0 && (
        <line x1={x} x2={x + width} y1={y} y2={y} stroke={palette.muted} stroke-dasharray="3 3" />
      )}
      {skippedPx > 0 && (
        <rect
          x={x + 0.5}
          y={y}
          width={width - 1}
          height={skippedPx}
          fill={`url(#${hatch})`}
          stroke={palette.hatch}
          stroke-width="1"
        />
      )}
      {reachedShown > 0 && (
        <rect x={x} y={y + skippedPx} width={width} height={reachedShown} fill={palette.reached} />
      )}
    </>
  );
}

interface HeaderProps {
  column: Column;
  flow: Flow;
  palette: Palette;
  room: number;
  isFirst: boolean;
  compact: boolean;
}

/* Name, how many got this far, and how they are made up; above the column. */
function Header({ column, flow, palette, room, isFirst, compact }: HeaderProps) {
  const { stage, x, y } = column;
  const share = formatShare(shareOf(stage.throughput, flow.entered));
  if (compact)
    return (
      <>
        <text x={x} y={y - 26} font-size="12" font-weight="600" fill={palette.ink}>
          {fitText(stage.name, room, 12)}
        </text>
        <text x={x} y={y - 9} font-size="12" fill={palette.muted}>
          {formatCount(stage.throughput)}
        </text>
      </>
    );
  return (
    <>
      <text x={x} y={y - 66} font-size="14" font-weight="600" fill={palette.ink}>
        {fitText(stage.name, room, 14)}
      </text>
      <text x={x} y={y - 45} font-size="17" font-weight="600" fill={palette.ink}>
        {formatCount(stage.throughput)}
        {!isFirst && (
          <tspan font-size="12" font-weight="400" fill={palette.muted} dx="6">
            {room > 180 ? text.drawing.ofAll(share) : share}
          </tspan>
        )}
      </text>
      <text x={x} y={y - 27} fill={palette.muted}>
        {text.drawing.cameThrough(stage.reached)}
      </text>
      {stage.skipped > 0 && (
        <text x={x} y={y - 11} fill={palette.hatch}>
          {text.drawing.skipped(stage.skipped)}
        </text>
      )}
    </>
  );
}

interface ExitProps {
  exit: Exit;
  flow: Flow;
  layout: Layout;
  palette: Palette;
  compact: boolean;
}

function shapeOf(exit: Exit, layout: Layout): ExitShape {
  const reach = Math.min(66, layout.gap * (layout.gap < 150 ? 0.22 : 0.3));
  return exitShape(exit, reach, EXIT_DROP_PX);
}

function ExitLabel({ exit, flow, layout, palette, compact }: ExitProps) {
  const shape = shapeOf(exit, layout);
  const stage = flow.stages[exit.column];
  const isLost = exit.kind === "lost";
  const share = formatShare(shareOf(exit.count, stage?.throughput ?? 0));
  return (
    <>
      <text
        x={shape.labelX}
        y={shape.labelY - 2}
        font-weight="600"
        fill={isLost ? palette.lostText : palette.openText}
      >
        {compact
          ? formatCount(exit.count)
          : isLost
            ? text.drawing.left(exit.count)
            : text.drawing.stillOpen(exit.count)}
      </text>
      {!compact && (
        <text x={shape.labelX} y={shape.labelY + 13} font-size="11" fill={palette.muted}>
          {text.drawing.shareOf(share, stage?.throughput ?? 0)}
        </text>
      )}
    </>
  );
}

/* Through the cut column and the entry band beside it. */
function Break({ layout, palette }: { layout: Layout; palette: Palette }) {
  const column = layout.columns[0];
  if (column?.breakY === null || column === undefined) return null;
  const path = breakPath(layout.edgeX, column.x + column.width - layout.edgeX + 3, column.breakY);
  return <path d={path} fill="none" stroke={palette.surface} stroke-width="5" />;
}

/* The count on each band that is thick enough to carry it, where it begins. */
function BandCounts({ bands, layout, palette }: { bands: Band[]; layout: Layout; palette: Palette }) {
  return (
    <g>
      {bands.map((band) => {
        const slot = band.slots[0];
        const origin = band.from === 0 ? undefined : layout.columns[band.from - 1];
        const isRoomy = band.from === 0 || layout.gap > 110;
        if (slot === undefined || slot.y1 - slot.y0 < 15 || !isRoomy) return null;
        const x = origin === undefined ? layout.edgeX + 6 : origin.x + origin.width + 7;
        return (
          <text
            key={`${band.from}-${band.to}`}
            x={x}
            y={(slot.y0 + slot.y1) / 2 + 4}
            font-size="11"
            fill={palette.ink}
          >
            {formatCount(band.count)}
          </text>
        );
      })}
    </g>
  );
}
