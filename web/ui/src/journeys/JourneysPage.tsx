/* Visitors by what they did, where a funnel has them, an id or an order; page by page. */
import { useEffect, useState } from "preact/hooks";
import { api } from "../api";
import type { SavedFunnel, Site } from "../api-types";
import { QuestionBar } from "../ask/QuestionBar";
import { askedOf, queryWith } from "../ask/question";
import { useAsked } from "../ask/useAsked";
import { chosenFunnel } from "../funnels/chosen";
import { Await } from "../parts/basic";
import { FunnelPicker } from "../parts/FunnelPicker";
import { useLoaded, useTitle } from "../parts/hooks";
import { PageHead } from "../parts/PageHead";
import { link, navigate } from "../router";
import { words } from "../words/journeys";
import { findingKeys, parseFinding, searchOf, type Finding } from "./finding";
import { FoundList } from "./FoundList";

interface Props {
  site: Site;
  query: string;
}

export function JourneysPage({ site, query }: Props) {
  useTitle(words.title);
  const funnels = useLoaded((signal) => api.funnels(site.name, signal), site.name);
  return (
    <>
      <PageHead title={words.title} lead={words.lead} />
      <Await loaded={funnels}>{(list) => <Search site={site} query={query} funnels={list} />}</Await>
    </>
  );
}

function Search({ site, query, funnels }: Props & { funnels: SavedFunnel[] }) {
  const { question, usual, today, ask } = useAsked(site, query);
  const finding = parseFinding(query);
  const chosen = chosenFunnel(finding.funnel, site, funnels);
  const name = chosen?.name ?? "";
  const stages = chosen?.definition.stages ?? [];
  const go = (change: Partial<Finding>) =>
    navigate(link.screen(site.name, "journeys") + queryWith(findingKeys({ ...finding, ...change }), question, usual));
  const asked = askedOf({ ...question, compare: { kind: "none" } }, today);
  const request = { ...asked, ...searchOf(finding, name) };
  return (
    <>
      <QuestionBar
        site={site}
        question={question}
        today={today}
        onChange={ask}
        hasCompare={false}
        stages={stages.map((stage) => stage.name)}
      />
      <div class="finder">
        <SearchForm key={`${finding.by}/${finding.text}`} finding={finding} onChange={go} />
        <FunnelPicker
          label={words.funnel}
          funnels={funnels}
          chosen={name}
          choose={(funnel) => go({ funnel, stage: null, figure: null })}
          none={words.noFunnel}
        />
        {stages.length > 0 && finding.figure === null && (
          <label class="inline-field">
            {words.stage}
            <select
              value={String(finding.stage ?? "")}
              onChange={(event) => go({ stage: Number(event.currentTarget.value) || null })}
            >
              <option value="">{words.anyStage}</option>
              {stages.map((stage, index) => (
                <option key={index} value={String(index + 1)}>
                  {words.numbered(index + 1, stage.name)}
                </option>
              ))}
            </select>
          </label>
        )}
        {finding.figure !== null && (
          <p class="inline-field">
            <span class="tag">{behindWords(finding, stages)}</span>
            <button type="button" class="button is-quiet" onClick={() => go({ figure: null, stage: null })}>
              {words.notBehind}
            </button>
          </p>
        )}
      </div>
      <FoundList
        site={site}
        request={request}
        funnel={name}
        stages={stages.map((stage) => stage.name)}
        query={query}
      />
    </>
  );
}

function behindWords(finding: Finding, stages: { name: string }[]): string {
  const figure = words.figures[finding.figure ?? ""] ?? "";
  const stage = finding.stage === null ? undefined : stages[finding.stage - 1];
  return stage === undefined ? words.behind(figure) : words.behindStage(figure, stage.name);
}

function SearchForm({ finding, onChange }: { finding: Finding; onChange: (change: Partial<Finding>) => void }) {
  const [by, setBy] = useState(finding.by);
  const [text, setText] = useState(finding.text);
  useEffect(() => setBy(finding.by), [finding.by]);
  return (
    <form
      class="finder-form"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        onChange({ by, text });
      }}
    >
      <select
        aria-label={words.searchBy}
        value={by}
        onChange={(event) => setBy(event.currentTarget.value as Finding["by"])}
      >
        <option value="id">{words.by.id}</option>
        <option value="order">{words.by.order}</option>
      </select>
      <input
        type="search"
        aria-label={words.by[by]}
        placeholder={words.searchHints[by]}
        maxLength={128}
        spellcheck={false}
        autocomplete="off"
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <button type="submit" class="button">
        {words.find}
      </button>
      {finding.text !== "" && (
        <button type="button" class="button is-quiet" onClick={() => onChange({ text: "" })}>
          {words.clear}
        </button>
      )}
    </form>
  );
}
