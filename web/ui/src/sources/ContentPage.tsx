/* Drivers and pages by how far their visitors get, level by level; and the builder of campaign links. */
import { api } from "../api";
import type { SavedFunnel, Site } from "../api-types";
import { QuestionBar } from "../ask/QuestionBar";
import { queryWith } from "../ask/question";
import { useAsked, type AskedHere } from "../ask/useAsked";
import { chosenFunnel } from "../funnels/chosen";
import { Await } from "../parts/basic";
import { FunnelPicker } from "../parts/FunnelPicker";
import { useLoaded, useTitle } from "../parts/hooks";
import { PageHead } from "../parts/PageHead";
import { link, navigate } from "../router";
import type { ScreenProps } from "../screens";
import { words } from "../words/content";
import { CountTable } from "./CountTable";
import { CONTENT, deeper, DRIVERS, levelOf, type By, type Level } from "./levels";
import { LinksTab } from "./LinksTab";
import { StageTable } from "./StageTable";

export function ContentPage({ site, query }: ScreenProps) {
  useTitle(words.title);
  const here = useAsked(site, query);
  const isLinks = new URLSearchParams(query).get("by") === "links";
  const level = levelOf(query);
  const funnels = useLoaded((signal) => api.funnels(site.name, signal), site.name);
  return (
    <>
      <PageHead title={words.title} lead={words.lead} />
      <QuestionBar
        site={site}
        question={here.question}
        today={here.today}
        onChange={here.ask}
        hasCompare={false}
      />
      <Tabs site={site} here={here} query={query} current={isLinks ? "links" : level.by} />
      {isLinks ? (
        <LinksTab site={site} />
      ) : (
        <Await loaded={funnels}>
          {(list) => <Rows site={site} here={here} query={query} level={level} funnels={list} />}
        </Await>
      )}
    </>
  );
}

interface TabsProps {
  site: Site;
  here: AskedHere;
  query: string;
  current: By | "links";
}

function Tabs({ site, here, query, current }: TabsProps) {
  const funnel = new URLSearchParams(query).get("funnel");
  const hrefOf = (by: string) =>
    link.screen(site.name, "content") + queryWith({ by, funnel }, here.question, here.usual);
  const groups: [string, (By | "links")[]][] = [
    [words.groups.drivers, [...DRIVERS.map((level) => level.by), "links"]],
    [words.groups.content, CONTENT.map((level) => level.by)],
  ];
  return (
    <nav class="content-tabs" aria-label={words.tabs}>
      {groups.map(([name, members]) => (
        <div key={name}>
          <span class="hint">{name}</span>
          <ul class="segments">
            {members.map((by) => (
              <li key={by}>
                <a href={hrefOf(by)} aria-current={by === current ? "page" : undefined}>
                  {words.by[by]}
                </a>
              </li>
            ))}
          </ul>
        </div>
      ))}
    </nav>
  );
}

interface RowsProps {
  site: Site;
  here: AskedHere;
  query: string;
  level: Level;
  funnels: SavedFunnel[];
}

function Rows({ site, here, query, level, funnels }: RowsProps) {
  const asked = new URLSearchParams(query).get("funnel");
  const name = chosenFunnel(asked, site, funnels)?.name ?? "";
  const hrefOf = (value: string | null) => {
    const question = { ...here.question, filters: deeper(here.question.filters, level, value) };
    const own = { by: level.next ?? level.by, funnel: asked };
    return link.screen(site.name, "content") + queryWith(own, question, here.usual);
  };
  if (level.at === null) return <CountTable site={site} here={here} level={level} hrefOf={hrefOf} />;
  if (name === "")
    return (
      <p class="empty">
        <a href={link.funnels(site.name)}>{words.noFunnel}</a>
      </p>
    );
  const choose = (funnel: string) =>
    navigate(link.screen(site.name, "content") + queryWith({ by: level.by, funnel }, here.question, here.usual));
  return (
    <>
      <p class="finder">
        <FunnelPicker label={words.funnel} funnels={funnels} chosen={name} choose={choose} />
      </p>
      <StageTable site={site} here={here} level={level} at={level.at} funnel={name} hrefOf={hrefOf} />
    </>
  );
}
