/* The funnels of a site: a line each, with what came of it in the days that are asked about. */
import { api } from "../api";
import type { Report, SavedFunnel, Site } from "../api-types";
import { askedOf, sharedQuery } from "../ask/question";
import { QuestionBar } from "../ask/QuestionBar";
import { useAnswer } from "../ask/useAnswer";
import { useAsked, type AskedHere } from "../ask/useAsked";
import { MiniFunnel } from "../drawing/MiniFunnel";
import { changeWords } from "../drawing/words";
import { TEMPLATES } from "../editor/templates";
import { formatMoment, formatMoneyShort, formatShare } from "../format";
import { Await } from "../parts/basic";
import { messageOf, useLoaded, useTitle } from "../parts/hooks";
import { isAtLeast } from "../people/rights";
import { link } from "../router";
import { text } from "../text";
import { words as editorWords } from "../words/editor";
import { windowWords } from "../windowWords";

export function FunnelsPage({ site, query }: { site: Site; query: string }) {
  const funnels = useLoaded((signal) => api.funnels(site.name, signal), site.name);
  const here = useAsked(site, query);
  const words = text.site;
  useTitle(`${words.funnels} · ${site.name}`);
  return (
    <>
      <header class="page-head is-tight">
        <h1>{words.funnels}</h1>
      </header>
      <QuestionBar site={site} question={here.question} today={here.today} onChange={here.ask} />
      <Await loaded={funnels}>
        {(list) =>
          list.length === 0 ? (
            <p class="lead">{words.noFunnels}</p>
          ) : (
            <ul class="rows">
              {list.map((funnel) => (
                <FunnelRow key={funnel.name} site={site} funnel={funnel} here={here} query={query} />
              ))}
            </ul>
          )
        }
      </Await>
      {isAtLeast(site, "editor") && <NewFunnel site={site} />}
    </>
  );
}

interface RowProps {
  site: Site;
  funnel: SavedFunnel;
  here: AskedHere;
  query: string;
}

function FunnelRow({ site, funnel, here, query }: RowProps) {
  const { definition } = funnel;
  const preset = text.presets[definition.preset ?? "open"].name;
  return (
    <li class="row-pair">
      <a class="row" href={link.report(site.name, funnel.name) + sharedQuery(query)}>
        <span class="row-main">
          <strong>{funnel.name}</strong>
          <span class="row-sub">{definition.stages.map((stage) => stage.name).join(" → ")}</span>
          <span class="row-sub">
            {preset} · {text.site.within(windowWords(definition.window ?? "7d"))} ·{" "}
            {text.site.edited(formatMoment(funnel.updated, site.timezone))}
          </span>
        </span>
        <FunnelFigures site={site} funnel={funnel} here={here} />
      </a>
      {isAtLeast(site, "editor") && (
        <a class="button" href={link.editor(site.name, funnel.name)}>
          {text.site.edit}
          <span class="visually-hidden"> {funnel.name}</span>
        </a>
      )}
    </li>
  );
}

function FunnelFigures({ site, funnel, here }: Omit<RowProps, "query">) {
  const asked = askedOf(here.question, here.today);
  const { value, error, isWaiting } = useAnswer<Report>(
    JSON.stringify([site.name, funnel.definition, asked]),
    (queryId, signal) =>
      api.report(site.name, { funnel: funnel.definition, ...asked, query_id: queryId }, signal),
  );
  if (value === null)
    return (
      <span class="row-figure row-sub">
        {error === null ? text.common.loading : `${text.site.noFigures}${messageOf(error)}`}
      </span>
    );
  const { entered, converted, conversion_rate: rate, compare } = value;
  const before = compare?.conversion_rate ?? null;
  const money = formatMoneyShort(value.stages.at(-1)?.value, "");
  return (
    <span class={isWaiting ? "row-figures is-waiting" : "row-figures"}>
      <MiniFunnel report={value} />
      <span class="row-figure">
        <strong>{formatShare(rate)}</strong>
        {rate !== null && before !== null && <span class="row-change"> {changeWords(rate, before)}</span>}
        <span class="row-sub">{text.site.ofEntered(converted, entered)}</span>
        {money.map((amount) => (
          <span key={amount} class="row-sub">
            {amount}
          </span>
        ))}
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
              <strong>{editorWords.templates[template.id].title}</strong>
              <span>{editorWords.templates[template.id].lead}</span>
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}
