/* What arrives at this moment, and what became of it. */
import { useState } from "preact/hooks";
import { api } from "../api";
import type { LiveEvent, SavedFunnel, Site } from "../api-types";
import { formatDuration } from "../format";
import { chosenFunnel } from "../funnels/chosen";
import { shortId } from "../journeys/sessions";
import { attributeOf, driverWords, valueOf } from "../journeys/words";
import { Await, Failed, Loading } from "../parts/basic";
import { FunnelPicker } from "../parts/FunnelPicker";
import { messageOf, useLoaded, useTitle } from "../parts/hooks";
import { PageHead } from "../parts/PageHead";
import { link, navigate } from "../router";
import type { ScreenProps } from "../screens";
import { LOCALE, text } from "../text";
import { placeWords, valueName } from "../valueNames";
import { words } from "../words/live";
import { useLive } from "./useLive";

export function LivePage({ site, query }: ScreenProps) {
  useTitle(words.title);
  const funnels = useLoaded((signal) => api.funnels(site.name, signal), site.name);
  return (
    <>
      <PageHead title={words.title} lead={words.lead}>
        <a class="button" href={link.screen(site.name, "health")}>
          {words.health}
        </a>
      </PageHead>
      <Await loaded={funnels}>{(list) => <Watch site={site} query={query} funnels={list} />}</Await>
    </>
  );
}

function clock(time: number, timeZone: string): string {
  const options: Intl.DateTimeFormatOptions = { timeStyle: "medium", hourCycle: "h23" };
  try {
    return new Intl.DateTimeFormat(LOCALE, { ...options, timeZone }).format(time);
  } catch {
    return new Intl.DateTimeFormat(LOCALE, { ...options, timeZone: "UTC" }).format(time);
  }
}

function Watch({ site, query, funnels }: { site: Site; query: string; funnels: SavedFunnel[] }) {
  const [isPaused, setPaused] = useState(false);
  const asked = new URLSearchParams(query).get("funnel");
  const chosen = chosenFunnel(asked, site, funnels);
  const name = chosen?.name ?? "";
  const stages = chosen?.definition.stages ?? [];
  const { value: live, error, checked } = useLive(site.name, name, isPaused);
  if (live === null) return error === null ? <Loading /> : <Failed error={error} />;
  const age = live.newest === null ? null : Date.parse(live.as_of) - Date.parse(live.newest);
  return (
    <>
      <div class="finder">
        <p>
          {!isPaused && error === null && <span class="live-dot" aria-hidden="true" />}{" "}
          <strong>
            {words.here(live.visitors, new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 1 }).format(live.events_per_minute))}
          </strong>
          {age !== null && <span class="hint"> · {words.age(formatDuration(Math.max(1000, age)))}</span>}
        </p>
        <FunnelPicker
          label={words.funnel}
          funnels={funnels}
          chosen={name}
          choose={(funnel) =>
            navigate(`${link.screen(site.name, "live")}?${new URLSearchParams({ funnel })}`, { replace: true })
          }
          none={words.noFunnel}
        />
        <button type="button" class="button" aria-pressed={isPaused} onClick={() => setPaused(!isPaused)}>
          {isPaused ? words.resume : words.pause}
        </button>
        <span class="hint" role="status">
          {isPaused ? words.paused : error === null ? "" : `${words.stale(clock(checked, site.timezone))} ${messageOf(error)}`}
        </span>
      </div>
      {live.events.length === 0 ? (
        <div class="empty">
          <p>
            <strong>{words.none}</strong>
          </p>
          <p>
            {words.noneHint} <a href={link.screen(site.name, "settings")}>{words.settings}</a>
          </p>
        </div>
      ) : (
        <section class="panel" aria-label={words.caption}>
          <ol class="live-list">
            {live.events.map((one) => (
              <Row key={one.key} site={site} item={one} stages={stages.map((stage) => stage.name)} />
            ))}
          </ol>
        </section>
      )}
    </>
  );
}

function Row({ site, item: one, stages }: { site: Site; item: LiveEvent; stages: string[] }) {
  const { event } = one;
  const country = attributeOf(event, "country");
  const path = attributeOf(event, "path");
  const value = valueOf(event);
  const names = (one.stages ?? []).map((stage) => stages[stage - 1] ?? "");
  const reached = one.reached ?? null;
  return (
    <li>
      <time class="line-time" dateTime={event.time}>
        {clock(Date.parse(event.time), site.timezone)}
      </time>
      <div>
        <p>
          <strong>{event.event}</strong> {path !== null && <code>{path}</code>}
          {value !== null && <span class="line-value"> {value}</span>}
          {one.is_entrance && <span class="tag">{words.entrance}</span>}
          {one.bot && <span class="tag">{words.bot}</span>}
        </p>
        <p class="hint">
          {one.visitor !== null && (
            <a class="visitor" href={link.screen(site.name, "journeys", one.visitor)}>
              {shortId(one.visitor)}
            </a>
          )}{" "}
          {[placeWords(attributeOf(event, "city"), country === null ? null : valueName("country", country)), one.channel === null ? "" : driverWords(one)]
            .filter((fact) => fact !== "")
            .map((fact) => `· ${fact}`)
            .join(" ")}
        </p>
      </div>
      <p class="live-became">
        {names.length > 0 && (
          <>
            {(one.stages ?? []).map((stage) => (
              <span key={stage} class="mark is-counted" aria-hidden="true">
                {stage}
              </span>
            ))}
            <span class="visually-hidden">{words.marks(names.join(text.common.joins.comma))}</span>
          </>
        )}{" "}
        {reached !== null && <span class="hint">{words.reached(reached, stages[reached - 1] ?? "")}</span>}
      </p>
    </li>
  );
}
