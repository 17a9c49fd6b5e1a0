/* The funnel report: what it counts in words, how strictly, in which days; the drawing; every figure
 * of it with its divisor; the same as tables. The address holds all of it. */
import { useMemo } from "preact/hooks";
import { api } from "../api";
import { isLive } from "../ask/range";
import { QuestionBar } from "../ask/QuestionBar";
import { useAnswer, type Answer } from "../ask/useAnswer";
import { useAsked } from "../ask/useAsked";
import type { FunnelDefinition, Preset, Report, SavedFunnel, Session, Site } from "../api-types";
import { flowOf, isCut } from "../drawing/layout";
import { FunnelDrawing } from "../drawing/FunnelDrawing";
import { DrawingLegend } from "../drawing/DrawingLegend";
import { formatCount, formatDuration, formatMoment, formatShare } from "../format";
import { Await, Failed, Loading } from "../parts/basic";
import { messageOf, useLoaded, useTitle } from "../parts/hooks";
import { link, navigate } from "../router";
import { LOCALE, text } from "../text";
import { DefinitionWords } from "./DefinitionWords";
import { MovesTable, StageTable, TimeTable } from "./Tables";
import { StageCards } from "./StageCards";
import { parseState, queryOf, requestOf, type ReportState } from "./state";

const POLL_MS = 1000;

interface PageProps {
  site: Site;
  funnel: string;
  query: string;
  demo: Session["demo"];
}

export function ReportPage({ site, funnel, query, demo }: PageProps) {
  useTitle(funnel);
  const saved = useLoaded(
    (signal) => api.funnel(site.name, funnel, signal),
    `${site.name}/${funnel}`,
  );
  return (
    <Await loaded={saved}>
      {(value) => <ReportView site={site} saved={value} query={query} demo={demo} />}
    </Await>
  );
}

interface ViewProps {
  site: Site;
  saved: SavedFunnel;
  query: string;
  demo: Session["demo"];
}

function ReportView({ site, saved, query, demo }: ViewProps) {
  const state = parseState(query);
  const { question, usual, today, ask } = useAsked(site, query);
  const live = isLive(question.range, today);
  const polled = useAnswer(
    JSON.stringify([site.name, saved.definition, state.preset, question, today]),
    (queryId, signal) =>
      api.report(
        site.name,
        { ...requestOf(saved.definition, state, question, today), query_id: queryId },
        signal,
      ),
    { pollMs: () => (live ? POLL_MS : null) },
  );
  const go = (next: ReportState) =>
    navigate(link.report(site.name, saved.name) + queryOf(next, question, usual));
  const report = polled.value;
  const shown = report?.funnel ?? saved.definition;

  return (
    <article class="report">
      <header class="page-head">
        <div>
          <h1>{saved.name}</h1>
          <DefinitionWords definition={shown} range={question.range} timezone={site.timezone} today={today} />
        </div>
        <div class="page-actions">
          {demo !== null && site.demo && (
            <a class="button" href={demo.shop} target="_blank" rel="noopener">
              {text.site.openShop} <span aria-hidden="true">↗</span>
              <span class="visually-hidden">{text.common.opensElsewhere}</span>
            </a>
          )}
          <a class="button" href={link.editor(site.name, saved.name)}>
            {text.report.edit}
          </a>
        </div>
      </header>
      <QuestionBar
        site={site}
        question={question}
        today={today}
        onChange={ask}
        stages={shown.stages.map((stage) => stage.name)}
      />
      {report === null ? (
        polled.error === null ? (
          <Loading />
        ) : (
          <Failed error={polled.error} />
        )
      ) : (
        <div class={polled.isWaiting ? "report-body is-waiting" : "report-body"}>
          <PresetChoice report={report} definition={saved.definition} state={state} onChange={go} />
          <ReportFigures report={report} state={state} onChange={go} />
          <Foot report={report} polled={polled} timezone={site.timezone} isLive={live} />
        </div>
      )}
    </article>
  );
}

const PRESETS: Preset[] = ["open", "closed", "sequential"];

/* "Open 285 | From the top 224 | Every stage in order 118", the chosen one bold. */
function PresetChoice({
  report,
  definition,
  state,
  onChange,
}: {
  report: Report;
  definition: FunnelDefinition;
  state: ReportState;
  onChange: (state: ReportState) => void;
}) {
  const own = definition.preset ?? "open";
  const chosen = state.preset ?? own;
  const last = report.stages.at(-1);
  const share = formatShare(report.conversion_rate);
  return (
    <section class="result" aria-label={text.report.presetsLabel}>
      <p class="result-words" aria-live="polite">
        {last?.kind === "sale"
          ? text.report.summarySale(report.converted, report.entered, share)
          : text.report.summary(report.converted, report.entered, share, last?.name ?? "")}
      </p>
      <div class="presets" role="group" aria-label={text.report.presetsLabel}>
        {PRESETS.map((preset) => {
          const figures = report.presets[preset];
          const { name, explains } = text.presets[preset];
          return (
            <button
              key={preset}
              type="button"
              class="preset"
              aria-pressed={preset === chosen}
              title={`${explains} ${text.report.presetOf(figures.converted, figures.entered)}`}
              onClick={() => onChange({ ...state, preset: preset === own ? null : preset })}
            >
              <span class="preset-name">{name}</span>
              <span class="preset-count">{formatCount(figures.converted)}</span>
              <span class="preset-share">{formatShare(figures.conversion_rate)}</span>
            </button>
          );
        })}
      </div>
      <p class="hint">{text.presets[chosen].explains}</p>
    </section>
  );
}

function ReportFigures({
  report,
  state,
  onChange,
}: {
  report: Report;
  state: ReportState;
  onChange: (state: ReportState) => void;
}) {
  const first = Math.min(state.first, Math.max(1, report.stages.length - 1));
  const flow = useMemo(() => flowOf(report, first), [report, first]);
  return (
    <>
      <section class="panel" aria-label={text.report.drawingTitle}>
        {report.entered === 0 ? (
          <div class="empty">
            <p>
              <strong>{text.report.noOne}</strong>
            </p>
            <p>{text.report.noOneHint}</p>
          </div>
        ) : (
          <>
            <div class="drawing-bar">
              <DrawingLegend report={report} />
              <label class="inline-field">
                {text.report.drawFrom}
                <select
                  value={String(first)}
                  onChange={(event) =>
                    onChange({ ...state, first: Number(event.currentTarget.value) })
                  }
                >
                  {report.stages.slice(0, -1).map((stage, index) => (
                    <option key={index} value={String(index + 1)}>
                      {text.report.stageNumber(index + 1, stage.name)}
                    </option>
                  ))}
                </select>
              </label>
            </div>
            <FunnelDrawing flow={flow} anchors="" />
            {isCut(flow) && <p class="hint">{text.report.cut(flow.stages[0]?.name ?? "")}</p>}
          </>
        )}
      </section>
      <section aria-labelledby="cards-title">
        <h2 id="cards-title">{text.report.tabs.cards}</h2>
        <StageCards report={report} />
      </section>
      <section class="panel" aria-labelledby="table-title">
        <h2 id="table-title">{text.report.tabs.table}</h2>
        <StageTable report={report} />
      </section>
      <div class={report.stages.length > 3 ? "panel-pair is-stacked" : "panel-pair"}>
        <section class="panel" aria-labelledby="moves">
          <h2 id="moves">{text.report.tabs.moves}</h2>
          <MovesTable report={report} />
        </section>
        <section class="panel" aria-labelledby="time-title">
          <h2 id="time-title">{text.report.tabs.time}</h2>
          <TimeTable report={report} />
        </section>
      </div>
    </>
  );
}

function Foot({
  report,
  polled,
  timezone,
  isLive: live,
}: {
  report: Report;
  polled: Answer<Report>;
  timezone: string;
  isLive: boolean;
}) {
  const time = new Intl.DateTimeFormat(LOCALE, { timeStyle: "medium" }).format(polled.checked);
  return (
    <footer class="report-foot">
      {polled.error !== null ? (
        <p class="is-stale" role="status">
          {text.report.stale(time)} {messageOf(polled.error)}
        </p>
      ) : (
        <p>
          {live ? (
            <>
              <span class="live-dot" aria-hidden="true" /> {text.report.live(time)}
            </>
          ) : (
            text.report.asOf(formatMoment(report.as_of, timezone))
          )}
        </p>
      )}
      <p>{text.report.leftOut(report.left_out.bots)}</p>
      <p>{text.report.read(report.events_read, formatDuration(report.elapsed_ms))}</p>
      {report.warnings.map((warning) => (
        <p key={warning.code} class="is-stale">
          {warning.message}
        </p>
      ))}
    </footer>
  );
}
