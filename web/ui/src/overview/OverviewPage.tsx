/* What a marketer opens every morning: how many came, how many bought, what changed, where they
 * are lost; below, who they are. A click on a row narrows the whole page to it. */
import { api } from "../api";
import type { SavedFunnel, Site } from "../api-types";
import { QuestionBar } from "../ask/QuestionBar";
import { isLive } from "../ask/range";
import { askedOf, sharedQuery } from "../ask/question";
import { useAnswer } from "../ask/useAnswer";
import { useAsked, type AskedHere } from "../ask/useAsked";
import { chosenFunnel } from "../funnels/chosen";
import { Await, Failed, Loading } from "../parts/basic";
import { useLoaded, useTitle } from "../parts/hooks";
import { Places } from "../parts/Places";
import { link } from "../router";
import type { ScreenProps } from "../screens";
import { lazy } from "../shell/lazy";
import { useArrival } from "../sites/arrival";
import { text } from "../text";
import { Figures } from "./Figures";
import { FunnelPanel } from "./FunnelPanel";
import { HereNow } from "./HereNow";
import { Lists } from "./Lists";
import { Sentence } from "./Sentence";
import { pointsStep } from "../ask/step";

const Start = lazy(() => import("../sites/Start").then((file) => file.Start));

const POLL_MS = 10_000;

export function OverviewPage(props: ScreenProps) {
  const site = useArrival(props.site);
  useTitle(site.name);
  const funnels = useLoaded((signal) => api.funnels(site.name, signal), site.name);
  return (
    <Await loaded={funnels}>
      {(list) => {
        const asked = new URLSearchParams(props.query).get("funnel");
        const funnel = chosenFunnel(asked === "" ? null : asked, site, list);
        if (site.events === 0 || funnel === null) return <Start site={site} funnels={list} />;
        return <Overview {...props} site={site} funnel={funnel} />;
      }}
    </Await>
  );
}

function Overview({ site, session, query, funnel }: ScreenProps & { funnel: SavedFunnel }) {
  const here = useAsked(site, query);
  return (
    <>
      <header class="page-head is-tight">
        <h1>{site.name}</h1>
        <HereNow site={site} />
        {session.demo !== null && site.demo && (
          <a class="button" href={session.demo.shop} target="_blank" rel="noopener">
            {text.site.openShop} <span aria-hidden="true">↗</span>
            <span class="visually-hidden">{text.common.opensElsewhere}</span>
          </a>
        )}
      </header>
      <Shown site={site} funnel={funnel} here={here} query={query} />
      <Places session={session} />
    </>
  );
}

interface ShownProps {
  site: Site;
  funnel: SavedFunnel;
  here: AskedHere;
  query: string;
}

function Shown({ site, funnel, here, query }: ShownProps) {
  const { question, today, ask } = here;
  const asked = askedOf(question, today);
  const trend = pointsStep(question, today, site);
  const live = isLive(question.range, today);
  const pollMs = () => (live ? POLL_MS : null);
  const key = JSON.stringify([site.name, funnel.definition, asked, trend]);
  const report = useAnswer(
    key,
    (queryId, signal) =>
      api.report(site.name, { funnel: funnel.definition, ...asked, trend, query_id: queryId }, signal),
    { pollMs },
  );
  const count = useAnswer(
    key,
    (queryId, signal) => api.count(site.name, { ...asked, trend, query_id: queryId }, signal),
    { pollMs, beside: report },
  );
  const bar = (
    <QuestionBar
      site={site}
      question={question}
      today={today}
      onChange={ask}
      stages={funnel.definition.stages.map(({ name }) => name)}
    />
  );
  if (report.value === null)
    return (
      <>
        {bar}
        {report.error === null ? <Loading /> : <Failed error={report.error} retry={report.retry} />}
      </>
    );
  const part = { site, funnel, here, report: report.value };
  return (
    <>
      {bar}
      <div class={report.isWaiting ? "overview is-waiting" : "overview"} aria-busy={report.isWaiting}>
        <Sentence {...part} />
        <Figures {...part} count={count.value} />
        <FunnelPanel {...part} />
        <Lists {...part} query={query} main={report} />
      </div>
      <footer class="report-foot">
        <p>
          {text.overview.foot.leftOut(report.value.left_out.bots)}{" "}
          <a href={link.screen(site.name, "health") + sharedQuery(query)}>{text.overview.foot.health}</a>
        </p>
      </footer>
    </>
  );
}
