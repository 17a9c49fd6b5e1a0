/* From the stage before: a bar from the median to nine in ten, on a logarithmic scale of time. */
import { scaleLog } from "d3-scale";
import { useRef } from "preact/hooks";
import type { Report } from "../api-types";
import { fitText } from "../drawing/words";
import { DARK, LIGHT } from "../drawing/palette";
import { formatDuration } from "../format";
import { useMedia, useWidth } from "../parts/hooks";
import { text } from "../text";

const MINUTE = 60_000;
const TICKS = [1000, MINUTE, 10 * MINUTE, 60 * MINUTE, 24 * 60 * MINUTE, 7 * 24 * 60 * MINUTE, 30 * 24 * 60 * MINUTE];
const ROW_PX = 30;

export function TimeRanges({ report }: { report: Report }) {
  const frame = useRef<HTMLDivElement>(null);
  const width = useWidth(frame);
  const palette = useMedia("(prefers-color-scheme: dark)") ? DARK : LIGHT;
  const rows = report.stages.flatMap((stage, index) =>
    stage.time_from_previous_ms === null || stage.time_from_previous_ms === undefined
      ? []
      : [{ name: text.report.stageNumber(index + 1, stage.name), spread: stage.time_from_previous_ms }],
  );
  if (rows.length === 0) return null;

  const left = Math.min(150, width * 0.32);
  const longest = Math.max(1000, ...rows.map(({ spread }) => spread.p90));
  const domainEnd = TICKS.find((tick) => tick >= longest) ?? longest;
  const scale = scaleLog().domain([500, domainEnd]).range([left, width - 34]).clamp(true);
  const at = (ms: number) => scale(Math.max(500, ms));
  const height = rows.length * ROW_PX + 26;
  return (
    <div ref={frame} class="time-ranges">
      {width > 0 && (
        <svg
          role="img"
          aria-label={text.table.timeDrawing}
          width={width}
          height={height}
          viewBox={`0 0 ${width} ${height}`}
          font-size="11"
        >
          {TICKS.filter((tick) => tick <= domainEnd).map((tick) => (
            <g key={tick}>
              <line
                x1={at(tick)}
                x2={at(tick)}
                y1={4}
                y2={height - 20}
                stroke={palette.muted}
                stroke-opacity="0.25"
              />
              <text x={at(tick)} y={height - 6} text-anchor="middle" fill={palette.muted}>
                {formatDuration(tick)}
              </text>
            </g>
          ))}
          {rows.map(({ name, spread }, index) => {
            const y = index * ROW_PX + ROW_PX / 2 + 2;
            return (
              <g key={name}>
                <text x={0} y={y + 4} font-size="12" fill={palette.ink}>
                  {fitText(name, left - 8, 12)}
                </text>
                <rect
                  x={at(spread.p50)}
                  y={y - 5}
                  width={Math.max(2, at(spread.p90) - at(spread.p50))}
                  height={10}
                  rx={2}
                  fill={palette.onward}
                />
                <circle cx={at(spread.p50)} cy={y} r={5} fill={palette.reached} />
              </g>
            );
          })}
        </svg>
      )}
    </div>
  );
}
