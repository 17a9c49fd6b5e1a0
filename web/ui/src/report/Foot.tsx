/* Under a report: how fresh it is, what it left out, what it cost, and whose data places are from. */
import type { Report, Session } from "../api-types";
import type { Answer } from "../ask/useAnswer";
import { isLive } from "../ask/range";
import { formatDuration, formatMoment } from "../format";
import { messageOf } from "../parts/hooks";
import { LOCALE, text } from "../text";
import type { View } from "./view";

interface Props {
  report: Report;
  answer: Answer<Report>;
  view: View;
  places: Session["places"] | null;
}

export function Foot({ report, answer, view, places }: Props) {
  const { question, today, site } = view;
  const time = new Intl.DateTimeFormat(LOCALE, { timeStyle: "medium" }).format(answer.checked);
  const hasBots = question.bots !== "exclude";
  return (
    <footer class="report-foot">
      {answer.error !== null ? (
        <p class="is-stale" role="status">
          {text.report.stale(time)} {messageOf(answer.error)}
        </p>
      ) : (
        <p>
          {isLive(question.range, today) ? (
            <>
              <span class="live-dot" aria-hidden="true" /> {text.report.live(time)}
            </>
          ) : (
            text.report.asOf(formatMoment(report.as_of, site.timezone))
          )}
        </p>
      )}
      <p>
        {hasBots ? text.report.bots[question.bots] : text.report.leftOut(report.left_out.bots)}{" "}
        <a href={view.hrefOf({}, { ...question, bots: hasBots ? "exclude" : "include" })}>
          {hasBots ? text.report.leaveBotsOut : text.report.countBots}
        </a>
      </p>
      <p>{text.report.read(report.events_read, formatDuration(report.elapsed_ms))}</p>
      {report.began_before > 0 && <p>{text.report.beganBefore(report.began_before)}</p>}
      {report.after_range > 0 && <p>{text.report.afterRange(report.after_range)}</p>}
      {places !== null && (
        <p>
          <a href={places.url} target="_blank" rel="noopener">
            {places.name}
          </a>
        </p>
      )}
    </footer>
  );
}
