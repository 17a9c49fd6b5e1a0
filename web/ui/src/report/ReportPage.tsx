/* The funnel report: what it counts in words, how strictly, in which days and of whom; the drawing;
 * its figures by stage, by attribute, over time, as moves, as people. The address holds all of it. */
import { api } from "../api";
import type { Report, SavedFunnel, Session, Site } from "../api-types";
import { QuestionBar } from "../ask/QuestionBar";
import { useAsked } from "../ask/useAsked";
import { Await, Failed, Loading } from "../parts/basic";
import { useLoaded, useTitle } from "../parts/hooks";
import { Tabs } from "../parts/Tabs";
import { isAtLeast } from "../people/rights";
import { link, navigate } from "../router";
import { text } from "../text";
import { BreakdownTab } from "./BreakdownTab";
import { DefinitionWords } from "./DefinitionWords";
import { Drawing } from "./Drawing";
import { Figures } from "./figures";
import { ExportTable } from "./ExportTable";
import { Foot } from "./Foot";
import { ReportActions } from "./ReportActions";
import { Result } from "./Result";
import { StageCards } from "./StageCards";
import { parseState, queryOf, TABS, type ReportState } from "./state";
import { MovesTable, StageTable } from "./Tables";
import { TimeTab } from "./TimeTab";
import { TrendTab } from "./TrendTab";
import { useReport } from "./useReport";
import { VisitorsTab } from "./VisitorsTab";
import { Warnings } from "./Warnings";
import type { View } from "./view";

interface PageProps {
  site: Site;
  funnel: string;
  query: string;
  session: Session;
}

export function ReportPage({ site, funnel, query, session }: PageProps) {
  useTitle(funnel);
  const saved = useLoaded((signal) => api.funnel(site.name, funnel, signal), `${site.name}/${funnel}`);
  return (
    <Await loaded={saved}>
      {(value) => <ReportView site={site} saved={value} query={query} session={session} />}
    </Await>
  );
}

interface ViewProps {
  site: Site;
  saved: SavedFunnel;
  query: string;
  session: Session;
}

function ReportView({ site, saved, query, session }: ViewProps) {
  const state = parseState(query);
  const { question, usual, today, ask } = useAsked(site, query);
  const answer = useReport(site, saved.definition, state, question, today);
  const report = answer.value;
  const definition = report?.funnel ?? saved.definition;
  const hrefOf: View["hrefOf"] = (change, asked = question) =>
    link.report(site.name, saved.name) + queryOf({ ...state, ...change }, asked, usual);
  const view = { site, saved, state, question, usual, today, hrefOf };
  const { demo } = session;
  return (
    <article class="report">
      <header class="page-head">
        <div>
          <h1>{saved.name}</h1>
          <DefinitionWords definition={definition} question={question} timezone={site.timezone} today={today} />
        </div>
        <div class="page-actions">
          {demo !== null && site.demo && (
            <a class="button" href={demo.shop} target="_blank" rel="noopener">
              {text.site.openShop} <span aria-hidden="true">↗</span>
              <span class="visually-hidden">{text.common.opensElsewhere}</span>
            </a>
          )}
          {report !== null && <ReportActions view={view} report={report} />}
          {isAtLeast(site, "editor") && (
            <a class="button" href={link.editor(site.name, saved.name)}>
              {text.report.edit}
            </a>
          )}
        </div>
      </header>
      <QuestionBar
        site={site}
        question={question}
        today={today}
        onChange={ask}
        stages={definition.stages.map((stage) => stage.name)}
      />
      {report === null && (answer.error === null ? <Loading /> : <Failed error={answer.error} retry={answer.retry} />)}
      {report !== null && (
        <Figures.Provider
          value={{ list: (figure, stage) => `${hrefOf({ tab: "visitors", opened: { figure, stage } })}#shown` }}
        >
          <div class={answer.isWaiting ? "report-body is-waiting" : "report-body"} aria-busy={!answer.isWhole}>
            <Warnings warnings={report.warnings} />
            <Result view={view} report={report} />
            <Drawing view={view} report={report} />
            <div class="tabbed" id="shown">
              <Tabs
                label={text.report.tabsLabel}
                current={state.tab}
                tabs={TABS.map((name) => ({ name, title: text.report.tabs[name], href: hrefOf({ tab: name }) }))}
              />
              <Tab view={view} report={report} onState={(change) => navigate(hrefOf(change))} />
              <ExportTable view={view} report={report} />
            </div>
            <Foot report={report} answer={answer} view={view} places={session.places} />
          </div>
        </Figures.Provider>
      )}
    </article>
  );
}

interface TabProps {
  view: View;
  report: Report;
  onState: (change: Partial<ReportState>) => void;
}

function Tab({ view, report, onState }: TabProps) {
  const { tabs } = text.report;
  switch (view.state.tab) {
    case "stages":
      return (
        <>
          <section aria-label={tabs.stages}>
            <h2 class="visually-hidden">{tabs.stages}</h2>
            <StageCards report={report} />
          </section>
          <section class="panel" aria-labelledby="table-title">
            <h2 id="table-title">{text.table.title}</h2>
            <StageTable report={report} />
          </section>
        </>
      );
    case "breakdown":
      return <BreakdownTab view={view} report={report} onState={onState} />;
    case "trend":
      return <TrendTab view={view} report={report} onState={onState} />;
    case "time":
      return <TimeTab view={view} report={report} />;
    case "moves":
      return (
        <section class="panel" aria-label={tabs.moves}>
          <MovesTable report={report} />
        </section>
      );
    case "visitors":
      return <VisitorsTab view={view} report={report} onState={onState} />;
  }
}
