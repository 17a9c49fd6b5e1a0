/* What a rule matches among the data: how many events of how many visitors, and how much of it other
 * stages match too. Asked while the rule is being worked at; beside the others stands what the
 * draft's own report says of them. */
import { api } from "../api";
import type { Count, Report, Rule, Site } from "../api-types";
import { askedOf, type Question } from "../ask/question";
import { useAnswer } from "../ask/useAnswer";
import { formatShare } from "../format";
import { text } from "../text";
import { words as editorWords } from "../words/editor";
import { matchesOf, overlapFunnel, type Matches as Found, type OtherRule } from "./asking";
import { useSettled } from "./usePreview";

/* What the rules of a form are asked over. */
export interface MatchScope {
  site: Site;
  question: Question;
  today: string;
}

interface Props {
  scope: MatchScope;
  /* null: not filled in yet */
  rule: Rule | null;
  others: OtherRule[];
  isActive: boolean;
  /* of the draft's report, where it says so: words of its own */
  seen: string;
}

export function Matches({ scope, rule, others, isActive, seen }: Props) {
  const { site, question, today } = scope;
  const { from, to, bots } = askedOf(question, today);
  const asked = { from, to, bots };
  const key = JSON.stringify([site.name, asked, rule, others.map((other) => other.rule)]);
  const settledKey = useSettled(key, key);
  const isOff = !isActive || rule === null || settledKey !== key;
  const own = rule ?? { attribute: "event", op: "set" };
  const overlap = useAnswer<{ key: string; report: Report }>(
    key,
    async (queryId, signal) => {
      const funnel = overlapFunnel(own, others);
      return { key, report: await api.report(site.name, { ...asked, funnel, figures: "counts", query_id: queryId }, signal) };
    },
    { isOff },
  );
  const countKey = JSON.stringify([site.name, asked, rule]);
  const count = useAnswer<{ key: string; count: Count }>(
    countKey,
    async (queryId, signal) => {
      const filters = [{ rule: own, at: "every" as const }];
      return { key: countKey, count: await api.count(site.name, { ...asked, filters, query_id: queryId }, signal) };
    },
    { isOff },
  );
  if (rule === null) return null;
  const found = overlap.value?.key === key ? matchesOf(overlap.value.report, others) : null;
  const events = count.value?.key === countKey ? count.value.count.events : null;
  const isCounting = isActive && found === null && overlap.error === null;
  return (
    <p class="matches" aria-live={isActive ? "polite" : undefined} title={editorWords.overlapMeans}>
      {found !== null ? words(found, events) : isCounting ? editorWords.counting : seen}
    </p>
  );
}

/* "matches 2,306 events of 1,961 visitors, overlaps stage 3 by 12%" */
function words({ visitors, overlaps }: Found, events: number | null): string {
  const matched = events === null ? editorWords.matchesVisitors(visitors) : editorWords.matches(events, visitors);
  if (visitors === 0) return matched;
  const shared = overlaps.map(({ number, name, share }) => editorWords.overlap(number, name, formatShare(share)));
  const { comma, stop } = text.common.joins;
  return matched + comma + (shared.length === 0 ? editorWords.noOverlap : editorWords.overlaps(shared.join(comma))) + stop;
}
