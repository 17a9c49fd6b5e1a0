/* A site's beginning as one path: named, snippet pasted, first event, first funnel. What has been
 * done is seen from the site itself, so that one can leave and come back at any step. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { api } from "../api";
import type { SavedFunnel, Site } from "../api-types";
import { freeName, fromTemplate, TEMPLATES, type Template } from "../editor/templates";
import { attributeOf } from "../journeys/words";
import { CopyBox, Notice } from "../parts/basic";
import { messageOf, useAction, useLoaded } from "../parts/hooks";
import { PageHead } from "../parts/PageHead";
import { isAtLeast } from "../people/rights";
import { link, navigate } from "../router";
import { Checks, Findings } from "../settings/SnippetChecks";
import { words as editorWords } from "../words/editor";
import { words } from "../words/start";
import { secretOf } from "./newSite";

const EVENT_NAMES_MAX = 500;

interface Props {
  site: Site;
  funnels: SavedFunnel[];
}

export function Start({ site, funnels }: Props) {
  const hasEvents = site.events > 0;
  if (!isAtLeast(site, "editor"))
    return <p class="empty">{hasEvents ? words.noFunnel : words.notYours}</p>;
  return (
    <>
      <PageHead title={words.title(site.name)} lead={words.lead} />
      <ol class="start" aria-label={words.steps}>
        <Step title={words.named} isDone>
          <p class="hint">{words.namedAs(site.name, site.domain, site.timezone)}</p>
        </Step>
        <Step title={words.snippet} isDone={hasEvents} isNow={!hasEvents}>
          <Snippet site={site} />
        </Step>
        <Step title={words.first} isDone={hasEvents} isNow={!hasEvents}>
          {hasEvents ? <Arrived site={site} /> : <Waiting site={site} />}
        </Step>
        <Step title={words.funnel} isDone={funnels.length > 0} isNow={hasEvents && funnels.length === 0}>
          {hasEvents ? <Templates site={site} funnels={funnels} /> : <p class="hint">{words.funnelLater}</p>}
        </Step>
      </ol>
    </>
  );
}

interface StepProps {
  title: string;
  isDone: boolean;
  isNow?: boolean;
  children: ComponentChildren;
}

function Step({ title, isDone, isNow = false, children }: StepProps) {
  return (
    <li class={isDone ? "panel start-step is-done" : "panel start-step"} aria-current={isNow ? "step" : undefined}>
      <h2>
        {title}
        {isDone && <span class="tag">{words.done}</span>}
      </h2>
      {children}
    </li>
  );
}

function Snippet({ site }: { site: Site }) {
  const secret = secretOf(site.name);
  return (
    <div class="stack">
      <p class="hint">{words.snippetLead}</p>
      <CopyBox label={words.snippetLabel} value={site.snippet} rows={3} />
      {secret !== null && (
        <Notice kind="info">
          <CopyBox label={words.secret} value={secret} />
          <p>{words.secretLead}</p>
        </Notice>
      )}
    </div>
  );
}

function Waiting({ site }: { site: Site }) {
  return (
    <div class="stack">
      <p role="status">
        <span class="live-dot" aria-hidden="true" /> {words.waiting}
      </p>
      <Findings site={site} isWaited />
      <Checks site={site} isOpen={false} />
    </div>
  );
}

/* What arrived, so that one sees that it is one's own page. */
function Arrived({ site }: { site: Site }) {
  const newest = useLoaded(
    (signal) => api.live(site.name, { limit: 1 }, signal).then(({ events }) => events[0]?.event ?? null),
    site.name,
  );
  const event = newest.state === "ready" ? newest.value : null;
  const where = event === null ? "" : `${attributeOf(event, "host") ?? ""}${attributeOf(event, "path") ?? ""}`;
  return (
    <p role="status">
      {words.arrived(site.events)} {event !== null && words.arrivedFirst(event.event, where)}{" "}
      <a href={link.screen(site.name, "live")}>{words.watch}</a>
    </p>
  );
}

function Templates({ site, funnels }: Props) {
  const action = useAction();
  const [chosen, setChosen] = useState("");
  const make = (template: Template) => async () => {
    setChosen(template.id);
    const events = await api.values(site.name, "event", "", EVENT_NAMES_MAX);
    const name = freeName(editorWords.templates[template.id].title, funnels.map((funnel) => funnel.name));
    const definition = fromTemplate(template, name, events.map(({ value }) => value));
    await api.saveFunnel(site.name, name, definition);
    navigate(link.report(site.name, name));
  };
  return (
    <div class="stack">
      <p class="hint">{words.funnelLead}</p>
      {action.error !== null && <Notice kind="error">{messageOf(action.error)}</Notice>}
      <ul class="templates">
        {TEMPLATES.filter(({ id }) => id !== "blank").map((template) => (
          <li key={template.id}>
            <button
              type="button"
              aria-busy={action.isBusy && chosen === template.id}
              disabled={action.isBusy}
              onClick={() => void action.run(make(template))}
            >
              <strong>{editorWords.templates[template.id].title}</strong>
              <span>{editorWords.templates[template.id].lead}</span>
            </button>
          </li>
        ))}
      </ul>
      <p>
        <a href={link.newFunnel(site.name, "blank")}>{words.blank}</a>
      </p>
    </div>
  );
}
