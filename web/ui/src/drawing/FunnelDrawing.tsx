/* The drawing of a funnel: columns, bands, exits, each a labelled link to its figures below. */
import { useId, useMemo, useRef, useState } from "preact/hooks";
import { formatCount, formatShare, shareOf } from "../format";
import { useMedia, useWidth } from "../parts/hooks";
import { text } from "../text";
import { FunnelBars } from "./FunnelBars";
import { BAND_MIN_PX, isCut, layoutFlow, spreadLabels, type Band, type Column, type Exit, type Flow, type Layout } from "./layout";
import { DARK, LIGHT, type Palette } from "./palette";
import { bandPath, breakPath, exitShape, type ExitShape } from "./paths";
import { changeWords, columnWords, exitWords, fitText, moveWords, othersWords } from "./words";

const NARROW_PX = 640;
const COLUMN_PX = 26;
const EDGE_PX = 64;
const GAP_MIN_PX = 122;
const EXIT_DROP_PX = 40;
const HEADER_PX = 84;
const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif";

/* Where columns, bands and exits lead; stages by their number in the funnel. */
export interface DrawingLinks {
  column: (stage: number) => string;
  exit: (stage: number, kind: "lost" | "open") => string;
  moves: string;
}

interface DrawingProps {
  flow: Flow;
  /* how many got as far in the other range: an outline behind each column; null: none */
  compared?: number[] | null;
  /* null: nothing leads anywhere */
  links: DrawingLinks | null;
  height?: number;
  /* a small drawing leaves out what is in the table anyway */
  compact?: boolean;
}

/* As wide as there is room. */
export function FunnelDrawing(props: DrawingProps) {
  const frame = useRef<HTMLDivElement>(null);
  const width = useWidth(frame);
  const palette = useMedia("(prefers-color-scheme: dark)") ? DARK : LIGHT;
  return (
    <div class="drawing" ref={frame}>
      {width > 0 && <FunnelFigure {...props} width={width} palette={palette} />}
    </div>
  );
}

interface ColumnsProps extends DrawingProps {
  width: number;
  palette: Palette;
}

export function FunnelFigure(props: ColumnsProps) {
  const { flow, width, palette, links } = props;
  if (width < (props.compact === true ? 420 : NARROW_PX))
    return <FunnelBars flow={flow} width={width} palette={palette} links={links} />;
  return <Columns {...props} />;
}

function Columns({ flow, compared = null, links, width, palette, height = 300, compact = false }: ColumnsProps) {
  const hatch = `hatch${useId()}`;
  const [words, setWords] = useState("");
  const minimum = EDGE_PX + flow.stages.length * (compact ? 92 : GAP_MIN_PX);
  const fullWidth = Math.max(width, minimum);
  const headerPx = compact ? 46 : HEADER_PX;
  const layout = useMemo(
    () =>
      layoutFlow(
        flow,
        { x: 0, y: headerPx, width: fullWidth, height: height / roomFor(flow, compared) },
        COLUMN_PX,
        compact ? 36 : EDGE_PX,
      ),
    [flow, compared, fullWidth, height, headerPx, compact],
  );
  const own = layout.bands.filter((band) => band.kind !== "other");
  const others = layout.bands.filter((band) => band.kind === "other");
  const say = (label: string) => ({
    onMouseEnter: () => setWords(label),
    onMouseLeave: () => setWords(""),
    onFocusIn: () => setWords(label),
    onFocusOut: () => setWords(""),
  });
  const numberOf = (column: number) => flow.stages[column]?.number ?? 0;

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
          {compared !== null && <Outlines layout={layout} compared={compared} palette={palette} />}
          {[...own].sort(drawOrder).map((band) => {
            const label = moveWords(flow, band.from, band.to, band.count);
            return (
              <Link key={`${band.from}-${band.to}`} href={links?.moves} label={label} {...say(label)}>
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
            <Link href={links?.moves} label={othersWords(others)} {...say(othersWords(others))}>
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
              href={links?.exit(numberOf(exit.column), exit.kind)}
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
              href={links?.column(column.stage.number)}
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
            <ExitLabels flow={flow} layout={layout} palette={palette} compact={compact} />
            {layout.columns.map((column, index) => (
              <Header
                key={column.stage.number}
                column={column}
                flow={flow}
                palette={palette}
                room={layout.gap + COLUMN_PX - 14}
                isFirst={index === 0}
                compact={compact}
                before={compared?.[index] ?? null}
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
  before: number | null;
}

/* Name, how many got this far, and how they are made up; above the column. */
function Header({ column, flow, palette, room, isFirst, compact, before }: HeaderProps) {
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
        {stage.skipped > 0 && <tspan fill={palette.hatch}>{` · ${text.drawing.skipped(stage.skipped)}`}</tspan>}
      </text>
      {before !== null && (
        <text x={x} y={y - 11} fill={palette.muted}>
          {text.drawing.before(before, changeWords(stage.throughput, before))}
        </text>
      )}
    </>
  );
}

interface ExitProps {
  flow: Flow;
  layout: Layout;
  palette: Palette;
  compact: boolean;
}

function shapeOf(exit: Exit, layout: Layout): ExitShape {
  const reach = Math.min(66, layout.gap * (layout.gap < 150 ? 0.22 : 0.3));
  return exitShape(exit, reach, EXIT_DROP_PX);
}

function ExitLabels(props: ExitProps) {
  const { flow, layout, compact } = props;
  return (
    <>
      {flow.stages.map((stage, column) => {
        const exits = layout.exits.filter((exit) => exit.column === column);
        const shapes = exits.map((exit) => shapeOf(exit, layout));
        const places = spreadLabels(
          shapes.map(({ labelY }) => labelY),
          compact ? 15 : 31,
        );
        return exits.map((exit, index) => (
          <ExitLabel
            key={`${stage.number}-${exit.kind}`}
            {...props}
            exit={exit}
            x={shapes[index]?.labelX ?? 0}
            y={places[index] ?? 0}
          />
        ));
      })}
    </>
  );
}

function ExitLabel({ exit, flow, palette, compact, x, y }: ExitProps & { exit: Exit; x: number; y: number }) {
  const stage = flow.stages[exit.column];
  const isLost = exit.kind === "lost";
  const share = formatShare(shareOf(exit.count, stage?.throughput ?? 0));
  return (
    <>
      <text x={x} y={y - 2} font-weight="600" fill={isLost ? palette.lostText : palette.openText}>
        {compact
          ? formatCount(exit.count)
          : isLost
            ? text.drawing.left(exit.count)
            : text.drawing.stillOpen(exit.count)}
      </text>
      {!compact && (
        <text x={x} y={y + 13} font-size="11" fill={palette.muted}>
          {text.drawing.shareOf(share, stage?.throughput ?? 0)}
        </text>
      )}
    </>
  );
}

/* How much higher the other range's first column is, which must fit too: up to twice. */
function roomFor(flow: Flow, compared: number[] | null): number {
  const first = flow.stages[0]?.throughput ?? 0;
  if (compared === null || first === 0 || isCut(flow)) return 1;
  return Math.min(2, Math.max(1, (compared[0] ?? 0) / first));
}

/* Behind each column how high it was in the other range, by the same scale; not behind a cut one,
 * which has none. */
function Outlines({ layout, compared, palette }: { layout: Layout; compared: number[]; palette: Palette }) {
  return (
    <g aria-hidden="true">
      {layout.columns.map((column, index) => {
        const height = (compared[index] ?? 0) * layout.pxPerCount;
        if (column.breakY !== null || height <= 0) return null;
        return (
          <rect
            key={column.stage.number}
            x={column.x - 5}
            y={column.y}
            width={column.width + 10}
            height={height}
            fill="none"
            stroke={palette.ink}
            stroke-opacity="0.55"
            stroke-dasharray="4 3"
          />
        );
      })}
    </g>
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
