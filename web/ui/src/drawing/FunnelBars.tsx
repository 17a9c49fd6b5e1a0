/* The same columns as a vertical list, for narrow screens. */
import { useId } from "preact/hooks";
import { formatCount, formatShare, shareOf } from "../format";
import { text } from "../text";
import type { DrawingLinks } from "./FunnelDrawing";
import { layoutBars, type Bar, type Flow } from "./layout";
import type { Palette } from "./palette";

interface BarsProps {
  flow: Flow;
  width: number;
  palette: Palette;
  links: DrawingLinks | null;
}

export function FunnelBars({ flow, width, palette, links }: BarsProps) {
  const bars = layoutBars(flow, width);
  return (
    <ol class="bars">
      {bars.map((bar, index) => (
        <li key={bar.stage.number}>
          <BarHead bar={bar} flow={flow} links={links} />
          <BarShape bar={bar} width={width} palette={palette} />
          {index < bars.length - 1 && bar.stage.exits > 0 && <BarExit bar={bar} />}
        </li>
      ))}
    </ol>
  );
}

function BarHead({ bar, flow, links }: { bar: Bar; flow: Flow; links: DrawingLinks | null }) {
  const { stage } = bar;
  const share = formatShare(shareOf(stage.throughput, flow.entered));
  return (
    <>
      <p class="bars-head">
        {links === null ? (
          <strong>{stage.name}</strong>
        ) : (
          <a href={links.column(stage.number)}>{stage.name}</a>
        )}
        <span>
          <strong>{formatCount(stage.throughput)}</strong> {text.drawing.ofAll(share)}
        </span>
      </p>
      <p class="bars-made">
        {text.drawing.cameThrough(stage.reached)}
        {stage.skipped > 0 && (
          <span class="is-skipped"> · {text.drawing.skipped(stage.skipped)}</span>
        )}
      </p>
    </>
  );
}

function BarShape({ bar, width, palette }: { bar: Bar; width: number; palette: Palette }) {
  const hatch = `hatch${useId()}`;
  const reached = bar.stage.reached > 0 ? Math.max(bar.reachedPx, 1.5) : 0;
  return (
    <svg width={width} height="20" viewBox={`0 0 ${width} 20`} aria-hidden="true">
      <defs>
        <pattern
          id={hatch}
          width="6"
          height="6"
          patternUnits="userSpaceOnUse"
          patternTransform="rotate(45)"
        >
          <rect width="2" height="6" fill={palette.hatch} />
        </pattern>
      </defs>
      {bar.stage.throughput === 0 && (
        <line x1="0.5" x2="0.5" y1="0" y2="20" stroke={palette.muted} stroke-dasharray="3 3" />
      )}
      <rect width={reached} height="20" fill={palette.reached} />
      {bar.skippedPx > 0 && (
        <rect
          x={reached}
          y="0.5"
          width={Math.max(0, bar.skippedPx - 0.5)}
          height="19"
          fill={`url(#${hatch})`}
          stroke={palette.hatch}
        />
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
  );
}

function BarExit({ bar }: { bar: Bar }) {
  const { exits, open, throughput } = bar.stage;
  const share = formatShare(shareOf(exits, throughput));
  return (
    <p class="bars-exit">
      ↓ {text.drawing.left(exits)} · {text.drawing.shareOf(share, throughput)}
      {open !== null && open > 0 && ` · ${text.card.stillOpen(open)}`}
    </p>
  );
}
