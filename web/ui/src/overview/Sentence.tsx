/* The page in one sentence, made by rule: how many, what share, what value; how it changed, and where
 * that came from: parts that add up to it, each a link. */
import { queryWith } from "../ask/question";
import { formatCount, formatMoney, formatShare } from "../format";
import { link } from "../router";
import { screenOf } from "../screens";
import { text } from "../text";
import { changeOf, type ChangePart } from "./change";
import type { Part } from "./part";

export function Sentence({ site, funnel, here, report }: Part) {
  const words = text.overview.sentence;
  const last = report.stages.at(-1);
  const query = queryWith({}, here.question, here.usual);
  const address = link.report(site.name, funnel.name);
  const list = (figure: string) => `${address}${queryWith({ tab: "visitors", figure }, here.question, here.usual)}#shown`;
  const money = formatMoney(last?.value);
  const { aside, stop } = text.common.joins;
  if (report.entered === 0) return <p class="sentence">{words.none}</p>;
  return (
    <p class="sentence" aria-live="polite">
      <a href={list("converted")}>{formatCount(report.converted)}</a> {words.of}{" "}
      <a href={`${address}${query}`}>{text.visitors(report.entered)}</a>{" "}
      {aside(last?.kind === "sale" ? words.bought : words.reached(last?.name ?? ""), formatShare(report.conversion_rate))}
      {money.length > 0 && words.value(money.join(" + "))}
      {stop}{" "}
      <Changed site={site} funnel={funnel} here={here} report={report} />
    </p>
  );
}

function Changed({ site, funnel, here, report }: Part) {
  if (report.compare === undefined) return null;
  const words = text.overview.sentence;
  const { colon, comma, stop } = text.common.joins;
  const { total, parts } = changeOf(report, report.compare);
  const said = total === 0 ? words.same : total > 0 ? words.more(total) : words.fewer(-total);
  const name = (stage: number) => report.stages[stage - 1]?.name ?? "";
  const wordsOf = ({ step, count }: ChangePart) => {
    if (step === 0) return count > 0 ? words.byMore(count) : words.byFewer(-count);
    const tell = count > 0 ? words.gained : words.lost;
    return tell(Math.abs(count), name(step), name(step + 1));
  };
  const hrefOf = ({ step }: ChangePart) => {
    const { question, usual } = here;
    if (step > 0 && screenOf("dropoff") !== undefined) {
      const own = { funnel: funnel.name, stage: String(step) };
      return link.screen(site.name, "dropoff") + queryWith(own, question, usual);
    }
    return link.report(site.name, funnel.name) + queryWith({ tab: "trend" }, question, usual);
  };
  return (
    <>
      {said}
      {parts.length > 0 && colon}
      {parts.map((part, index) => (
        <span key={part.step}>
          {index > 0 && comma}
          <a href={hrefOf(part)}>{wordsOf(part)}</a>
        </span>
      ))}
      {stop}
    </>
  );
}

