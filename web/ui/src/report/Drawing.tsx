/* The drawing of a report: every column, band and exit leads to what is behind it. */
import { useMemo } from "preact/hooks";
import type { Report } from "../api-types";
import { Chart } from "../charts/Chart";
import { DrawingLegend } from "../drawing/DrawingLegend";
import { FunnelFigure } from "../drawing/FunnelDrawing";
import { comparedOf, flowOf, isCut } from "../drawing/layout";
import { text } from "../text";
import { navigate } from "../router";
import type { View } from "./view";

export function Drawing({ view, report }: { view: View; report: Report }) {
  const { state, hrefOf } = view;
  const first = Math.min(state.first, Math.max(1, report.stages.length - 1));
  const flow = useMemo(() => flowOf(report, first), [report, first]);
  const compared = useMemo(
    () => (report.compare === undefined ? null : comparedOf(report.compare, first)),
    [report.compare, first],
  );
  const links = {
    column: (stage: number) => `${hrefOf({ tab: "visitors", opened: { figure: "throughput", stage } })}#shown`,
    exit: (stage: number, kind: "lost" | "open") =>
      `${hrefOf({ tab: "visitors", opened: { figure: kind, stage } })}#shown`,
    moves: `${hrefOf({ tab: "moves" })}#shown`,
  };
  if (report.entered === 0)
    return (
      <section class="panel empty" aria-label={text.report.drawingTitle}>
        <p>
          <strong>{text.report.noOne}</strong>
        </p>
        <p>{text.report.noOneHint}</p>
      </section>
    );
  return (
    <section class="panel" aria-label={text.report.drawingTitle}>
      <div class="drawing-bar">
        <DrawingLegend report={report} isCompared={compared !== null} />
        {report.stages.length > 2 && (
          <label class="inline-field">
            {text.report.drawFrom}
            <select
              value={String(first)}
              onChange={(event) => navigate(hrefOf({ first: Number(event.currentTarget.value) }))}
            >
              {report.stages.slice(0, -1).map((stage, index) => (
                <option key={index} value={String(index + 1)}>
                  {text.report.stageNumber(index + 1, stage.name)}
                </option>
              ))}
            </select>
          </label>
        )}
      </div>
      <Chart name={view.saved.name}>
        {(width, palette) => (
          <FunnelFigure flow={flow} compared={compared} links={links} width={width} palette={palette} />
        )}
      </Chart>
      {isCut(flow) && <p class="hint">{text.report.cut(flow.stages[0]?.name ?? "")}</p>}
    </section>
  );
}
