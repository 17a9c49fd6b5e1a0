/* What a share link shows: one stored report, without visitors, and without figures of so few that
 * one could be known by them. */
import { api, csvUrl } from "../api";
import type { Shared, SharedReport, SharedRow } from "../api-types";
import { Chart } from "../charts/Chart";
import { isCut } from "../drawing/layout";
import { addDays, dayIn } from "../ask/range";
import { formatMoment, formatMoney, formatShare } from "../format";
import { Amounts } from "../parts/Amounts";
import { Failed, Loading } from "../parts/basic";
import { asApiError, useLoaded, useTitle } from "../parts/hooks";
import { useFragment } from "../router";
import { daysWords } from "../report/DefinitionWords";
import { text } from "../text";
import { words } from "../words/people";
import { countWords, SharedDrawing } from "./SharedDrawing";
import { sharedFlow } from "./sharedFlow";

const say = words.shared;

export function SharePage() {
  const token = useFragment();
  return <Opened key={token} token={token} />;
}

function Opened({ token }: { token: string }) {
  const loaded = useLoaded<Shared | null>(
    (signal) =>
      token === ""
        ? Promise.resolve(null)
        : api.shared(token, signal).catch((reason: unknown) => {
            if (asApiError(reason).status === 404) return null;
            throw reason;
          }),
    token,
  );
  useTitle(loaded.state === "ready" && loaded.value !== null ? loaded.value.name : say.label);
  return (
    <>
      <header class="topbar">
        <span class="brand">{text.product}</span>
        <span class="hint">{say.label}</span>
      </header>
      <main id="content">
        {loaded.state === "loading" && <Loading />}
        {loaded.state === "failed" && <Failed error={loaded.error} retry={loaded.retry} />}
        {loaded.state === "ready" &&
          (loaded.value === null ? <Gone /> : <Report token={token} shared={loaded.value} />)}
      </main>
    </>
  );
}

function Gone() {
  return (
    <div class="empty">
      <h1>{say.bad}</h1>
      <p>{say.badHint}</p>
    </div>
  );
}

/* An RFC 3339 moment of a range's end as the site's day. */
function dayOf(moment: string | null, zone: string): string | null {
  return moment === null ? null : dayIn(zone, Date.parse(moment));
}

function rangeWords({ from, to, timezone }: SharedReport): string {
  const first = dayOf(from, timezone);
  const end = dayOf(to, timezone);
  return daysWords(first, end === null ? null : addDays(end, -1));
}

function Report({ token, shared }: { token: string; shared: Shared }) {
  const { report } = shared;
  const { flow, isHidden } = sharedFlow(report);
  const isNobody = report.entered === 0;
  return (
    <article class="stack">
      <header class="page-head">
        <div>
          <h1>{shared.name}</h1>
          <p class="lead">
            {[
              say.by(shared.site),
              rangeWords(report),
              say.zone(report.timezone),
              say.asOf(formatMoment(report.as_of, report.timezone)),
            ].join(" · ")}
          </p>
        </div>
        <div class="page-actions">
          <a class="button" href={csvUrl(token)} download="">
            {say.csv}
          </a>
        </div>
      </header>
      <p class="sentence">{isNobody ? say.nobody : resultWords(report)}</p>
      {!isNobody && (
        <>
          <div class="panel">
            <Chart name={shared.name}>
              {(width, palette) => <SharedDrawing report={report} width={width} palette={palette} />}
            </Chart>
            {isCut(flow) && <p class="hint">{say.cut(flow.stages[0]?.name ?? "")}</p>}
          </div>
          <div class="panel">
            <h2 id="table-title">{say.table}</h2>
            <StageTable report={report} />
          </div>
          {report.breakdown !== undefined && (
            <div class="panel">
              <h2 id="rows-title">{say.rows}</h2>
              <RowsTable report={report} rows={report.breakdown} />
            </div>
          )}
          {(isHidden.includes(true) || hasHidden(report.breakdown)) && <p class="hint">{say.hiddenHint}</p>}
        </>
      )}
    </article>
  );
}

function resultWords({ entered, converted, conversion_rate: rate, stages }: SharedReport): string {
  if (entered === null || converted === null) return say.resultHidden;
  return say.result(countWords(converted), countWords(entered), formatShare(rate), stages.at(-1)?.name ?? "");
}

function hasHidden(rows: SharedRow[] = []): boolean {
  return rows.some((row) => row.stages.some((stage) => stage.throughput === null));
}

function StageTable({ report }: { report: SharedReport }) {
  return (
    <div class="table-scroll" tabIndex={0} role="region" aria-labelledby="table-title">
      <table>
        <thead>
          <tr>
            <th scope="col">{say.stage}</th>
            <th scope="col">{say.gotThisFar}</th>
            <th scope="col">{say.ofAll}</th>
            <th scope="col">{say.ofPrevious}</th>
            <th scope="col">{say.value}</th>
          </tr>
        </thead>
        <tbody>
          {report.stages.map((stage, index) => (
            <tr key={index}>
              <th scope="row">{text.report.stageNumber(index + 1, stage.name)}</th>
              <td>{countWords(stage.throughput)}</td>
              <td>{formatShare(stage.rate_from_first)}</td>
              <td>{formatShare(stage.rate_from_previous)}</td>
              <td><Amounts of={formatMoney(stage.value)} /></td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function rowName(row: SharedRow): string {
  if (row.other === true) return say.other;
  return row.values?.[0] ?? say.notGiven;
}

function RowsTable({ report, rows }: { report: SharedReport; rows: SharedRow[] }) {
  return (
    <div class="table-scroll" tabIndex={0} role="region" aria-labelledby="rows-title">
      <table>
        <thead>
          <tr>
            <td />
            {report.stages.map((stage, index) => (
              <th key={index} scope="col">
                {stage.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <CountRow key={index} name={rowName(row)} stages={row.stages} />
          ))}
        </tbody>
        <tfoot>
          <CountRow name={say.total} stages={report.stages} />
        </tfoot>
      </table>
    </div>
  );
}

function CountRow({ name, stages }: { name: string; stages: SharedRow["stages"] }) {
  return (
    <tr>
      <th scope="row">{name}</th>
      {stages.map((stage, index) => (
        <td key={index}>
          {countWords(stage.throughput)}
          {index > 0 && stage.rate_from_first !== null && (
            <span class="row-sub">{formatShare(stage.rate_from_first)}</span>
          )}
        </td>
      ))}
    </tr>
  );
}
