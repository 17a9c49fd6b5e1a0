/* One visitor: who he is, which funnels count him, and his line. */
import { useState } from "preact/hooks";
import { api } from "../api";
import type { Erased, Journey, JourneyRequest, SavedFunnel, Site } from "../api-types";
import { askedOf } from "../ask/question";
import { useAsked } from "../ask/useAsked";
import { sharedQuery } from "../ask/question";
import { formatMoment } from "../format";
import { chosenFunnel } from "../funnels/chosen";
import { Await, Notice } from "../parts/basic";
import { FunnelPicker } from "../parts/FunnelPicker";
import { asApiError, useLoaded, useTitle } from "../parts/hooks";
import { link, navigate } from "../router";
import { words } from "../words/journeys";
import { FunnelsOf } from "./FunnelsOf";
import { Line } from "./Line";
import { shortId } from "./sessions";
import { PersonActions } from "./PersonActions";

const EVENTS = 1000;
const EVENTS_MAX = 10_000;

interface Props {
  site: Site;
  visitor: string;
  query: string;
  canErase: boolean;
}

export function JourneyPage(props: Props) {
  const { site, visitor } = props;
  useTitle(shortId(visitor));
  const funnels = useLoaded((signal) => api.funnels(site.name, signal), site.name);
  return <Await loaded={funnels}>{(list) => <Person {...props} funnels={list} />}</Await>;
}

function Person({ site, visitor, query, canErase, funnels }: Props & { funnels: SavedFunnel[] }) {
  const { question, today } = useAsked(site, query);
  const [limit, setLimit] = useState(EVENTS);
  const [erased, setErased] = useState<Erased | null>(null);
  const params = new URLSearchParams(query);
  const chosen = chosenFunnel(params.get("funnel"), site, funnels);
  const name = chosen?.name ?? "";
  const stages = chosen?.definition.stages ?? [];
  const { bots } = askedOf(question, today);
  /* the whole of it, whatever range the list was of */
  const request = { visitor, bots, limit, ...(name === "" ? {} : { funnel: name }) };
  const loaded = useLoaded((signal) => journeyOf(site.name, request, signal), JSON.stringify(request));
  const choose = (funnel: string) => {
    const shared = sharedQuery(query);
    const own = new URLSearchParams({ funnel }).toString();
    navigate(`${link.screen(site.name, "journeys", visitor)}${shared === "" ? "?" : `${shared}&`}${own}`, {
      replace: true,
    });
  };
  return (
    <article class="journey">
      <p>
        <a href={link.screen(site.name, "journeys") + sharedQuery(query)}>← {words.back}</a>
      </p>
      <Await loaded={loaded}>
        {(journey) =>
          erased !== null ? (
            <Gone visitor={visitor} erased={erased} />
          ) : journey === null ? (
            <Unknown visitor={visitor} />
          ) : (
            <>
              <Head site={site} journey={journey}>
                <PersonActions site={site} journey={journey} canErase={canErase} onErased={setErased} />
              </Head>
              <div class="journey-parts">
                <section class="panel" aria-labelledby="line-title">
                  <div class="line-head">
                    <h2 id="line-title">{words.line}</h2>
                    <FunnelPicker
                      label={words.funnel}
                      funnels={funnels}
                      chosen={name}
                      choose={choose}
                      none={words.noFunnel}
                    />
                  </div>
                  {stages.length > 0 && <MarksLegend />}
                  <Shown journey={journey} onAll={() => setLimit(EVENTS_MAX)} />
                  <Line site={site} journey={journey} stages={stages.map((stage) => stage.name)} />
                </section>
                <FunnelsOf site={site} visitor={visitor} funnels={funnels} />
              </div>
            </>
          )
        }
      </Await>
    </article>
  );
}

/* null: nobody of that id has done anything there */
async function journeyOf(site: string, request: JourneyRequest, signal: AbortSignal): Promise<Journey | null> {
  try {
    const journey = await api.journey(site, request, signal);
    return journey.n === 0 ? null : journey;
  } catch (reason) {
    if (asApiError(reason).status === 404) return null;
    throw reason;
  }
}

function Gone({ visitor, erased }: { visitor: string; erased: Erased }) {
  return (
    <Notice kind="success">
      <p>{words.erased(visitor)}</p>
      {!erased.backup_knows && <p>{words.erasedBackup}</p>}
    </Notice>
  );
}

function Unknown({ visitor }: { visitor: string }) {
  return (
    <div class="empty">
      <h1>{visitor}</h1>
      <p>
        <strong>{words.unknown}</strong>
      </p>
      <p>{words.unknownHint}</p>
    </div>
  );
}

function MarksLegend() {
  return (
    <p class="legend hint">
      <span>
        <span class="mark is-counted" aria-hidden="true">
          1
        </span>{" "}
        {words.markCounted}
      </span>
      <span>
        <span class="mark" aria-hidden="true">
          1
        </span>{" "}
        {words.markMatched}
      </span>
    </p>
  );
}

function Shown({ journey, onAll }: { journey: Journey; onAll: () => void }) {
  const shown = journey.sessions.reduce((sum, session) => sum + session.events.length, 0);
  if (shown >= journey.n) return null;
  return (
    <p class="actions">
      <span class="hint">{words.earlier(shown, journey.n)}</span>
      {shown < EVENTS_MAX && (
        <button type="button" class="button is-quiet" onClick={onAll}>
          {words.showAll}
        </button>
      )}
    </p>
  );
}

function Head({
  site,
  journey,
  children,
}: {
  site: Site;
  journey: Journey;
  children: preact.ComponentChildren;
}) {
  const events = journey.sessions.flatMap((session) => session.events);
  const first = events[0]?.event.time;
  const last = events.at(-1)?.event.time;
  const others = journey.ids.filter((id) => id !== journey.visitor);
  return (
    <header class="page-head">
      <div>
        <h1 class="visitor-id">{journey.visitor}</h1>
        <p class="lead">
          {[
            words.events(journey.n),
            words.sessions(journey.sessions.length),
            first === undefined ? "" : `${words.firstSeen} ${formatMoment(first, site.timezone)}`,
            last === undefined ? "" : `${words.lastSeen} ${formatMoment(last, site.timezone)}`,
          ]
            .filter((fact) => fact !== "")
            .join(" · ")}
        </p>
        {others.length > 0 && (
          <details class="ids">
            <summary>
              {words.ids} {words.otherIds(others.length)}
            </summary>
            <p class="hint">{words.idsLead}</p>
            <ul>
              {others.map((id) => (
                <li key={id}>
                  <code>{id}</code>
                </li>
              ))}
            </ul>
          </details>
        )}
      </div>
      <div class="page-actions">{children}</div>
    </header>
  );
}
