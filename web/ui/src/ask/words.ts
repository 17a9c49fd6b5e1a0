/* Ranges, comparisons and filters as a person would say them. */
import type { FilterPlace } from "./filter";
import { isVisit, takesValues, usualPlace, type ChosenFilter } from "./filter";
import { formatDayShort } from "../format";
import { attributeName, operatorName } from "../ruleWords";
import { text } from "../text";
import { valueName } from "../valueNames";
import { boundsOf, type Range } from "./range";
import type { Comparison } from "./question";

export function rangeName(range: Range): string {
  if (range.kind === "all") return text.ask.allTime;
  if (range.kind === "days") return text.ask.lastDays(range.days);
  if (range.kind === "named") return text.ask.named[range.name];
  const { from, until } = range;
  if (from === null) return text.ask.upTo(formatDayShort(until ?? ""));
  if (until === null) return text.ask.since(formatDayShort(from));
  return daysName(from, until);
}

function daysName(from: string, until: string): string {
  return from === until ? formatDayShort(from) : text.ask.days(formatDayShort(from), formatDayShort(until));
}

export function canCompare(range: Range, today: string): boolean {
  const { from, to } = boundsOf(range, today);
  return from !== null && to !== null;
}

export function comparisonName(compare: Comparison): string {
  if (compare.kind === "dates") return daysName(compare.from, compare.until);
  return text.ask.compared[compare.kind];
}

export function placeName(at: FilterPlace, isShort = false): string {
  if (typeof at === "number") return text.ask.atStage(at);
  if (isVisit(at)) return text.ask.visitOf(Number(at.slice("visit:".length)));
  return isShort ? text.ask.placeShort[at] : text.ask.places[at];
}

/* "is" is left to the colon: "Campaign: spring, autumn"; everything else is said. */
export function filterWords(filter: ChosenFilter): string {
  const { aside, colon } = text.common.joins;
  const name = attributeName(filter.attribute);
  const values = filter.values.map((value) => valueName(filter.attribute, value));
  const joint = filter.op === "between" ? text.rule.between : text.rule.or;
  const said =
    filter.op === "is"
      ? name + colon + values.join(joint)
      : `${name} ${operatorName(filter.op)}${takesValues(filter.op) ? ` ${values.join(joint)}` : ""}`;
  const isUsual = filter.at === null || filter.at === usualPlace(filter.attribute);
  return capital(isUsual ? said : aside(said, placeName(filter.at ?? "any", true)));
}

export function capital(words: string): string {
  return words.slice(0, 1).toUpperCase() + words.slice(1);
}
