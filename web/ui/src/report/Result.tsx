/* The answer in one line, and the three ways to count it side by side: "Open 285 | From the top 224 |
 * Every stage in order 118", the chosen one bold. */
import type { Preset, Report } from "../api-types";
import { formatCount, formatDuration, formatShare } from "../format";
import { interval } from "../stats";
import { text } from "../text";
import { FigureLink } from "./figures";
import type { View } from "./view";

const PRESETS: Preset[] = ["open", "closed", "sequential"];

export function Result({ view, report }: { view: View; report: Report }) {
  const own = view.saved.definition.preset ?? "open";
  const chosen = view.state.preset ?? own;
  return (
    <section class="result" aria-label={text.report.result}>
      <Sentence report={report} />
      <ul class="presets" aria-label={text.report.presetsLabel}>
        {PRESETS.map((preset) => {
          const figures = report.presets[preset];
          const { name, explains } = text.presets[preset];
          return (
            <li key={preset}>
              <a
                class="preset"
                aria-current={preset === chosen ? "true" : undefined}
                title={`${explains} ${text.report.presetOf(figures.converted, figures.entered)}`}
                href={view.hrefOf({ preset: preset === own ? null : preset })}
              >
                <span class="preset-name">{name}</span> <span class="preset-count">{formatCount(figures.converted)}</span>{" "}
                <span class="preset-share">{formatShare(figures.conversion_rate)}</span>
              </a>
            </li>
          );
        })}
      </ul>
      <p class="hint">{text.presets[chosen].explains}</p>
    </section>
  );
}

/* How many converted, how sure that share is, how long it took, and how it was before. */
function Sentence({ report }: { report: Report }) {
  const words = text.report;
  const { aside, semicolon, stop } = text.common.joins;
  const last = report.stages.at(-1);
  const sure = interval(report.converted, report.entered);
  const time = last?.time_from_start_ms ?? null;
  return (
    <div aria-live="polite">
      <p class="result-words">
        <FigureLink figure="converted" count={report.converted} /> {words.of}{" "}
        <FigureLink figure="entered" count={report.entered}>
          {text.visitors(report.entered)}
        </FigureLink>{" "}
        {aside(last?.kind === "sale" ? words.bought : words.reachedLast(last?.name ?? ""), formatShare(report.conversion_rate))}
      </p>
      <p class="hint">
        {[
          sure !== null && words.sure(formatShare(sure.low), formatShare(sure.high)),
          time !== null && words.took(formatDuration(time.p50)),
          report.compare !== undefined &&
            words.before(report.compare.converted, report.compare.entered, formatShare(report.compare.conversion_rate)),
        ]
          .filter(Boolean)
          .join(semicolon)}
        {stop}
      </p>
    </div>
  );
}
