/* The question that a report answers, in words. */
import type { FunnelDefinition } from "../api-types";
import type { Question } from "../ask/question";
import { addDays, boundsOf, type Range } from "../ask/range";
import { filterWords } from "../ask/words";
import { formatDay } from "../format";
import { ruleWords } from "../ruleWords";
import { text } from "../text";
import { windowWords } from "../windowWords";

interface Props {
  definition: FunnelDefinition;
  question: Question;
  timezone: string;
  today: string;
}

/* Whose first stage was in these days, first and last included. */
export function daysWords(first: string | null, last: string | null): string {
  const words = text.report.definition;
  if (first === null) return last === null ? words.allTime : words.upTo(formatDay(last));
  if (last === null) return words.since(formatDay(first));
  return first === last ? words.on(formatDay(first)) : words.between(formatDay(first), formatDay(last));
}

function rangeWords(range: Range, today: string): string {
  const { from, to } = boundsOf(range, today);
  return daysWords(from, to === null ? null : addDays(to, -1));
}

export function DefinitionWords({ definition, question, timezone, today }: Props) {
  const words = text.report.definition;
  const { semicolon, stop } = text.common.joins;
  const exclusions = definition.exclusions ?? [];
  const parts = [
    rangeWords(question.range, today),
    words.window(windowWords(definition.window ?? "7d")),
    words.bots[question.bots],
    words.zone(timezone),
  ];
  if (question.filters.length > 0) parts.push(words.only(question.filters.map(filterWords).join(text.rule.and)));
  if (exclusions.length > 0) parts.push(words.exclusions(exclusions.length));
  const nameOf = (number: number) => definition.stages[number - 1]?.name ?? String(number);
  return (
    <>
      <p class="lead">{parts.join(semicolon) + stop}</p>
      <details class="definition">
        <summary>{text.report.stagesInWords}</summary>
        <ol>
          {definition.stages.map((stage, index) => (
            <li key={index}>
              <strong>{stage.name}</strong>
              {stage.required === true && <span class="tag">{text.report.required}</span>}
              <br />
              {ruleWords(stage.rule)}
            </li>
          ))}
        </ol>
        {exclusions.map((exclusion, index) => (
          <p key={index}>
            {text.report.exclusionInWords(
              nameOf(exclusion.from ?? 1),
              nameOf(exclusion.to ?? definition.stages.length),
            )}
            : {ruleWords(exclusion.rule)}
          </p>
        ))}
      </details>
    </>
  );
}
