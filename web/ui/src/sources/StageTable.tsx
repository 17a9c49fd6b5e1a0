/* Rows of a funnel's breakdown, each a small funnel: what share got how far, how many to the end, value. */
import { api } from "../api";
import type { At, BreakdownRow, Money, Report, Site } from "../api-types";
import { askedOf, ROWS_MAX } from "../ask/question";
import { useAnswer } from "../ask/useAnswer";
import type { AskedHere } from "../ask/useAsked";
import { formatCount, formatMoney, formatShare, shareOf } from "../format";
import { Amounts } from "../parts/Amounts";
import { Failed, Loading } from "../parts/basic";
import { SaveTable } from "../parts/SaveTable";
import { text } from "../text";
import { valueName } from "../valueNames";
import { words } from "../words/content";
import type { Level } from "./levels";
import { Nobody } from "./Nobody";

const ROWS = 50;
/* fewer visitors than these make no rate */
const FEW = 30;

interface Props {
  site: Site;
  here: AskedHere;
  level: Level;
  at: At;
  funnel: string;
  hrefOf: (value: string | null) => string;
}

export function StageTable({ site, here, level, at, funnel, hrefOf }: Props) {
  const request = {
    ...askedOf({ ...here.question, compare: { kind: "none" } }, here.today),
    funnel,
    breakdown: [{ attribute: level.attribute, at }],
    limit: ROWS,
  };
  const answer = useAnswer(JSON.stringify(request), (query_id, signal) =>
    api.report(site.name, { ...request, query_id }, signal),
  );
  const { value, error } = answer;
  if (value === null) return error === null ? <Loading /> : <Failed error={error} retry={answer.retry} />;
  if (value.entered === 0) return <Nobody />;
  return (
    <section class={answer.isWaiting ? "panel is-waiting" : "panel"} aria-label={words.by[level.by]}>
      {error !== null && <Failed error={error} retry={answer.retry} />}
      <KeywordNote report={value} level={level} />
      <Table report={value} level={level} hrefOf={hrefOf} />
      <SaveTable
        label={words.by[level.by]}
        hint={text.report.export.rows(ROWS_MAX)}
        file={[site.name, level.by, here.today]}
        take={(format) =>
          api.exportFile(site.name, { ...request, limit: ROWS_MAX, as_of: value.as_of, what: "breakdown", format })
        }
      />
    </section>
  );
}

function KeywordNote({ report, level }: { report: Report; level: Level }) {
  if (level.by !== "keyword") return null;
  const without = (report.breakdown ?? []).find((row) => row.values?.[0] === null)?.entered ?? 0;
  return without === 0 ? null : <p class="hint">{words.noKeywords(without, report.entered)}</p>;
}

function Table({ report, level, hrefOf }: { report: Report; level: Level; hrefOf: Props["hrefOf"] }) {
  const rows = report.breakdown ?? [];
  const most = Math.max(1, ...rows.map((row) => row.entered));
  const names = report.stages.slice(1).map((stage) => stage.name);
  const isSale = report.stages.at(-1)?.kind === "sale";
  const shown = rows.filter((row) => row.other !== true).length;
  return (
    <div class="table-scroll">
      <table class="content-table">
        <caption class="visually-hidden">{words.caption(words.by[level.by], report.funnel.name)}</caption>
        <thead>
          <tr>
            <th scope="col">{words.by[level.by]}</th>
            <th scope="col">{words.columns.visitors}</th>
            {names.map((name, index) => (
              <th key={index} scope="col">
                {name}
              </th>
            ))}
            <th scope="col">{isSale ? words.columns.sales : words.columns.converted}</th>
            <th scope="col">{words.columns.value}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <tr key={index}>
              <th scope="row">
                <RowName row={row} level={level} hrefOf={hrefOf} shown={shown} />
                <Share share={row.entered / most} />
              </th>
              <Figures figures={row} names={names} />
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">{words.total}</th>
            <Figures figures={report} names={names} />
          </tr>
        </tfoot>
      </table>
    </div>
  );
}

/* How large beside the largest, drawn. */
function Share({ share }: { share: number }) {
  return (
    <svg class="share-bar" viewBox="0 0 100 3" preserveAspectRatio="none" aria-hidden="true">
      <rect width={100 * share} height="3" />
    </svg>
  );
}

interface RowNameProps {
  row: BreakdownRow;
  level: Level;
  hrefOf: Props["hrefOf"];
  shown: number;
}

function RowName({ row, level, hrefOf, shown }: RowNameProps) {
  if (row.other === true) return <>{words.other(shown)}</>;
  const value = row.values?.[0] ?? null;
  const name = value === null ? words.notGiven : valueName(level.attribute, value);
  const title = level.next === null ? undefined : words.deeper(name, words.by[level.next].toLowerCase());
  return (
    <a class="row-link" href={hrefOf(value)} title={title}>
      {name}
    </a>
  );
}

interface StageShares {
  entered: number;
  converted: number;
  stages: { throughput: number; value?: Money }[];
}

function Figures({ figures, names }: { figures: StageShares; names: string[] }) {
  const { entered, converted, stages } = figures;
  const isFew = entered < FEW;
  return (
    <>
      <td>{formatCount(entered)}</td>
      {stages.slice(1).map((stage, index) => {
        const share = formatShare(shareOf(stage.throughput, entered));
        return (
          <td
            key={index}
            class={isFew ? "is-few" : undefined}
            title={words.shareOf(share, stage.throughput, names[index] ?? "")}
          >
            {share}
          </td>
        );
      })}
      <td>
        <strong>{formatCount(converted)}</strong>
        {isFew && <span class="visually-hidden">{words.few}</span>}
      </td>
      <td><Amounts of={formatMoney(stages.at(-1)?.value)} /></td>
    </>
  );
}
