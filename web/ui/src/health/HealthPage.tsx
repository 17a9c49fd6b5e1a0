/* How well the figures are founded: what was left out and why, how fresh they are, what the shop
 * received against what is counted, and what the site sends at all. */
import { api } from "../api";
import type { SavedFunnel, Site } from "../api-types";
import { QuestionBar } from "../ask/QuestionBar";
import { queryWith } from "../ask/question";
import { useAsked } from "../ask/useAsked";
import { formatMoment } from "../format";
import { chosenFunnel } from "../funnels/chosen";
import { Await, Failed, Loading } from "../parts/basic";
import { messageOf, useLoaded, useTitle } from "../parts/hooks";
import { PageHead } from "../parts/PageHead";
import { Places } from "../parts/Places";
import { usePolled } from "../parts/usePolled";
import { link, navigate } from "../router";
import type { ScreenProps } from "../screens";
import { words } from "../words/health";
import { Catalogue } from "./Catalogue";
import { LeftOut } from "./LeftOut";
import { Machine } from "./Machine";
import { Reconcile } from "./Reconcile";

const POLL_MS = 10_000;

export function HealthPage({ site, session, query }: ScreenProps) {
  useTitle(`${words.title} · ${site.name}`);
  const funnels = useLoaded((signal) => api.funnels(site.name, signal), site.name);
  return (
    <>
      <PageHead title={words.title} lead={words.lead} />
      <Now site={site} />
      <Await loaded={funnels}>{(list) => <Founded site={site} query={query} funnels={list} />}</Await>
      <Places session={session} />
    </>
  );
}

/* What is told of this moment. */
function Now({ site }: { site: Site }) {
  const { value, error, checked } = usePolled(
    site.name,
    (etag, signal) => api.health(site.name, etag, signal),
    POLL_MS,
  );
  if (value === null) return error === null ? <Loading /> : <Failed error={error} />;
  return (
    <>
      <p class="hint" role="status">
        {error !== null && `${words.stale(formatMoment(new Date(checked).toISOString(), site.timezone))} ${messageOf(error)}`}
      </p>
      <div class="panel-pair">
        <LeftOut site={site.name} health={value} />
        <Machine health={value} />
      </div>
    </>
  );
}

/* What is asked of the events of chosen days. */
function Founded({ site, query, funnels }: { site: Site; query: string; funnels: SavedFunnel[] }) {
  const here = useAsked(site, query);
  const funnel = chosenFunnel(new URLSearchParams(query).get("funnel"), site, funnels);
  const choose = (name: string) =>
    navigate(link.screen(site.name, "health") + queryWith({ funnel: name }, here.question, here.usual));
  return (
    <>
      <QuestionBar
        site={site}
        question={here.question}
        today={here.today}
        onChange={here.ask}
        hasCompare={false}
        stages={funnel?.definition.stages.map(({ name }) => name) ?? []}
      />
      {funnel === null ? (
        <p class="empty">
          <a href={link.funnels(site.name)}>{words.reconcile.noFunnel}</a>
        </p>
      ) : (
        <Reconcile key={funnel.name} site={site} here={here} funnel={funnel} funnels={funnels} choose={choose} />
      )}
      <Catalogue site={site} here={here} />
    </>
  );
}
