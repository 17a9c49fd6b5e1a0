/* The visitors that a search finds: a table, on a narrow screen a list; further ones by a button. */
import { useRef, useState } from "preact/hooks";
import { api, type ApiError } from "../api";
import type { FoundVisitor, Search, SearchRequest, Site } from "../api-types";
import { sharedQuery } from "../ask/question";
import { useAnswer } from "../ask/useAnswer";
import { formatCount, formatMoment, formatMoney } from "../format";
import { Amounts } from "../parts/Amounts";
import { Failed, Loading } from "../parts/basic";
import { asApiError, useMedia } from "../parts/hooks";
import { link } from "../router";
import { placeWords, valueName } from "../valueNames";
import { words } from "../words/journeys";
import { shortId } from "./sessions";
import { driverWords } from "./words";

const PAGE = 50;

interface Props {
  site: Site;
  request: SearchRequest;
  funnel: string;
  stages: string[];
  query: string;
}

export function FoundList({ site, request, funnel, stages, query }: Props) {
  const answer = useAnswer(JSON.stringify(request), (queryId, signal) =>
    api
      .search(site.name, { ...request, limit: PAGE, query_id: queryId }, signal)
      .then((first) => ({ first, request })),
  );
  const { value, error } = answer;
  if (value === null) return error === null ? <Loading /> : <Failed error={error} retry={answer.retry} />;
  return (
    <div class={answer.isWaiting ? "is-waiting" : undefined}>
      {error !== null && <Failed error={error} retry={answer.retry} />}
      <Found
        site={site}
        request={value.request}
        funnel={funnel}
        stages={stages}
        query={query}
        first={value.first}
      />
    </div>
  );
}

function Found({ site, request, funnel, stages, query, first }: Props & { first: Search }) {
  /* further pages belong to the first one that they follow */
  const [further, setFurther] = useState<{ first: Search; pages: Search[] }>({ first, pages: [first] });
  const pages = further.first === first ? further.pages : [first];
  const [error, setError] = useState<ApiError | null>(null);
  const [isBusy, setBusy] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const isNarrow = useMedia("(max-width: 720px)");
  const last = pages.at(-1) ?? first;
  const visitors = pages.flatMap((page) => page.visitors);
  const more = async () => {
    if (last.cursor === null) return;
    setBusy(true);
    setError(null);
    try {
      const { cursor, snapshot, as_of } = last;
      const next = await api.search(site.name, { ...request, limit: PAGE, cursor, snapshot, as_of });
      /* the files of the first page are gone: a fresh list, not one made of two */
      setFurther({ first, pages: next.snapshot_gone === true ? [next] : [...pages, next] });
      requestAnimationFrame(() => {
        const links = box.current?.querySelectorAll<HTMLElement>("a.visitor");
        links?.[next.snapshot_gone === true ? 0 : visitors.length]?.focus();
      });
    } catch (reason) {
      setError(asApiError(reason));
    }
    setBusy(false);
  };
  const own = new URLSearchParams(funnel === "" ? {} : { funnel });
  const shared = sharedQuery(query);
  const suffix = [shared.slice(1), own.toString()].filter((part) => part !== "").join("&");
  const hrefOf = (visitor: string) =>
    link.screen(site.name, "journeys", visitor) + (suffix === "" ? "" : `?${suffix}`);
  if (first.n === 0)
    return (
      <div class="empty">
        <p>
          <strong>{words.none}</strong>
        </p>
        <p>{words.noneHint}</p>
      </div>
    );
  const rows: RowProps[] = visitors.map((found) => ({ found, site, stages, href: hrefOf(found.visitor) }));
  return (
    <section class="panel" ref={box} aria-label={words.caption}>
      <p class="found-count" role="status">
        <strong>{words.found(last.n)}</strong>
        {visitors.length < last.n && <span class="hint"> {words.shown(visitors.length)}</span>}
      </p>
      {isNarrow ? (
        <ul class="found-list">
          {rows.map((row) => (
            <FoundItem key={row.found.visitor} {...row} />
          ))}
        </ul>
      ) : (
        <FoundTable rows={rows} />
      )}
      {error !== null && <Failed error={error} retry={() => void more()} />}
      {last.cursor !== null && error === null && (
        <p class="actions">
          <button type="button" class="button" disabled={isBusy} onClick={() => void more()}>
            {words.more}
          </button>
        </p>
      )}
      {last.cursor === null && visitors.length < last.n && <p class="hint">{words.limit}</p>}
    </section>
  );
}

interface RowProps {
  found: FoundVisitor;
  site: Site;
  stages: string[];
  href: string;
}

function FoundTable({ rows }: { rows: RowProps[] }) {
  const hasStages = rows.some((row) => row.stages.length > 0);
  const { columns } = words;
  return (
    <div class="table-scroll">
      <table class="found">
        <caption class="visually-hidden">{words.caption}</caption>
        <thead>
          <tr>
            <th scope="col">{columns.visitor}</th>
            {hasStages && <th scope="col">{columns.stage}</th>}
            <th scope="col">{columns.last}</th>
            <th scope="col" class="is-number">
              {columns.sessions}
            </th>
            <th scope="col">{columns.driver}</th>
            <th scope="col">{columns.place}</th>
            <th scope="col" class="is-number">
              {columns.value}
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ found, site, stages, href }) => (
            <tr key={found.visitor}>
              <th scope="row">
                <VisitorLink found={found} href={href} />
              </th>
              {hasStages && (
                <td>
                  <StageWords found={found} stages={stages} />
                </td>
              )}
              <td>{formatMoment(found.last, site.timezone)}</td>
              <td class="is-number">
                {formatCount(found.sessions)}
                <span class="row-sub">{words.events(found.events)}</span>
              </td>
              <td class="is-wide">{driverWords(found)}</td>
              <td class="is-wide">{placeOf(found)}</td>
              <td class="is-number">
                <Value found={found} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function FoundItem({ found, site, stages, href }: RowProps) {
  const facts = [words.sessions(found.sessions), words.events(found.events), placeOf(found)];
  return (
    <li>
      <VisitorLink found={found} href={href} />
      {stages.length > 0 && (
        <p>
          <StageWords found={found} stages={stages} />
        </p>
      )}
      <p>
        {formatMoment(found.last, site.timezone)} · {driverWords(found)}
      </p>
      <p class="row-sub">{facts.filter((fact) => fact !== "").join(" · ")}</p>
      <Value found={found} />
    </li>
  );
}

function VisitorLink({ found, href }: { found: FoundVisitor; href: string }) {
  return (
    <>
      <a class="visitor" href={href} title={found.visitor}>
        {shortId(found.visitor)}
      </a>
      {found.ids.length > 1 && <span class="row-sub">{words.otherIds(found.ids.length - 1)}</span>}
    </>
  );
}

function StageWords({ found, stages }: { found: FoundVisitor; stages: string[] }) {
  const stage = found.stage ?? null;
  const name = stage === null ? undefined : stages[stage - 1];
  if (stage === null || name === undefined) return <span class="hint">{words.noStage}</span>;
  return (
    <span class="stage-name">
      <span class={stage === stages.length ? "mark is-counted is-last" : "mark is-counted"} aria-hidden="true">
        {stage}
      </span>
      {name}
    </span>
  );
}

function placeOf(found: FoundVisitor): string {
  return placeWords(found.city, found.country === null ? null : valueName("country", found.country));
}

function Value({ found }: { found: FoundVisitor }) {
  return (
    <>
      <Amounts of={formatMoney(found.value)} />
      {found.orders > 0 && <span class="row-sub">{words.orders(found.orders)}</span>}
    </>
  );
}
