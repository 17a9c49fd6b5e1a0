/* The draft's drawing from real data, redrawn a moment after the last change, before saving. */
import { useEffect, useState } from "preact/hooks";
import { api, type ApiError } from "../api";
import type { Report } from "../api-types";
import { flowOf } from "../drawing/layout";
import { FunnelDrawing } from "../drawing/FunnelDrawing";
import { formatShare } from "../format";
import { Loading } from "../parts/basic";
import { asApiError, messageOf } from "../parts/hooks";
import { text } from "../text";
import { definitionOf, isComplete, type Draft } from "./model";

const DELAY_MS = 250;

interface Answer {
  report: Report | null;
  error: ApiError | null;
}

export function Preview({ site, draft }: { site: string; draft: Draft }) {
  const [answer, setAnswer] = useState<Answer>({ report: null, error: null });
  const isReady = isComplete(draft);
  const question = isReady ? JSON.stringify({ ...definitionOf(draft), name: "" }) : "";
  useEffect(() => {
    if (question === "") return undefined;
    const controller = new AbortController();
    const timer = window.setTimeout(() => {
      api.report(site, { funnel: definitionOf(draft) }, controller.signal).then(
        (report) => setAnswer({ report, error: null }),
        (reason: unknown) => {
          if (!controller.signal.aborted)
            setAnswer((old) => ({ report: old.report, error: asApiError(reason) }));
        },
      );
    }, DELAY_MS);
    return () => {
      window.clearTimeout(timer);
      controller.abort();
    };
    /* the question is the draft, but for what does not change its answer */
  }, [site, question]);

  const { report, error } = answer;
  const isStale = !isReady || error !== null;
  return (
    <aside class="preview panel" aria-label={text.editor.preview}>
      <h2>{text.editor.preview}</h2>
      {report === null && !isReady && <p class="hint">{text.editor.previewWaiting}</p>}
      {report === null && isReady && error === null && <Loading />}
      {error !== null && (
        <p class="field-error" role="status">
          {error.field !== null && error.field !== "" ? `${error.field}: ` : ""}
          {messageOf(error)}
        </p>
      )}
      {report !== null && (
        <div class={isStale ? "is-waiting" : ""}>
          <p>
            {text.editor.previewFigures(
              report.entered,
              report.converted,
              formatShare(report.conversion_rate),
            )}
          </p>
          <FunnelDrawing flow={flowOf(report)} links={null} height={200} compact />
        </div>
      )}
    </aside>
  );
}
