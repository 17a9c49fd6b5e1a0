/* A funnel's columns without words, for a line in a list. */
import { useId } from "preact/hooks";
import type { Report } from "../api-types";
import { useMedia } from "../parts/hooks";
import { flowOf, layoutFlow } from "./layout";
import { DARK, LIGHT } from "./palette";

const HEIGHT = 36;
const STEP = 14;
/* of a step, how much is column */
const FILLED = 0.72;

interface Props {
  report: Pick<Report, "entered" | "stages" | "moves">;
  height?: number;
  step?: number;
  /* for those who do not see it; without, the figures beside it say the same */
  label?: string;
}

export function MiniFunnel({ report, height = HEIGHT, step = STEP, label }: Props) {
  const palette = useMedia("(prefers-color-scheme: dark)") ? DARK : LIGHT;
  const hatch = `hatch${useId()}`;
  const width = report.stages.length * step;
  const { columns } = layoutFlow(flowOf(report), { x: 0, y: 0, width, height }, step * FILLED, 0);
  return (
    <svg
      class="mini"
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      {...(label === undefined ? { "aria-hidden": true } : { role: "img", "aria-label": label })}
    >
      <defs>
        <pattern
          id={hatch}
          width="4"
          height="4"
          patternUnits="userSpaceOnUse"
          patternTransform="rotate(45)"
        >
          <rect width="1.6" height="4" fill={palette.hatch} />
        </pattern>
      </defs>
      {columns.map(({ stage, x, skippedPx, reachedPx, breakY, width: columnWidth }) => (
        <g key={stage.number}>
          <rect x={x} width={columnWidth} height={skippedPx} fill={`url(#${hatch})`} />
          <rect
            x={x}
            y={skippedPx}
            width={columnWidth}
            height={Math.max(reachedPx, 1.5)}
            fill={stage.throughput > 0 ? palette.reached : palette.muted}
          />
          {breakY !== null && (
            <path
              d={`M${x - 1},${breakY + 2}L${x + columnWidth + 1},${breakY - 2}`}
              stroke={palette.surface}
              stroke-width="2.5"
            />
          )}
        </g>
      ))}
    </svg>
  );
}
