/* The site's chosen funnel itself, with the time before as outline. */
import { useMemo } from "preact/hooks";
import { queryWith } from "../ask/question";
import { Chart } from "../charts/Chart";
import { FunnelFigure } from "../drawing/FunnelDrawing";
import { comparedOf, flowOf, isCut } from "../drawing/layout";
import { link } from "../router";
import { text } from "../text";
import { Leak } from "../report/Leak";
import type { Part } from "./part";

export function FunnelPanel({ site, funnel, here, report }: Part) {
  const flow = useMemo(() => flowOf(report), [report]);
  const compared = useMemo(
    () => (report.compare === undefined ? null : comparedOf(report.compare)),
    [report.compare],
  );
  const to = (own: Record<string, string>) =>
    `${link.report(site.name, funnel.name)}${queryWith(own, here.question, here.usual)}#shown`;
  const links = {
    column: (stage: number) => to({ tab: "visitors", figure: "throughput", stage: String(stage) }),
    exit: (stage: number, kind: "lost" | "open") =>
      to({ tab: "visitors", figure: kind, stage: String(stage) }),
    moves: to({ tab: "moves" }),
  };
  if (report.entered === 0) return null;
  return (
    <section class="panel overview-funnel" aria-labelledby="funnel-title">
      <header class="panel-head">
        <h2 id="funnel-title">
          <a href={link.report(site.name, funnel.name) + queryWith({}, here.question, here.usual)}>{funnel.name}</a>
        </h2>
        <Leak site={site} funnel={funnel.name} report={report} here={here} />
      </header>
      <Chart name={funnel.name}>
        {(width, palette) => (
          <FunnelFigure flow={flow} compared={compared} links={links} width={width} palette={palette} height={215} />
        )}
      </Chart>
      {isCut(flow) && <p class="hint">{text.report.cut(flow.stages[0]?.name ?? "")}</p>}
    </section>
  );
}
