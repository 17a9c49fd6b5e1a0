/* How long it took from one stage to another: a histogram whose bars open as lists, and the medians
 * of every stage. */
import { useEffect, useState } from "preact/hooks";
import { scaleLinear } from "d3-scale";
import { api, type ApiError } from "../api";
import type { Report, VisitorList } from "../api-types";
import { Chart } from "../charts/Chart";
import type { Palette } from "../drawing/palette";
import { formatCount, formatDuration, formatMoment, formatShare, shareOf } from "../format";
import { Failed, Loading } from "../parts/basic";
import { asApiError } from "../parts/hooks";
import { navigate } from "../router";
import { text } from "../text";
import { histogram, timeBetween, type Bar } from "./histogram";
import { listRequestOf } from "./state";
import { TimeTable } from "./Tables";
import { VisitorLink } from "./VisitorsTab";
import type { View } from "./view";

type Person = VisitorList["visitors"][number];

/* more than this many would take long to read, and say nothing more */
const PEOPLE_MAX = 10_000;

export function TimeTab({ view, report }: { view: View; report: Report }) {
  const { span } = view.state;
  const last = report.stages.length;
  const to = span.to >= 2 && span.to <= last ? span.to : last;
  const from = span.from < to ? span.from : 0;
  const words = text.report.time;
  const choose = (name: "from" | "to", label: string, value: number, stages: number[], whole: string | null) => (
    <label class="inline-field">
      {label}
      <select
        value={String(value)}
        onChange={(event) =>
          navigate(view.hrefOf({ bar: 0, span: { from, to, [name]: Number(event.currentTarget.value) } }))
        }
      >
        {whole !== null && <option value="0">{whole}</option>}
        {stages.map((stage) => (
          <option key={stage} value={String(stage)}>
            {text.report.stageNumber(stage, report.stages[stage - 1]?.name ?? "")}
          </option>
        ))}
      </select>
    </label>
  );
  const upTo = (end: number) => Array.from({ length: end }, (_, index) => index + 1);
  return (
    <>
      <section class="panel" aria-labelledby="took-title">
        <h2 id="took-title">{words.title}</h2>
        <div class="tab-bar">
          {choose("from", words.from, from, upTo(to - 1), words.first)}
          {choose("to", words.to, to, upTo(last).slice(1), null)}
        </div>
        <Times
          key={JSON.stringify([to, view.state.preset, view.question, report.snapshot, report.as_of])}
          view={view}
          report={report}
          from={from}
          to={to}
        />
      </section>
      <section class="panel" aria-labelledby="ranges-title">
        <h2 id="ranges-title">{words.ranges}</h2>
        <TimeTable report={report} />
      </section>
    </>
  );
}

/* All who came through the stage, with their ways, page by page. */
function usePeople(view: View, report: Report, stage: number) {
  const [people, setPeople] = useState<Person[]>([]);
  const [total, setTotal] = useState<number | null>(null);
  const [isDone, setDone] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  useEffect(() => {
    const controller = new AbortController();
    const { saved, state, question, today, site } = view;
    const asked = listRequestOf(saved.definition, state, question, today);
    const read = async () => {
      const found: Person[] = [];
      let cursor: string | null = null;
      let from: { snapshot: string; as_of: string } = report;
      do {
        const page: VisitorList = await api.visitors(
          site.name,
          { ...asked, figure: "reached", stage, snapshot: from.snapshot, as_of: from.as_of, cursor },
          controller.signal,
        );
        if (page.snapshot_gone) found.length = 0;
        found.push(...page.visitors);
        from = page;
        cursor = page.cursor;
        setTotal(page.n);
        setPeople([...found]);
      } while (cursor !== null && found.length < PEOPLE_MAX);
      setDone(true);
    };
    read().catch((reason: unknown) => {
      if (!controller.signal.aborted) setError(asApiError(reason));
    });
    return () => controller.abort();
  }, []);
  return { people, total, isDone, error };
}

interface TimesProps {
  view: View;
  report: Report;
  from: number;
  to: number;
}

interface Timed {
  person: Person;
  ms: number;
}

function Times({ view, report, from, to }: TimesProps) {
  const words = text.report.time;
  const { people, total, isDone, error } = usePeople(view, report, to);
  if (error !== null) return <Failed error={error} />;
  if (total === null) return <Loading />;
  const timed = people.flatMap((person): Timed[] => {
    const ms = timeBetween(person.path, from, to);
    return ms === null ? [] : [{ person, ms }];
  });
  const bars = histogram(timed, ({ ms }) => ms);
  const chosen = bars[view.state.bar - 1];
  const name = (stage: number) => (stage === 0 ? words.first : (report.stages[stage - 1]?.name ?? ""));
  if (isDone && timed.length === 0) return <p class="hint">{words.none}</p>;
  return (
    <>
      {!isDone && (
        <p class="hint" role="status">
          {words.reading(people.length, total)}
        </p>
      )}
      {isDone && people.length < total && <p class="hint">{words.capped(people.length, total)}</p>}
      <Chart name={`${view.saved.name}, ${words.title}`}>
        {(width, palette) => (
          <Bars
            bars={bars}
            all={timed.length}
            width={width}
            palette={palette}
            chosen={view.state.bar}
            label={words.label(name(from), name(to))}
            hrefOf={(bar) => view.hrefOf({ bar })}
          />
        )}
      </Chart>
      {chosen !== undefined && <Chosen view={view} report={report} bar={chosen} />}
    </>
  );
}

function boundsWords({ low, high }: Bar<unknown>): string {
  const words = text.report.time;
  return low === 0 ? words.upTo(formatDuration(high)) : words.between(formatDuration(low), formatDuration(high));
}

const ROW_PX = 26;
const LABEL_PX = 126;
const COUNT_PX = 92;

interface BarsProps {
  bars: Bar<Timed>[];
  all: number;
  width: number;
  palette: Palette;
  chosen: number;
  label: string;
  hrefOf: (bar: number) => string;
}

/* Lying bars: their words fit on a phone too. */
function Bars({ bars, all, width, palette, chosen, label, hrefOf }: BarsProps) {
  const words = text.report.time;
  const scale = scaleLinear()
    .domain([0, Math.max(1, ...bars.map(({ members }) => members.length))])
    .range([0, Math.max(20, width - LABEL_PX - COUNT_PX)]);
  const height = bars.length * ROW_PX + 4;
  return (
    <svg role="group" aria-label={label} width={width} height={height} viewBox={`0 0 ${width} ${height}`} font-size="12">
      {bars.map((bar, index) => {
        const count = bar.members.length;
        const took = boundsWords(bar);
        const y = index * ROW_PX + 3;
        const share = formatShare(shareOf(count, all));
        const isShown = chosen === 0 || chosen === index + 1;
        return (
          <g key={bar.high}>
            {count > 0 && (
              <a
                class="drawing-link"
                href={hrefOf(chosen === index + 1 ? 0 : index + 1)}
                aria-label={words.show(count, took)}
              >
                <rect x={0} y={y - 3} width={width} height={ROW_PX} fill="none" pointer-events="all" />
                <rect
                  x={LABEL_PX}
                  y={y}
                  width={Math.max(1.5, scale(count))}
                  height={ROW_PX - 7}
                  fill={isShown ? palette.reached : palette.onward}
                />
              </a>
            )}
            {/* the links say it in a sentence */}
            <g aria-hidden="true" pointer-events="none">
              <text x={LABEL_PX - 10} y={y + 14} text-anchor="end" fill={palette.muted}>
                {took}
              </text>
              <text x={LABEL_PX + scale(count) + 8} y={y + 14} fill={palette.ink}>
                {formatCount(count)}
                {count > 0 && (
                  <tspan fill={palette.muted} dx="6">
                    {share}
                  </tspan>
                )}
              </text>
            </g>
          </g>
        );
      })}
    </svg>
  );
}

function Chosen({ view, report, bar }: { view: View; report: Report; bar: Bar<Timed> }) {
  const words = text.report;
  const sorted = [...bar.members].sort((a, b) => a.ms - b.ms);
  return (
    <>
      <p>
        <strong>{words.time.chosen(bar.members.length, boundsWords(bar))}</strong>
      </p>
      <div class="table-scroll is-tall" tabIndex={0} role="region" aria-label={words.time.caption}>
        <table class="people">
          <thead>
            <tr>
              <th scope="col">{words.list.visitor}</th>
              <th scope="col">{words.list.began}</th>
              <th scope="col">{words.list.path}</th>
              <th scope="col">{words.list.took}</th>
            </tr>
          </thead>
          <tbody>
            {sorted.map(({ person, ms }, index) => (
              <tr key={index}>
                <th scope="row">
                  <VisitorLink view={view} visitor={person.visitor} />
                </th>
                <td>{formatMoment(new Date(person.path[0]?.[1] ?? 0).toISOString(), view.site.timezone)}</td>
                <td class="is-text">{person.path.map(([stage]) => report.stages[stage - 1]?.name ?? "").join(" → ")}</td>
                <td>{formatDuration(ms)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
