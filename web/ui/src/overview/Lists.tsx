/* Who they are, by what brought them, where they are from and so on: each row a small funnel, each a
 * filter of the whole page. */
import { api } from "../api";
import type { At, Breakdown, BreakdownRow, Report } from "../api-types";
import type { ChosenFilter } from "../ask/filter";
import { askedOf, queryText, queryWith, ROWS_MAX } from "../ask/question";
import { useAnswer, type Answer } from "../ask/useAnswer";
import { MiniFunnel } from "../drawing/MiniFunnel";
import { formatCount, formatMoneyShort, formatShare, shareOf } from "../format";
import { Amounts } from "../parts/Amounts";
import { Failed, Loading } from "../parts/basic";
import { SaveTable } from "../parts/SaveTable";
import { Tabs } from "../parts/Tabs";
import { flowOfRow, rowFilters, rowName } from "../report/rows";
import { link } from "../router";
import { FEW_VISITORS, interval } from "../stats";
import { text } from "../text";
import type { Part } from "./part";

type Group = keyof typeof text.overview.groups;

interface Tab {
  attribute: string;
  at?: At;
}

const GROUPS: { group: Group; tabs: Tab[] }[] = [
  {
    group: "drivers",
    tabs: [{ attribute: "channel" }, { attribute: "source" }],
  },
  { group: "campaigns", tabs: [{ attribute: "campaign" }, { attribute: "keyword" }] },
  { group: "places", tabs: [{ attribute: "country" }, { attribute: "region" }, { attribute: "city" }] },
  {
    group: "pages",
    tabs: [{ attribute: "landing" }, { attribute: "path", at: "last" }, { attribute: "page_group" }],
  },
  {
    group: "products",
    tabs: [
      { attribute: "product", at: "first" },
      { attribute: "category", at: "first" },
    ],
  },
  { group: "devices", tabs: [{ attribute: "device" }, { attribute: "browser" }, { attribute: "os" }] },
];

const ROWS = 8;
/* lists of what brought people lead to the same by world region */
const BY_REGION: Group[] = ["drivers", "campaigns"];

/* The tab of the address, else the first that is not filtered to one value already, of which a list
 * would be one row: whoever chose a campaign sees its keywords. */
function shownTab(tabs: Tab[], wanted: string | null, filters: ChosenFilter[]): Breakdown {
  const isChosen = ({ attribute, at }: Tab) =>
    filters.some((one) => one.attribute === attribute && one.op === "is" && one.values.length === 1 && (one.at ?? undefined) === at);
  return (
    tabs.find(({ attribute }) => attribute === wanted) ??
    tabs.find((tab) => !isChosen(tab)) ??
    tabs[0] ?? { attribute: "channel" }
  );
}

interface Props extends Part {
  query: string;
  /* the page's own question: the lists are asked for after it */
  main: Answer<Report>;
}

export function Lists(props: Props) {
  return (
    <div class="lists">
      {GROUPS.map(({ group, tabs }) => (
        <ListCard key={group} {...props} group={group} tabs={tabs} />
      ))}
    </div>
  );
}

interface CardProps extends Props {
  group: Group;
  tabs: Tab[];
}

function ListCard({ group, tabs: allTabs, query, main, ...part }: CardProps) {
  const { site, funnel, here } = part;
  const words = text.overview;
  const tabs = allTabs.filter(({ attribute }) => attribute !== "page_group" || site.page_groups.length > 0);
  const wanted = new URLSearchParams(query).get(group);
  const by = shownTab(tabs, wanted, here.question.filters);
  const asked = askedOf({ ...here.question, compare: { kind: "none" } }, here.today);
  const request = { funnel: funnel.definition, ...asked, breakdown: [by] };
  const answer = useAnswer(
    JSON.stringify([site.name, funnel.definition, asked, by]),
    async (queryId, signal) => ({
      by,
      report: await api.report(site.name, { ...request, limit: ROWS, query_id: queryId }, signal),
    }),
    { beside: main },
  );
  const hrefOf = (attribute: string) => {
    const params = new URLSearchParams(query);
    params.set(group, attribute);
    return window.location.pathname + queryText(params);
  };
  const { value, error } = answer;
  const all =
    link.report(site.name, funnel.name) + queryWith({ tab: "breakdown", by: placed(by) }, here.question, here.usual);
  return (
    <section class="panel list-card" aria-labelledby={`list-${group}`}>
      <header class="panel-head">
        <h2 id={`list-${group}`}>{words.groups[group]}</h2>
        <Tabs
          label={words.groups[group]}
          current={by.attribute}
          tabs={tabs.map(({ attribute }) => ({
            name: attribute,
            title: words.tabs[attribute] ?? attribute,
            href: hrefOf(attribute),
          }))}
        />
      </header>
      {value === null ? (
        error === null ? (
          <Loading />
        ) : (
          <Failed error={error} retry={answer.retry} />
        )
      ) : (
        <div class={answer.isWaiting ? "is-waiting" : ""}>
          <Rows {...part} by={value.by} report={value.report} />
        </div>
      )}
      <footer class="list-foot">
        <p class="hint">
          <a href={all}>{words.list.all}</a>
          {BY_REGION.includes(group) && (
            <>
              {" · "}
              <a href={`${all}&by=continent`}>{words.list.byRegion}</a>
            </>
          )}
        </p>
        {value !== null && value.report.entered > 0 && (
          <SaveTable
            label={text.overview.tabs[by.attribute] ?? by.attribute}
            file={[site.name, funnel.name, by.attribute, here.today]}
            take={(format) =>
              api.exportFile(site.name, { ...request, limit: ROWS_MAX, as_of: value.report.as_of, what: "breakdown", format })
            }
          />
        )}
      </footer>
    </section>
  );
}

const placed = ({ attribute, at }: Breakdown) => (at === undefined ? attribute : `${attribute}@${at}`);

function Rows({ here, site, by, report }: Part & { by: Breakdown; report: Report }) {
  const words = text.overview.list;
  const rows = report.breakdown ?? [];
  const name = text.overview.tabs[by.attribute] ?? by.attribute;
  const known = rows.filter((row) => row.other === true || row.values?.[0] !== null);
  if (known.length === 0)
    return <p class="hint">{by.attribute === "keyword" ? words.keywords : words.empty}</p>;
  const last = report.stages.at(-1)?.name ?? "";
  return (
    <div class="table-scroll" tabIndex={0} role="region" aria-label={words.caption(name)}>
      <table class="breakdown">
        <caption class="visually-hidden">{words.caption(name)}</caption>
        <thead>
          <tr>
            <th scope="col">{name}</th>
            <th scope="col">
              <span class="visually-hidden">{text.overview.funnel}</span>
            </th>
            <th scope="col">{words.visitors}</th>
            <th scope="col">{last}</th>
            <th scope="col">{words.rate}</th>
            <th scope="col">{words.value}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <ListRow key={index} row={row} by={by} here={here} currency={site.currency} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface RowProps {
  row: BreakdownRow;
  by: Breakdown;
  here: Part["here"];
  currency: string;
}

function ListRow({ row, by, here, currency }: RowProps) {
  const words = text.overview.list;
  const filters = rowFilters(row, [by], here.question.filters);
  const name = row.other === true ? text.report.breakdown.other(ROWS) : rowName(row, [by]).join("");
  const sure = interval(row.converted, row.entered);
  return (
    <tr class={row.entered < FEW_VISITORS ? "is-few" : ""}>
      <th scope="row">
        {filters === null ? (
          name
        ) : (
          <a href={here.hrefOf({ ...here.question, filters })} title={words.only(name)}>
            {name}
          </a>
        )}
      </th>
      <td>
        <MiniFunnel report={flowOfRow(row)} height={18} step={10} />
      </td>
      <td>{formatCount(row.entered)}</td>
      <td>{formatCount(row.converted)}</td>
      <td
        class="row-rate"
        title={sure === null ? undefined : words.rate95(formatShare(sure.low), formatShare(sure.high))}
      >
        {formatShare(shareOf(row.converted, row.entered))}
      </td>
      <td><Amounts of={formatMoneyShort(row.stages.at(-1)?.value, currency)} /></td>
    </tr>
  );
}
