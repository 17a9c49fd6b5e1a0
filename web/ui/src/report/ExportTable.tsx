/* The table of the tab that is shown, whole, as a file: CSV or Excel, made by the server from the same
 * figures; of visitors all of them. */
import { api } from "../api";
import type { ExportFormat, Report, ReportExport } from "../api-types";
import { asApiError } from "../parts/hooks";
import { SaveTable } from "../parts/SaveTable";
import { text } from "../text";
import { listRequestOf, type ReportState } from "./state";
import { shownRequest } from "./useReport";
import type { View } from "./view";

/* What of the report a tab shows; null where that is no table of the server's. */
function whatOf({ tab, by }: ReportState): ReportExport["what"] | null {
  if (tab === "breakdown") return by.length > 0 ? "breakdown" : null;
  return tab === "time" ? null : tab;
}

function requestFor(what: ReportExport["what"], format: ExportFormat, view: View, report: Report): ReportExport {
  const { site, saved, state, question, today } = view;
  const { as_of } = report;
  if (what !== "visitors") return { ...shownRequest(saved.definition, state, question, today, site), what, format, as_of };
  const { figure, stage } = state.opened;
  const list = listRequestOf(saved.definition, state, question, today);
  return { ...list, what, format, as_of, figure, stage, snapshot: report.snapshot };
}

/* The files of the figure may be gone by now: then the list is of the latest. */
async function take(site: string, request: ReportExport): Promise<Blob> {
  try {
    return await api.exportFile(site, request);
  } catch (reason) {
    if (asApiError(reason).field !== "snapshot") throw reason;
    return api.exportFile(site, { ...request, snapshot: null });
  }
}

export function ExportTable({ view, report }: { view: View; report: Report }) {
  const what = whatOf(view.state);
  if (what === null || (what === "visitors" && !view.site.may_see_visitors)) return null;
  const label = text.report.export.label[what];
  return (
    <SaveTable
      label={label}
      hint={label}
      file={[view.saved.name, what, view.today]}
      take={(format) => take(view.site.name, requestFor(what, format, view, report))}
    />
  );
}
