/* The table of the tab that is shown, whole, as a file: CSV or Excel, made by the server from the same
 * figures; of visitors all of them. */
import { api } from "../api";
import type { ExportFormat, ExportRequest, Report } from "../api-types";
import { Failed } from "../parts/basic";
import { downloadBlob } from "../parts/download";
import { asApiError, useAction } from "../parts/hooks";
import { text } from "../text";
import { listRequestOf, type ReportState } from "./state";
import { shownRequest } from "./useReport";
import type { View } from "./view";

const FORMATS: ExportFormat[] = ["csv", "xlsx"];

/* What of the report a tab shows; null where that is no table of the server's. */
function whatOf({ tab, by }: ReportState): ExportRequest["what"] | null {
  if (tab === "breakdown") return by.length > 0 ? "breakdown" : null;
  return tab === "time" ? null : tab;
}

function requestFor(what: ExportRequest["what"], format: ExportFormat, view: View, report: Report): ExportRequest {
  const { site, saved, state, question, today } = view;
  const { as_of } = report;
  if (what !== "visitors") return { ...shownRequest(saved.definition, state, question, today, site), what, format, as_of };
  const { figure, stage } = state.opened;
  const list = listRequestOf(saved.definition, state, question, today);
  return { ...list, what, format, as_of, figure, stage, snapshot: report.snapshot };
}

/* The files of the figure may be gone by now: then the list is of the latest. */
async function take(site: string, request: ExportRequest): Promise<Blob> {
  try {
    return await api.exportFile(site, request);
  } catch (reason) {
    if (asApiError(reason).field !== "snapshot") throw reason;
    return api.exportFile(site, { ...request, snapshot: null });
  }
}

export function ExportTable({ view, report }: { view: View; report: Report }) {
  const action = useAction();
  const what = whatOf(view.state);
  const words = text.report.export;
  if (what === null || (what === "visitors" && !view.site.may_see_visitors)) return null;
  const save = (format: ExportFormat) =>
    action.run(async () => {
      const blob = await take(view.site.name, requestFor(what, format, view, report));
      const name = view.saved.name.replace(/[^\p{L}\p{N}]+/gu, "-");
      downloadBlob(`${name}-${what}-${view.today}.${format}`, blob);
    });
  return (
    <div class="export-table">
      <span class="hint">{words.label[what]}</span>
      {FORMATS.map((format) => (
        <button
          key={format}
          type="button"
          class="button is-quiet"
          aria-label={words.name(words.label[what], words.formats[format])}
          disabled={action.isBusy}
          onClick={() => void save(format)}
        >
          {words.formats[format]}
        </button>
      ))}
      {action.error !== null && <Failed error={action.error} />}
    </div>
  );
}
