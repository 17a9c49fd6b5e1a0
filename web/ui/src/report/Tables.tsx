/* The drawing's figures as tables that add up. */
import type { Report, Spread } from "../api-types";
import { DASH, LATER, formatCount, formatDuration, formatMoney, formatShare } from "../format";
import { Amounts } from "../parts/Amounts";
import { text } from "../text";
import { FigureLink } from "./figures";
import { TimeRanges } from "./TimeRanges";

export function StageTable({ report }: { report: Report }) {
  const words = text.table;
  return (
    <div class="table-scroll" tabIndex={0} role="region" aria-label={words.caption}>
      <table>
        <caption class="visually-hidden">{words.caption}</caption>
        <thead>
          <tr>
            <th scope="col">{words.stage}</th>
            <th scope="col">{words.throughput}</th>
            <th scope="col">{words.ofAll}</th>
            <th scope="col">{words.ofPrevious}</th>
            <th scope="col">{words.reached}</th>
            <th scope="col">{words.skipped}</th>
            <th scope="col">{words.entries}</th>
            <th scope="col">{words.onward}</th>
            <th scope="col">{words.ofReached}</th>
            <th scope="col">{words.left}</th>
            <th scope="col">{words.converted}</th>
            <th scope="col">{words.ofReached}</th>
            <th scope="col">{words.seen}</th>
            <th scope="col">{words.value}</th>
          </tr>
        </thead>
        <tbody>
          {report.stages.map((stage, index) => (
            <tr key={index}>
              <th scope="row">{text.report.stageNumber(index + 1, stage.name)}</th>
              <td><FigureLink figure="throughput" stage={index + 1} count={stage.throughput} /></td>
              <td>{formatShare(stage.rate_from_first)}</td>
              <td>{formatShare(stage.rate_from_previous)}</td>
              <td><FigureLink figure="reached" stage={index + 1} count={stage.reached} /></td>
              <td><FigureLink figure="skipped" stage={index + 1} count={stage.skipped} /></td>
              <td><FigureLink figure="entries" stage={index + 1} count={stage.entries} /></td>
              <td><FigureLink figure="onward" stage={index + 1} count={stage.onward} /></td>
              <td>{formatShare(stage.rate_onward)}</td>
              <td>{stage.dropoff === null ? DASH : <FigureLink figure="dropoff" stage={index + 1} count={stage.dropoff} />}</td>
              <td><FigureLink figure="converted" stage={index + 1} count={stage.converted} /></td>
              <td>{formatShare(stage.rate_converted)}</td>
              <td><FigureLink figure="seen" stage={index + 1} count={stage.seen} /></td>
              <td>{stage.value === undefined ? LATER : <Amounts of={formatMoney(stage.value)} />}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/* Rows: from; columns: to, then who left there, then the row's sum. */
export function MovesTable({ report }: { report: Report }) {
  const words = text.table;
  const { stages } = report;
  const counts = new Map(report.moves.map(([from, to, count]) => [`${from}-${to}`, count]));
  const rows = [
    { number: 0, name: words.movesEntry, exits: 0, total: report.entered },
    ...stages.map((stage, index) => ({
      number: index + 1,
      name: text.report.stageNumber(index + 1, stage.name),
      exits: stage.exits,
      total: stage.reached,
    })),
  ];
  const cell = (count: number) => (count === 0 ? "" : formatCount(count));
  return (
    <>
      <div class="table-scroll" tabIndex={0} role="region" aria-label={words.movesCaption}>
        <table class="moves">
          <caption class="visually-hidden">{words.movesCaption}</caption>
          <thead>
            <tr>
              <th scope="col">{words.movesFrom}</th>
              {stages.map((stage, index) => (
                <th scope="col" key={index}>
                  → {text.report.stageNumber(index + 1, stage.name)}
                </th>
              ))}
              <th scope="col">{words.movesLeft}</th>
              <th scope="col">{words.movesConverted}</th>
              <th scope="col">{words.total}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.number}>
                <th scope="row">{row.name}</th>
                {stages.map((_, index) => {
                  const count = counts.get(`${row.number}-${index + 1}`) ?? 0;
                  const isPossible = index + 1 > row.number;
                  const isSkip = count > 0 && index + 1 - row.number > 1;
                  return (
                    <td key={index} class={isPossible ? (isSkip ? "is-skip" : "") : "is-impossible"}>
                      {row.number === 0 && count > 0 ? (
                        <FigureLink figure="entries" stage={index + 1} count={count} />
                      ) : (
                        cell(count)
                      )}
                    </td>
                  );
                })}
                <td class="is-left">
                  {row.number < stages.length && row.exits > 0 && (
                    <FigureLink figure="exits" stage={row.number} count={row.exits} />
                  )}
                </td>
                <td>
                  {row.number === stages.length && <FigureLink figure="exits" stage={row.number} count={row.exits} />}
                </td>
                <td>
                  <strong>
                    {row.number === 0 ? (
                      <FigureLink figure="entered" count={row.total} />
                    ) : (
                      <FigureLink figure="reached" stage={row.number} count={row.total} />
                    )}
                  </strong>
                </td>
              </tr>
            ))}
          </tbody>
          <tfoot>
            <tr>
              <th scope="row">{words.total}</th>
              {stages.map((stage, index) => (
                <td key={index}>
                  <strong>{formatCount(stage.reached)}</strong>
                </td>
              ))}
              <td>
                <strong>
                  {formatCount(
                    stages.slice(0, -1).reduce((sum, stage) => sum + stage.exits, 0),
                  )}
                </strong>
              </td>
              <td>
                <strong>{formatCount(report.converted)}</strong>
              </td>
              <td />
            </tr>
          </tfoot>
        </table>
      </div>
      <p class="hint">{words.movesNote}</p>
    </>
  );
}

export function TimeTable({ report }: { report: Report }) {
  const words = text.table;
  const later = report.stages
    .map((stage, index) => ({ stage, number: index + 1 }))
    .filter(({ number }) => number > 1);
  const time = (spread: Spread | null | undefined, of: keyof Spread) =>
    spread === undefined ? LATER : formatDuration(spread?.[of] ?? null);
  return (
    <>
      <TimeRanges report={report} />
      <div class="table-scroll" tabIndex={0} role="region" aria-label={words.timeCaption}>
        <table>
          <caption class="visually-hidden">{words.timeCaption}</caption>
          <thead>
            <tr>
              <th rowSpan={2} scope="col">
                {words.stage}
              </th>
              <th colSpan={3} scope="colgroup">
                {words.timePrevious}
              </th>
              <th colSpan={3} scope="colgroup">
                {words.timeStart}
              </th>
            </tr>
            <tr>
              {[0, 1].flatMap((group) =>
                [words.p50, words.p90, words.mean].map((name) => (
                  <th scope="col" key={`${group}${name}`}>
                    {name}
                  </th>
                )),
              )}
            </tr>
          </thead>
          <tbody>
            {later.map(({ stage, number }) => (
              <tr key={number}>
                <th scope="row">{text.report.stageNumber(number, stage.name)}</th>
                <td>{time(stage.time_from_previous_ms, "p50")}</td>
                <td>{time(stage.time_from_previous_ms, "p90")}</td>
                <td>{time(stage.time_from_previous_ms, "mean")}</td>
                <td>{time(stage.time_from_start_ms, "p50")}</td>
                <td>{time(stage.time_from_start_ms, "p90")}</td>
                <td>{time(stage.time_from_start_ms, "mean")}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="hint">{words.timeCaption}.</p>
    </>
  );
}
