/* What the colours and patterns of the drawing mean; only those that it has. */
import { useId } from "preact/hooks";
import type { Report } from "../api-types";
import { useMedia } from "../parts/hooks";
import { text } from "../text";
import { BANDS_MAX } from "./layout";
import { DARK, LIGHT } from "./palette";

interface Props {
  report: Report;
  /* with outlines of another range */
  isCompared?: boolean;
}

export function DrawingLegend({ report, isCompared = false }: Props) {
  const palette = useMedia("(prefers-color-scheme: dark)") ? DARK : LIGHT;
  const hatch = `hatch${useId()}`;
  const { legend } = text.report;
  const hasSkipped = report.stages.some((stage) => stage.skipped > 0);
  const hasOpen = report.stages.some((stage) => (stage.open ?? 0) > 0);
  const items: [string, string][] = [[legend.reached, palette.reached]];
  if (hasSkipped) items.push([legend.skipped, `url(#${hatch})`]);
  items.push([legend.entry, palette.entry], [legend.onward, palette.onward]);
  if (hasSkipped) items.push([legend.skip, palette.skip]);
  if (report.moves.length > BANDS_MAX) items.push([legend.other, palette.other]);
  if (hasOpen) items.push([legend.open, palette.open]);
  items.push([legend.lost, palette.lost]);
  return (
    <ul class="legend">
      {items.map(([name, fill]) => (
        <li key={name}>
          <svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true">
            <defs>
              <pattern
                id={hatch}
                width="5"
                height="5"
                patternUnits="userSpaceOnUse"
                patternTransform="rotate(45)"
              >
                <rect width="2" height="5" fill={palette.hatch} />
              </pattern>
            </defs>
            <rect x="0.5" y="0.5" width="13" height="13" fill={fill} stroke={palette.muted} stroke-opacity="0.5" />
          </svg>
          {name}
        </li>
      ))}
      {isCompared && (
        <li>
          <svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true">
            <rect
              x="1.5"
              y="1.5"
              width="11"
              height="11"
              fill="none"
              stroke={palette.ink}
              stroke-opacity="0.7"
              stroke-dasharray="3 2"
            />
          </svg>
          {legend.before}
        </li>
      )}
    </ul>
  );
}
