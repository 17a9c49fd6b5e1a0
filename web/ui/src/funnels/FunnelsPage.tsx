/* One site: is it receiving anything, and which funnels does it have. */
import { useEffect, useState } from "preact/hooks";
import { api } from "../api";
import type { SavedFunnel, Session, Site } from "../api-types";
import { MiniFunnel } from "../drawing/MiniFunnel";
import { formatMoment, formatShare } from "../format";
import { Await, CopyBox } from "../parts/basic";
import { messageOf, useLoaded, useTitle } from "../parts/hooks";
import { link } from "../router";
import { TEMPLATES } from "../editor/templates";
import { text } from "../text";
import { windowWords } from "../windowWords";

const WAIT_MS = 2000;

/* The site as it is now; asked again every two seconds until its first event has come. */
function useArrival(site: Site): Site {
  const [current, setCurrent] = useState(site);
  const isWaiting = current.events === 0;
  useEffect(() => {
    if (!isWaiting) return undefined;
    const timer = window.setInterval(() => {
      if (document.hidden) return;
      api.sites().then(
        (sites) => {
          const found = sites.find((candidate) => candidate.name === site.name);
          if (found !== undefined && found.events > 0) setCurrent(found);
        },
        () => undefined,
      );
    }, WAIT_MS);
    return () => window.clearInterval(timer);
  }, [site.name, isWaiting]);
  return current;
}

export function FunnelsPage({ site: loadedSite, demo }: { site: Site; demo: Session["demo"] }) {
  const site = useArrival(loadedSite);
  const funnels = useLoaded((signal) => api.funnels(site.name, signal), site.name);
  const words = text.site;
  useTitle(site.name);
  return (
    <>
      <header class="page-head">
        <div>
          <h1>{site.name}</h1>
          <p class="lead">
            {site.domain} · {words.timezone(site.timezone)} ·{" "}
            {site.events === 0 ? text.sites.noEvents : text.sites.events(site.events)}
            {site.first_event !== null &&
              `, ${text.sites.since(formatMoment(site.first_event, site.timezone))}`}
          </p>
        </div>
      </header>
      {site.demo && demo !== null && (
        <section class="panel is-accent">
          <div>
            <h2>{words.demoTitle}</h2>
            <p>{words.demoLead}</p>
          </div>
          <a class="button is-primary" href={demo.shop} target="_blank" rel="noopener">
            {words.openShop} <span aria-hidden="true">↗</span>
            <span class="visually-hidden">{text.common.opensElsewhere}</span>
          </a>
        </section>
      )}
      {site.events === 0 && (
        <section class="panel stack">
          <h2>
            <span class="live-dot" aria-hidden="true" /> {words.waiting}
          </h2>
          <p>{words.waitingLead}</p>
          <CopyBox label={words.showSnippet} value={site.snippet} rows={3} />
        </section>
      )}
      <section aria-labelledby="funnels-title">
        <h2 id="funnels-title">{words.funnels}</h2>
        <Await loaded={funnels}>
          {(list) =>
            list.length === 0 ? (
              <p class="lead">{words.noFunnels}</p>
            ) : (
              <ul class="rows">
                {list.map((funnel) => (
                  <FunnelRow key={funnel.name} site={site} funnel={funnel} />
                ))}
              </ul>
            )
          }
        </Await>
      </section>
      <NewFunnel site={site} />
      {site.events > 0 && (
        <details class="panel">
          <summary>{words.showSnippet}</summary>
          <CopyBox label={text.sites.snippet} value={site.snippet} rows={3} />
        </details>
      )}
    </>
  );
}

function FunnelRow({ site, funnel }: { site: Site; funnel: SavedFunnel }) {
  const { definition } = funnel;
  const preset = text.presets[definition.preset ?? "open"].name;
  return (
    <li class="row-pair">
      <a class="row" href={link.report(site.name, funnel.name)}>
        <span class="row-main">
          <strong>{funnel.name}</strong>
          <span class="row-sub">
            {definition.stages.map((stage) => stage.name).join(" → ")}
          </span>
          <span class="row-sub">
            {preset} · {text.site.within(windowWords(definition.window ?? "7d"))}
          </span>
        </span>
        <FunnelFigures site={site} funnel={funnel} />
      </a>
      <a class="button" href={link.editor(site.name, funnel.name)}>
        {text.site.edit}
        <span class="visually-hidden"> {funnel.name}</span>
      </a>
    </li>
  );
}

function FunnelFigures({ site, funnel }: { site: Site; funnel: SavedFunnel }) {
  const loaded = useLoaded(
    (signal) => api.report(site.name, { funnel: funnel.definition }, signal),
    `${site.name}/${funnel.name}/${funnel.updated}`,
  );
  if (loaded.state === "loading")
    return <span class="row-figure row-sub">{text.common.loading}</span>;
  if (loaded.state === "failed")
    return (
      <span class="row-figure row-sub">
        {text.site.noFigures}
        {messageOf(loaded.error)}
      </span>
    );
  const { entered, converted, conversion_rate: rate } = loaded.value;
  return (
    <span class="row-figures">
      <MiniFunnel report={loaded.value} />
      <span class="row-figure">
        <strong>{formatShare(rate)}</strong>
        <span class="row-sub">{text.site.ofEntered(converted, entered)}</span>
      </span>
    </span>
  );
}

function NewFunnel({ site }: { site: Site }) {
  return (
    <section aria-labelledby="new-title">
      <h2 id="new-title">{text.site.newFunnel}</h2>
      <ul class="templates">
        {TEMPLATES.map((template) => (
          <li key={template.id}>
            <a href={link.newFunnel(site.name, template.id)}>
              <strong>{text.templates[template.id].title}</strong>
              <span>{text.templates[template.id].lead}</span>
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}
