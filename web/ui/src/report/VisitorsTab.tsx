/* The people behind a figure: as many as it says, made from the same files as the report. */
import { useEffect, useState } from "preact/hooks";
import { api, type ApiError } from "../api";
import type { Figure, Report, VisitorList } from "../api-types";
import { formatDuration, formatMoment } from "../format";
import { Failed, Loading, Notice } from "../parts/basic";
import { asApiError } from "../parts/hooks";
import { link } from "../router";
import { screenOf } from "../screens";
import { text } from "../text";
import { FIGURES_OF_REPORT, FIGURES_OF_STAGE, listRequestOf, type Opened, type ReportState } from "./state";
import type { View } from "./view";

interface Props {
  view: View;
  report: Report;
  onState: (change: Partial<ReportState>) => void;
}

type Listed = VisitorList["visitors"][number];

export function figureCount(report: Report, { figure, stage }: Opened): number | null {
  if (figure === "lost") {
    const { dropoff = null, open = null } = report.stages[(stage ?? 0) - 1] ?? {};
    return dropoff === null ? null : dropoff - (open ?? 0);
  }
  const figures: Partial<Record<Figure, number | null>> | undefined =
    stage === null ? (report as Partial<Record<Figure, number>>) : report.stages[stage - 1];
  return figures?.[figure] ?? null;
}

export function VisitorsTab({ view, report, onState }: Props) {
  const { opened } = view.state;
  return (
    <section class="panel" aria-label={text.report.tabs.visitors}>
      <FigureChoice report={report} opened={opened} onChange={(next) => onState({ opened: next })} />
      <List
        key={JSON.stringify([opened, view.state.preset, view.question, report.snapshot, report.as_of])}
        view={view}
        report={report}
      />
    </section>
  );
}

/* First of what, then which figure of it. */
function FigureChoice({
  report,
  opened,
  onChange,
}: {
  report: Report;
  opened: Opened;
  onChange: (opened: Opened) => void;
}) {
  const words = text.report.list;
  const names = opened.stage === null ? words.figuresOfReport : words.figuresOfStage;
  const figures = (opened.stage === null ? FIGURES_OF_REPORT : FIGURES_OF_STAGE).filter(
    (figure) => figureCount(report, { figure, stage: opened.stage }) !== null,
  );
  return (
    <div class="tab-bar">
      <label class="inline-field">
        {words.figure}
        <select
          value={opened.figure}
          onChange={(event) => {
            const figure = figures.find((one) => one === event.currentTarget.value);
            if (figure !== undefined) onChange({ ...opened, figure });
          }}
        >
          {figures.map((figure) => (
            <option key={figure} value={figure}>
              {names[figure]}
            </option>
          ))}
        </select>
      </label>
      <select
        aria-label={text.table.stage}
        value={String(opened.stage ?? 0)}
        onChange={(event) => {
          const stage = Number(event.currentTarget.value);
          if (stage === 0) onChange({ figure: "entered", stage: null });
          else onChange({ figure: opened.stage === null ? "throughput" : opened.figure, stage });
        }}
      >
        <option value="0">{words.whole}</option>
        {report.stages.map((stage, index) => (
          <option key={index} value={String(index + 1)}>
            {text.report.stageNumber(index + 1, stage.name)}
          </option>
        ))}
      </select>
    </div>
  );
}

/* The pages read so far. */
function usePages(view: View, report: Report) {
  const [people, setPeople] = useState<Listed[]>([]);
  const [last, setLast] = useState<VisitorList | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const [isReading, setReading] = useState(true);
  const ask = (cursor: string | null, signal?: AbortSignal) => {
    const { saved, state, question, today, site } = view;
    const asked = listRequestOf(saved.definition, state, question, today);
    const from = last ?? report;
    setReading(true);
    setError(null);
    api
      .visitors(
        site.name,
        { ...asked, ...state.opened, snapshot: from.snapshot, as_of: from.as_of, cursor },
        signal,
      )
      .then((page) => {
        /* where the files are gone, the list begins anew */
        setPeople((old) => (cursor === null || page.snapshot_gone ? page.visitors : [...old, ...page.visitors]));
        setLast(page);
        setReading(false);
      })
      .catch((reason: unknown) => {
        if (signal?.aborted === true) return;
        setError(asApiError(reason));
        setReading(false);
      });
  };
  useEffect(() => {
    const controller = new AbortController();
    ask(null, controller.signal);
    return () => controller.abort();
  }, []);
  return { people, last, error, isReading, more: () => ask(last?.cursor ?? null) };
}

function List({ view, report }: { view: View; report: Report }) {
  const words = text.report.list;
  const { people, last, error, isReading, more } = usePages(view, report);
  const figure = figureCount(report, view.state.opened);
  if (error !== null) return <Failed error={error} retry={more} />;
  if (last === null) return <Loading />;
  return (
    <>
      <p>
        <strong>{words.title(last.n)}</strong>{" "}
        {people.length < last.n && <span class="hint">{words.shown(people.length, last.n)}</span>}
      </p>
      {last.snapshot_gone && <Notice kind="info">{words.gone}</Notice>}
      {figure !== null && figure !== last.n && <Notice kind="info">{words.differs(last.n, figure)}</Notice>}
      {last.n === 0 ? <p class="hint">{words.nobody}</p> : <People view={view} report={report} people={people} />}
      {last.cursor !== null && (
        <button type="button" class="button" disabled={isReading} onClick={more}>
          {isReading ? text.common.loading : words.more(Math.min(500, last.n - people.length))}
        </button>
      )}
    </>
  );
}

function People({ view, report, people }: { view: View; report: Report; people: Listed[] }) {
  const words = text.report.list;
  const hasSessions = people[0]?.session !== undefined;
  const { site } = view;
  const moment = (ms: number) => formatMoment(new Date(ms).toISOString(), site.timezone);
  return (
    <div class="table-scroll is-tall" tabIndex={0} role="region" aria-label={words.path}>
      <table class="people">
        <thead>
          <tr>
            <th scope="col">{words.visitor}</th>
            {hasSessions && <th scope="col">{words.session}</th>}
            <th scope="col">{words.began}</th>
            <th scope="col">{words.path}</th>
            <th scope="col">{words.took}</th>
          </tr>
        </thead>
        <tbody>
          {people.map(({ visitor, session, path }, index) => {
            const first = path[0]?.[1];
            const final = path.at(-1)?.[1];
            return (
              <tr key={index}>
                <th scope="row">
                  <VisitorLink view={view} visitor={visitor} />
                </th>
                {hasSessions && <td>{session === undefined ? "" : formatMoment(session, site.timezone)}</td>}
                <td>{first === undefined ? "" : moment(first)}</td>
                <td class="is-text">
                  {path.map(([stage]) => report.stages[stage - 1]?.name ?? String(stage)).join(" → ")}
                </td>
                <td>{path.length > 1 && first !== undefined && final !== undefined ? formatDuration(final - first) : ""}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

export function VisitorLink({ view, visitor }: { view: View; visitor: string }) {
  if (screenOf("journeys") === undefined) return <>{visitor}</>;
  const query = new URLSearchParams({ funnel: view.saved.name });
  return <a href={`${link.screen(view.site.name, "journeys", visitor)}?${query}`}>{visitor}</a>;
}
