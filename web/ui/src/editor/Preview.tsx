/* What the draft makes of the data, beside what is compared with it. */
import type { FunnelDefinition, Report } from "../api-types";
import type { Question } from "../ask/question";
import { RangeMenu } from "../ask/RangeMenu";
import { flowOf } from "../drawing/layout";
import { FunnelDrawing } from "../drawing/FunnelDrawing";
import { changeWords } from "../drawing/words";
import { formatCount, formatDuration, formatShare, shareOf } from "../format";
import { Loading } from "../parts/basic";
import { messageOf } from "../parts/hooks";
import { words } from "../words/editor";
import { valueName } from "../valueNames";
import { sideRows } from "./asking";
import type { PreviewState } from "./usePreview";

interface Props {
  question: Question;
  today: string;
  onQuestion: (question: Question) => void;
  preview: PreviewState;
  draft: FunnelDefinition;
  old: { definition: FunnelDefinition; title: string } | null;
}

export function Preview({ question, today, onQuestion, preview, draft, old }: Props) {
  const { report, error, isReady, isWaiting } = preview;
  return (
    <section class="preview panel" aria-label={words.preview}>
      <div class="preview-head">
        <h2>{words.preview}</h2>
        <RangeMenu question={question} today={today} onChange={onQuestion} />
      </div>
      {report === null && !isReady && <p class="hint">{words.previewWaiting}</p>}
      {report === null && isReady && error === null && <Loading />}
      {error !== null && (
        <p class="field-error" role="status">
          {error.field !== null && error.field !== "" ? `${error.field}: ` : ""}
          {messageOf(error)}
        </p>
      )}
      {report !== null && (
        <div
          class={isWaiting || !isReady || error !== null ? "stack is-waiting" : "stack"}
          aria-busy={isWaiting}
        >
          <Sides report={report} old={preview.old} title={old?.title ?? ""} />
          {preview.old !== null && old !== null && (
            <SideTable draft={draft} report={report} old={old.definition} oldReport={preview.old} />
          )}
          <Channels preview={preview} />
        </div>
      )}
    </section>
  );
}

function Sides({ report, old, title }: { report: Report; old: Report | null; title: string }) {
  if (old === null) return <Side report={report} title={null} />;
  return (
    <div class="sides">
      <Side report={old} title={title} />
      <Side report={report} title={words.draft} />
    </div>
  );
}

function Side({ report, title }: { report: Report; title: string | null }) {
  const { entered, converted, conversion_rate: rate } = report;
  return (
    <div class="side">
      {title !== null && <h3>{title}</h3>}
      <p class="preview-figures">{words.previewFigures(entered, converted, formatShare(rate))}</p>
      <FunnelDrawing flow={flowOf(report)} links={null} height={200} compact />
    </div>
  );
}

interface SideTableProps {
  draft: FunnelDefinition;
  report: Report;
  old: FunnelDefinition;
  oldReport: Report;
}

function SideTable({ draft, report, old, oldReport }: SideTableProps) {
  const shown = (count: number | null) => (count === null ? words.sidesNone : formatCount(count));
  return (
    <div class="table-scroll" tabIndex={0} role="region" aria-label={words.sidesTitle}>
      <table>
        <caption>{words.sidesTitle}</caption>
        <thead>
          <tr>
            <th scope="col">{words.sidesStage}</th>
            <th scope="col">{words.sidesOld}</th>
            <th scope="col">{words.sidesNow}</th>
            <th scope="col">{words.sidesChange}</th>
          </tr>
        </thead>
        <tbody>
          {sideRows(draft, report, old, oldReport).map((row, index) => (
            <tr key={index}>
              <th scope="row">{row.name}</th>
              <td>{shown(row.old)}</td>
              <td>{shown(row.now)}</td>
              <td>
                {row.old === null || row.now === null ? words.sidesNone : changeWords(row.now, row.old)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/* What takes a second look at the events comes when the counts are there. */
function Channels({ preview }: { preview: PreviewState }) {
  const { channels, report } = preview;
  const times = report?.stages.filter((stage) => (stage.time_from_previous_ms ?? null) !== null) ?? [];
  return (
    <>
      {times.length > 0 && (
        <details>
          <summary>{words.timesTitle}</summary>
          <dl class="pairs">
            {times.map((stage, index) => (
              <div key={index}>
                <dt>{stage.name}</dt>
                <dd>{formatDuration(stage.time_from_previous_ms?.p50 ?? 0)}</dd>
              </div>
            ))}
          </dl>
        </details>
      )}
      {channels !== null && channels.length > 0 && (
        <details>
          <summary>{words.byChannel}</summary>
          <div class="table-scroll" tabIndex={0} role="region" aria-label={words.byChannel}>
            <table>
              <thead>
                <tr>
                  <th scope="col">{words.byChannel}</th>
                  <th scope="col">{words.channelEntered}</th>
                  <th scope="col">{words.channelConverted}</th>
                </tr>
              </thead>
              <tbody>
                {channels.map((row, index) => (
                  <tr key={index}>
                    <th scope="row">
                      {row.values === undefined ? words.others : valueName("channel", row.values[0] ?? null)}
                    </th>
                    <td>{formatCount(row.entered)}</td>
                    <td>
                      {formatCount(row.converted)} ({formatShare(shareOf(row.converted, row.entered))})
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </details>
      )}
    </>
  );
}
