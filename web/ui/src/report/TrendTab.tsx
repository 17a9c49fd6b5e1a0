/* The funnel over time: each point is this report over its own days, and leads to it. */
import { useId } from "preact/hooks";
import { scaleLinear } from "d3-scale";
import type { Report } from "../api-types";
import { addDays } from "../ask/range";
import { Chart } from "../charts/Chart";
import type { Palette } from "../drawing/palette";
import { textWidth } from "../drawing/words";
import { formatCount, formatDayOfYear, formatDayShort, formatShare, shareOf } from "../format";
import { text } from "../text";
import type { ReportState, TrendStep } from "./state";
import { daysOf, isYoung } from "./trend";
import { stepOf } from "./useReport";
import type { View } from "./view";

interface Props {
  view: View;
  report: Report;
  onState: (change: Partial<ReportState>) => void;
}

interface Point {
  from: string;
  entered: number;
  converted: number;
  rate: number | null;
  isYoung: boolean;
  href: string;
}

const STEPS: TrendStep[] = ["day", "week", "month"];

/* A point ends where the next one begins, the last one where the report does. */
function pointsOf(view: View, report: Report, step: TrendStep): Point[] {
  const { site, question, hrefOf } = view;
  const asOf = Date.parse(report.as_of);
  const end = report.to === null ? null : addDays(report.to.slice(0, 10), -1);
  const trend = report.trend ?? [];
  return trend.map((point, index) => {
    const days = daysOf(point, step, site.timezone);
    const next = trend[index + 1]?.start ?? report.to ?? report.as_of;
    const until = end !== null && end < days.until ? end : days.until;
    return {
      from: days.from,
      entered: point.entered,
      converted: point.converted,
      rate: shareOf(point.converted, point.entered),
      isYoung: isYoung(Date.parse(next), report.funnel.window ?? "7d", asOf),
      href: hrefOf({ tab: "stages", step: null }, { ...question, range: { kind: "dates", from: days.from, until } }),
    };
  });
}

export function TrendTab({ view, report, onState }: Props) {
  const words = text.report.trend;
  const step = stepOf(view.state, view.question, view.today, view.site);
  if (report.trend === undefined) return null;
  const points = pointsOf(view, report, step);
  return (
    <section class="panel" aria-label={text.report.tabs.trend}>
      <div class="tab-bar">
        <div class="segments" role="group" aria-label={words.step}>
          {STEPS.map((one) => (
            <button key={one} type="button" aria-pressed={one === step} onClick={() => onState({ step: one })}>
              {words.steps[one]}
            </button>
          ))}
        </div>
      </div>
      {points.length === 0 ? (
        <p class="hint">{words.none}</p>
      ) : (
        <>
          <Chart name={`${view.saved.name}, ${text.report.tabs.trend}`}>
            {(width, palette) => <TrendChart points={points} width={width} palette={palette} />}
          </Chart>
          <p class="hint">{report.funnel.count === "sessions" ? words.noteSessions : words.note}</p>
          <TrendTable points={points} />
        </>
      )}
    </section>
  );
}

const HEIGHT = 250;
const LEFT = 46;
const BOTTOM = 24;
const GAP = 22;
const RATE_PX = 70;

/* Where the next name of the legend begins, after those before it. */
const legendX = (before: string[]) => before.reduce((x, name) => x + 34 + textWidth(name, 10), 0);

/* Above: who came in, and inside that who converted; below, on its own scale, the rate. */
function TrendChart({ points, width, palette }: { points: Point[]; width: number; palette: Palette }) {
  const hatch = `young${useId()}`;
  const words = text.report.trend;
  const top = scaleLinear()
    .domain([0, Math.max(1, ...points.map((point) => point.entered))])
    .nice(4)
    .range([HEIGHT - BOTTOM - RATE_PX - GAP, 8]);
  const rateMax = Math.max(0.001, ...points.map((point) => (point.entered >= 5 ? (point.rate ?? 0) : 0)));
  const rate = scaleLinear()
    .domain([0, Math.min(1, rateMax)])
    .nice(2)
    .range([HEIGHT - BOTTOM, HEIGHT - BOTTOM - RATE_PX])
    .clamp(true);
  const room = (width - LEFT - 6) / points.length;
  const bar = Math.max(1, Math.min(46, room * 0.72));
  const at = (index: number) => LEFT + room * index + room / 2;
  const every = Math.ceil(points.length / Math.max(1, Math.floor((width - LEFT) / 86)));
  const line = points
    .map((point, index) => (point.rate === null ? null : `${at(index).toFixed(1)},${rate(point.rate).toFixed(1)}`))
    .filter((one) => one !== null)
    .join("L");
  return (
    <svg
      role="group"
      aria-label={words.label}
      width={width}
      height={HEIGHT + 22}
      viewBox={`0 0 ${width} ${HEIGHT + 22}`}
      font-size="11"
    >
      <defs>
        <pattern id={hatch} width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
          <rect width="5" height="5" fill={palette.entry} />
          <rect width="2" height="5" fill={palette.onward} />
        </pattern>
      </defs>
      {top.ticks(4).filter(Number.isInteger).map((tick) => (
        <g key={tick}>
          <line x1={LEFT} x2={width} y1={top(tick)} y2={top(tick)} stroke={palette.muted} stroke-opacity="0.25" />
          <text x={LEFT - 6} y={top(tick) + 4} text-anchor="end" fill={palette.muted}>
            {formatCount(tick)}
          </text>
        </g>
      ))}
      {rate.ticks(2).map((tick) => (
        <g key={tick}>
          <line x1={LEFT} x2={width} y1={rate(tick)} y2={rate(tick)} stroke={palette.muted} stroke-opacity="0.25" />
          <text x={LEFT - 6} y={rate(tick) + 4} text-anchor="end" fill={palette.muted}>
            {formatShare(tick)}
          </text>
        </g>
      ))}
      {points.map((point, index) => {
        const label = `${words.point(formatDayShort(point.from), point.entered, point.converted, formatShare(point.rate))}${point.isYoung ? `, ${words.isYoung}` : ""}`;
        return (
          <a key={point.from} href={point.href} aria-label={label} class="drawing-link">
            <title>{label}</title>
            <rect x={at(index) - room / 2} y={0} width={room} height={HEIGHT - BOTTOM} fill="none" pointer-events="all" />
            <rect
              x={at(index) - bar / 2}
              y={top(point.entered)}
              width={bar}
              height={top(0) - top(point.entered)}
              fill={point.isYoung ? `url(#${hatch})` : palette.onward}
            />
            <rect
              x={at(index) - bar / 2}
              y={top(point.converted)}
              width={bar}
              height={top(0) - top(point.converted)}
              fill={palette.reached}
            />
            {point.rate !== null && (
              <circle
                cx={at(index)}
                cy={rate(point.rate)}
                r={points.length > 60 ? 1.6 : 3}
                fill={point.isYoung ? palette.surface : palette.hatch}
                stroke={palette.hatch}
                stroke-width="1.4"
              />
            )}
          </a>
        );
      })}
      <g aria-hidden="true" pointer-events="none">
        {line !== "" && <path d={`M${line}`} fill="none" stroke={palette.hatch} stroke-width="1.2" stroke-opacity="0.8" />}
        {points.map(
          (point, index) =>
            index % every === 0 && (
              <text key={point.from} x={at(index)} y={HEIGHT - 6} text-anchor="middle" fill={palette.muted}>
                {formatDayOfYear(point.from)}
              </text>
            ),
        )}
        <g transform={`translate(${LEFT},${HEIGHT + 16})`} font-size="11.5">
          {[
            [palette.reached, words.converted],
            [palette.onward, words.entered],
            [`url(#${hatch})`, words.isYoung],
            [palette.hatch, words.rate],
          ].map(([fill, name = ""], index, all) => (
            <g key={name} transform={`translate(${legendX(all.slice(0, index).map(([, one = ""]) => one))},0)`}>
              <rect y={-9} width={10} height={10} fill={fill} />
              <text x={15} fill={palette.ink}>
                {name}
              </text>
            </g>
          ))}
        </g>
      </g>
    </svg>
  );
}

function TrendTable({ points }: { points: Point[] }) {
  const words = text.report.trend;
  return (
    <div class="table-scroll is-tall" tabIndex={0} role="region" aria-label={words.caption}>
      <table>
        <caption class="visually-hidden">{words.caption}</caption>
        <thead>
          <tr>
            <th scope="col">{words.start}</th>
            <th scope="col">{text.report.breakdown.entered}</th>
            <th scope="col">{text.report.breakdown.converted}</th>
            <th scope="col">{text.report.breakdown.rate}</th>
            <th scope="col" class="is-text">
              <span class="visually-hidden">{words.isYoung}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {points.map((point) => (
            <tr key={point.from} class={point.isYoung ? "is-young" : ""}>
              <th scope="row">
                <a href={point.href}>{formatDayShort(point.from)}</a>
              </th>
              <td>{formatCount(point.entered)}</td>
              <td>{formatCount(point.converted)}</td>
              <td>{formatShare(point.rate)}</td>
              <td class="is-text">{point.isYoung ? words.isYoung : ""}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
