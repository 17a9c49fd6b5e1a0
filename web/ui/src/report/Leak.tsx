/* Where it leaks, what that costs, and the way to why. */
import type { Report, Site } from "../api-types";
import { queryWith } from "../ask/question";
import type { AskedHere } from "../ask/useAsked";
import { formatAmount, formatRate, formatShare } from "../format";
import { link } from "../router";
import { screenOf } from "../screens";
import { text } from "../text";
import { leakOf } from "./leak";

interface Props {
  site: Site;
  funnel: string;
  report: Report;
  here: Pick<AskedHere, "question" | "usual">;
}

/* What so many conversions are worth, by the mean of those there were, in the site's currency. */
function worth(report: Report, site: Site, conversions: number): string {
  const amount = Number(report.stages.at(-1)?.value?.[site.currency] ?? "0");
  if (amount <= 0 || report.converted === 0) return "";
  return formatAmount((amount / report.converted) * conversions, site.currency);
}

export function Leak({ site, funnel, report, here }: Props) {
  const words = text.report.weakest;
  const leak = leakOf(report);
  if (leak === null) return null;
  const from = report.stages[leak.step - 1]?.name ?? "";
  const to = report.stages[leak.step]?.name ?? "";
  const money = worth(report, site, leak.cost);
  const own = { funnel, stage: String(leak.step) };
  return (
    <p class="leak">
      <strong>{words.title}:</strong>{" "}
      {leak.rateBefore === null
        ? words.lowest(from, to, formatShare(leak.rate))
        : words.fell(from, to, formatShare(leak.rate), formatShare(leak.rateBefore))}
      {"; "}
      {leak.rateBefore === null ? words.point(formatRate(leak.cost), money) : words.cost(leak.cost, money)}.{" "}
      {screenOf("dropoff") !== undefined && (
        <a href={link.screen(site.name, "dropoff") + queryWith(own, here.question, here.usual)}>{words.why}</a>
      )}
    </p>
  );
}
