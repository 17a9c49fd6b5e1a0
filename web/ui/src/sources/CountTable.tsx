/* Pages and groups of them: who saw them, how often and for how long. A visitor is in each row that he
 * saw, and once in it. */
import { api } from "../api";
import type { CountFigures, Site } from "../api-types";
import { askedOf, ROWS_MAX } from "../ask/question";
import { useAnswer } from "../ask/useAnswer";
import type { AskedHere } from "../ask/useAsked";
import { formatCount, formatDuration } from "../format";
import { Failed, Loading } from "../parts/basic";
import { SaveTable } from "../parts/SaveTable";
import { link } from "../router";
import { text } from "../text";
import { words } from "../words/content";
import type { Level } from "./levels";
import { Nobody } from "./Nobody";

const ROWS = 50;

interface Props {
  site: Site;
  here: AskedHere;
  level: Level;
  hrefOf: (value: string | null) => string;
}

export function CountTable({ site, here, level, hrefOf }: Props) {
  const request = {
    ...askedOf({ ...here.question, compare: { kind: "none" } }, here.today),
    breakdown: [{ attribute: level.attribute }],
    limit: ROWS,
  };
  const answer = useAnswer(JSON.stringify(request), (query_id, signal) =>
    api.count(site.name, { ...request, query_id }, signal),
  );
  const { value, error } = answer;
  if (value === null) return error === null ? <Loading /> : <Failed error={error} retry={answer.retry} />;
  if (value.visitors === 0) return <Nobody />;
  const rows = value.breakdown ?? [];
  const shown = rows.filter((row) => row.other !== true).length;
  const { columns } = words;
  return (
    <section class={answer.isWaiting ? "panel is-waiting" : "panel"} aria-label={words.by[level.by]}>
      {error !== null && <Failed error={error} retry={answer.retry} />}
      {level.by === "page_group" && site.page_groups.length === 0 && (
        <p class="hint">
          <a href={`${link.screen(site.name, "settings")}#groups`}>{words.noGroups}</a>
        </p>
      )}
      <div class="table-scroll">
        <table class="content-table">
          <caption class="visually-hidden">{words.captionPages(words.by[level.by])}</caption>
          <thead>
            <tr>
              <th scope="col">{words.by[level.by]}</th>
              <th scope="col">{columns.seenBy}</th>
              <th scope="col">{columns.sessions}</th>
              <th scope="col">{columns.events}</th>
              <th scope="col">{columns.engaged}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row, index) => (
              <tr key={index}>
                <th scope="row">
                  {row.other === true ? (
                    words.other(shown)
                  ) : (
                    <a class="row-link" href={hrefOf(row.values?.[0] ?? null)}>
                      {row.values?.[0] ?? words.notGiven}
                    </a>
                  )}
                </th>
                <Figures figures={row} />
              </tr>
            ))}
          </tbody>
          <tfoot>
            <tr>
              <th scope="row">{words.total}</th>
              <Figures figures={value} />
            </tr>
          </tfoot>
        </table>
      </div>
      <SaveTable
        label={words.by[level.by]}
        hint={text.report.export.rows(ROWS_MAX)}
        file={[site.name, level.by, here.today]}
        take={(format) =>
          api.exportFile(site.name, { ...request, limit: ROWS_MAX, as_of: value.as_of, what: "count", format })
        }
      />
    </section>
  );
}

function Figures({ figures }: { figures: CountFigures }) {
  const { visitors, sessions, events, engaged_ms: engaged } = figures;
  return (
    <>
      <td>{formatCount(visitors)}</td>
      <td>{formatCount(sessions)}</td>
      <td>{formatCount(events)}</td>
      <td>{engaged === 0 || visitors === 0 ? "" : formatDuration(Math.round(engaged / visitors))}</td>
    </>
  );
}
