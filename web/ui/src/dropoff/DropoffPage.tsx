/* Why they left: for one stage of a funnel, what those who left did next, and what sets them apart
 * from those who went on, in sentences that all have the same form. */
import { api } from "../api";
import type { Dropoff, DropoffRow, Next, NextRow, SavedFunnel, Site } from "../api-types";
import { pickValue, placeOfRow } from "../ask/filter";
import { askedOf, isQuestionKey, queryText, queryWith } from "../ask/question";
import { QuestionBar } from "../ask/QuestionBar";
import { useAnswer, type Answer } from "../ask/useAnswer";
import { useAsked, type AskedHere } from "../ask/useAsked";
import { capital } from "../ask/words";
import { formatCount, formatShare, shareOf } from "../format";
import { chosenFunnel } from "../funnels/chosen";
import { Await, Failed, Loading } from "../parts/basic";
import { FunnelPicker } from "../parts/FunnelPicker";
import { useLoaded, useTitle } from "../parts/hooks";
import { PageHead } from "../parts/PageHead";
import { Places } from "../parts/Places";
import { Tabs } from "../parts/Tabs";
import { link, navigate } from "../router";
import { attributeName } from "../ruleWords";
import type { ScreenProps } from "../screens";
import { text } from "../text";
import { valueName } from "../valueNames";

export function DropoffPage({ site, session, query }: ScreenProps) {
  const words = text.dropoff;
  useTitle(`${words.title} · ${site.name}`);
  const funnels = useLoaded((signal) => api.funnels(site.name, signal), site.name);
  return (
    <>
      <PageHead title={words.title} lead={words.lead} />
      <Await loaded={funnels}>
        {(list) => {
          const funnel = chosenFunnel(new URLSearchParams(query).get("funnel"), site, list);
          return funnel === null ? (
            <p class="lead">{text.site.noFunnels}</p>
          ) : (
            <Shown key={funnel.name} site={site} funnel={funnel} funnels={list} query={query} />
          );
        }}
      </Await>
      <Places session={session} />
    </>
  );
}

interface ShownProps {
  site: Site;
  funnel: SavedFunnel;
  funnels: SavedFunnel[];
  query: string;
}

interface Part {
  site: Site;
  funnel: SavedFunnel;
  stage: number;
  here: AskedHere;
}

const LIMIT = 30;

function Shown({ site, funnel, funnels, query }: ShownProps) {
  const words = text.dropoff;
  const here = useAsked(site, query);
  const params = new URLSearchParams(query);
  const { stages } = funnel.definition;
  const wanted = Number(params.get("stage"));
  const stage = wanted >= 1 && wanted < stages.length ? wanted : Math.max(1, stages.length - 1);
  const of = ["event", "path", "page_group"].find((one) => one === params.get("of")) ?? "event";
  const to = (own: Record<string, string>) => {
    const next = new URLSearchParams([...params].filter(([name]) => isQuestionKey(name)));
    for (const [name, value] of Object.entries({ funnel: funnel.name, stage: String(stage), of, ...own })) next.set(name, value);
    return window.location.pathname + queryText(next);
  };
  const asked = askedOf({ ...here.question, compare: { kind: "none" } }, here.today);
  const answer = useAnswer<Dropoff>(
    JSON.stringify([site.name, funnel.definition, stage, asked]),
    (queryId, signal) =>
      api.dropoff(
        site.name,
        { funnel: funnel.definition, stage, ...asked, limit: LIMIT, query_id: queryId },
        signal,
      ),
  );
  const { value, error, isWaiting, retry } = answer;
  const part = { site, funnel, stage, here };
  return (
    <>
      <QuestionBar
        site={site}
        question={here.question}
        today={here.today}
        onChange={here.ask}
        hasCompare={false}
        stages={stages.map(({ name }) => name)}
      />
      <div class="tab-bar">
        <FunnelPicker
          label={words.funnel}
          funnels={funnels}
          chosen={funnel.name}
          choose={(name) => navigate(to({ funnel: name, stage: "0" }))}
        />
        <label class="inline-field">
          {words.stage}
          <select value={String(stage)} onChange={(event) => navigate(to({ stage: event.currentTarget.value }))}>
            {stages.slice(0, -1).map(({ name }, index) => (
              <option key={index} value={String(index + 1)}>
                {text.report.stageNumber(index + 1, name)}
              </option>
            ))}
          </select>
        </label>
      </div>
      {value === null ? (
        error === null ? (
          <Loading />
        ) : (
          <Failed error={error} retry={retry} />
        )
      ) : (
        <div class={isWaiting ? "is-waiting" : ""} aria-busy={isWaiting}>
          <p class="sentence">
            {words.sizes(value.leavers, value.stayers)}
            {value.open > 0 && text.common.joins.semicolon + words.open(value.open)}
            {text.common.joins.stop}
          </p>
          <div class="dropoff">
            <Followed {...part} of={of} to={to} main={answer} />
            <Apart {...part} answer={value} />
          </div>
        </div>
      )}
    </>
  );
}

interface FollowedProps extends Part {
  of: string;
  to: (own: Record<string, string>) => string;
  /* asked for first */
  main: Answer<Dropoff>;
}

/* The left side: the next event and the last one. */
function Followed({ site, funnel, stage, here, of, to, main }: FollowedProps) {
  const words = text.dropoff;
  const asked = askedOf({ ...here.question, compare: { kind: "none" } }, here.today);
  const { value, error, retry } = useAnswer<Next>(
    JSON.stringify([site.name, funnel.definition, stage, asked, of]),
    (queryId, signal) =>
      api.next(
        site.name,
        { funnel: funnel.definition, figure: "dropoff", stage, attribute: of, limit: 12, ...asked, query_id: queryId },
        signal,
      ),
    { beside: main },
  );
  const names = site.page_groups.length > 0 ? ["event", "path", "page_group"] : ["event", "path"];
  const list = (title: string, rows: NextRow[], n: number) => (
    <>
      <h3>{title}</h3>
      <ul class="followed">
        {rows.map((row, index) => {
          const name =
            row.other === true ? words.other : (row.values ?? []).map((one) => one ?? words.nothing).join(" → ");
          return (
            <li key={index}>
              <span class="followed-name">{name}</span>
              <meter class="followed-bar" min={0} max={1} value={shareOf(row.n, n) ?? 0} aria-hidden="true" />
              <span class="followed-n">
                {formatCount(row.n)} <span class="hint">{formatShare(shareOf(row.n, n))}</span>
              </span>
            </li>
          );
        })}
      </ul>
    </>
  );
  return (
    <section class="panel" aria-labelledby="next-title">
      <header class="panel-head">
        <h2 id="next-title">{words.next}</h2>
        <Tabs
          label={words.next}
          current={of}
          tabs={names.map((name) => ({ name, title: words.of[name] ?? name, href: to({ of: name }) }))}
        />
      </header>
      {value === null && (error === null ? <Loading /> : <Failed error={error} retry={retry} />)}
      {value !== null && (
        <>
          {list(words.next, value.next, value.n)}
          {list(words.last, value.last, value.n)}
        </>
      )}
    </section>
  );
}

/* The right side. */
function Apart({ answer, ...part }: Part & { answer: Dropoff }) {
  const words = text.dropoff;
  const stage = part.funnel.definition.stages[part.stage - 1]?.name ?? "";
  const more = answer.rows.filter((row) => row.log_odds > 0);
  const less = answer.rows.filter((row) => row.log_odds <= 0);
  return (
    <section class="panel" aria-labelledby="apart-title">
      <h2 id="apart-title">{words.apart}</h2>
      {answer.leavers === 0 ? (
        <p>{words.nobody(stage)}</p>
      ) : answer.rows.length === 0 ? (
        <p>{words.none(answer.tested)}</p>
      ) : (
        <>
          <Sentences {...part} title={words.more} rows={more} />
          <Sentences {...part} title={words.less} rows={less} />
          <p class="hint">{words.method(answer.tested)}</p>
        </>
      )}
      {answer.left_out_attributes.length > 0 && (
        <p class="hint">{words.leftOut(answer.left_out_attributes.map(attributeName).join(text.common.joins.comma))}</p>
      )}
    </section>
  );
}

export function whatOf({ attribute, at, value }: DropoffRow): string {
  const words = text.dropoff;
  if (attribute === "sign") return words.signs[value] ?? value;
  const name = capital(attributeName(attribute));
  return `${name} ${valueName(attribute, value)}${at === "session" ? ` (${words.inSession})` : ""}`;
}

/* A row narrows the report to itself where a filter can say it. */
function hrefOf({ site, funnel, here }: Part, { attribute, at, value }: DropoffRow): string | null {
  if (attribute === "sign" || at === "session") return null;
  const filters = pickValue(here.question.filters, attribute, value, placeOfRow(at));
  return link.report(site.name, funnel.name) + queryWith({}, { ...here.question, filters }, here.usual);
}

function Sentences({ title, rows, ...part }: Part & { title: string; rows: DropoffRow[] }) {
  const words = text.dropoff;
  if (rows.length === 0) return null;
  return (
    <>
      <h3>{title}</h3>
      <ol class="apart">
        {rows.map((row, index) => {
          const what = whatOf(row);
          const href = hrefOf(part, row);
          const said = words.sentence(what, formatShare(row.share_leavers), formatShare(row.share_stayers));
          return (
            <li key={index} title={words.counts(row.leavers, row.stayers)}>
              <p>{href === null ? said : <a href={href}>{said}</a>}</p>
              <span class="apart-bars" aria-hidden="true">
                <meter class="is-left" min={0} max={1} value={row.share_leavers ?? 0} />
                <meter min={0} max={1} value={row.share_stayers ?? 0} />
              </span>
            </li>
          );
        })}
      </ol>
    </>
  );
}
