/* Four figures with what they were before and how they went. */
import type { Count, Money } from "../api-types";
import { queryWith } from "../ask/question";
import { Sparkline } from "../charts/Sparkline";
import { changeWords } from "../drawing/words";
import { formatCount, formatMoney, formatShare, shareOf } from "../format";
import { link } from "../router";
import { text } from "../text";
import type { Part } from "./part";

interface FigureProps {
  name: string;
  /* several only of amounts in several currencies */
  value: string[];
  href?: string;
  sub: string;
  now: number | null;
  before: number | null;
  points: number[];
}

/* The amount in the site's currency; of values in others the first, as they come. */
function amountOf(money: Money | undefined, currency: string): number | null {
  const amount = money?.[currency] ?? Object.values(money ?? {})[0];
  return amount === undefined ? null : Number(amount);
}

export function Figures({ site, funnel, here, report, count }: Part & { count: Count | null }) {
  const words = text.overview.figures;
  const { compare, trend = [] } = report;
  const last = report.stages.at(-1);
  const open = report.stages.reduce((sum, stage) => sum + (stage.open ?? 0), 0);
  const address = (own: Record<string, string>) =>
    link.report(site.name, funnel.name) + queryWith(own, here.question, here.usual);
  const moneyOf = (money: Money | undefined) => {
    const own = money?.[site.currency];
    const amounts = formatMoney(own === undefined ? money : { [site.currency]: own });
    return amounts.length === 0 ? ["0"] : amounts;
  };
  return (
    <section class="figures" aria-label={words.label}>
      <FigureBox
        name={words.visitors}
        value={[formatCount(count?.visitors ?? report.entered)]}
        href={address({ tab: "trend" })}
        sub={words.entered(report.entered)}
        now={count?.visitors ?? null}
        before={count?.compare?.visitors ?? null}
        points={(count?.trend ?? []).map((point) => point.visitors)}
      />
      <FigureBox
        name={last?.kind === "sale" ? words.buyers : words.converted}
        value={[formatCount(report.converted)]}
        href={`${address({ tab: "visitors", figure: "converted" })}#shown`}
        sub={count === null ? "" : words.orders(count.orders)}
        now={report.converted}
        before={compare?.converted ?? null}
        points={trend.map((point) => point.converted)}
      />
      <FigureBox
        name={words.value}
        value={moneyOf(last?.value)}
        sub={count === null ? "" : words.received(moneyOf(count.value).join(" + "))}
        now={amountOf(last?.value, site.currency)}
        before={amountOf(compare?.stages.at(-1)?.value, site.currency)}
        points={(count?.trend ?? []).map((point) => amountOf(point.value, site.currency) ?? 0)}
      />
      <FigureBox
        name={words.open}
        value={[formatCount(open)]}
        href={`${address({ tab: "visitors", figure: "open", stage: "1" })}#shown`}
        sub={words.openSub(formatShare(shareOf(open, report.entered)))}
        now={null}
        before={null}
        points={[]}
      />
    </section>
  );
}

function FigureBox({ name, value, href, sub, now, before, points }: FigureProps) {
  const change = now === null || before === null ? "" : changeWords(now, before);
  return (
    <div class="figure-box">
      <h2>{name}</h2>
      <p class={value.length > 1 ? "figure-value is-several" : "figure-value"}>
        {value.map((one) => (href === undefined ? <span key={one}>{one}</span> : <a key={one} href={href}>{one}</a>))}
      </p>
      <p class="figure-sub">
        {change !== "" && (
          <>
            <span class={`figure-change ${change.startsWith("−") ? "is-down" : "is-up"}`}>{change}</span> ·{" "}
          </>
        )}
        {sub}
      </p>
      {points.length > 1 && <Sparkline points={points} />}
    </div>
  );
}
