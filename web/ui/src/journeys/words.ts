/* Drivers and events in a line of words. */
import type { FoundVisitor, JourneySession, StoredEvent, Why } from "../api-types";
import { formatDecimal, formatDuration } from "../format";
import { text } from "../text";
import { words } from "../words/journeys";

type Driver = Pick<FoundVisitor | JourneySession, "channel" | "source" | "campaign" | "keyword">;

/* "paid search: google, teapot-gifts, “teapot gift”" */
export function driverWords({ channel, source, campaign, keyword }: Driver): string {
  const more = [source, campaign, keyword === null ? null : `“${keyword}”`].filter((word) => word !== null);
  const { colon, comma } = text.common.joins;
  return more.length === 0 ? (channel ?? "") : (channel ?? "") + colon + more.join(comma);
}

function textOf(event: StoredEvent, attribute: string): string | null {
  const value = event[attribute];
  if (typeof value === "string") return value === "" ? null : value;
  return typeof value === "number" ? String(value) : null;
}

export function attributeOf(event: StoredEvent, attribute: string): string | null {
  return textOf(event, attribute);
}

/* What besides its name and page says most about an event. */
export function factsOf(event: StoredEvent): string[] {
  const facts: string[] = [];
  const product = textOf(event, "product");
  const quantity = textOf(event, "quantity");
  if (product !== null) facts.push(quantity === null ? product : `${product} ${words.quantity(quantity)}`);
  const order = textOf(event, "order");
  if (order !== null) facts.push(words.order(order));
  if (typeof event["engaged_ms"] === "number") facts.push(words.engaged(formatDuration(event["engaged_ms"])));
  if (typeof event["scroll_pct"] === "number") facts.push(words.scrolled(event["scroll_pct"]));
  for (const [key, value] of Object.entries(event.properties ?? {})) facts.push(`${key}: ${value}`);
  return facts;
}

/* "18.50 SGD": no fewer decimals than the currency has, and none of its own lost. */
export function valueOf(event: StoredEvent): string | null {
  const { value } = event;
  if (typeof value !== "number") return null;
  const currency = textOf(event, "currency");
  if (currency === null) return formatDecimal(String(value));
  try {
    const format = new Intl.NumberFormat("en", { style: "currency", currency });
    const own = String(value).split(".")[1]?.length ?? 0;
    const digits = Math.max(own, format.resolvedOptions().maximumFractionDigits ?? 2);
    return `${formatDecimal(value.toFixed(digits))} ${currency}`;
  } catch {
    return `${formatDecimal(String(value))} ${currency}`;
  }
}

/* Every attribute of an event, in the order in which it came. */
export function allOf(event: StoredEvent): [string, string][] {
  return Object.entries(event).map(([key, value]): [string, string] => [
    key,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
}

/* Why an event counts for a stage, or why not. */
export function whyWords(why: Why, stages: string[]): string {
  const name = (stage: number | undefined) => (stage === undefined ? "" : (stages[stage - 1] ?? ""));
  const by = why.by_ms === undefined ? "" : formatDuration(why.by_ms);
  const reason = words.why[why.reason];
  return words.whyOf(why.stage, name(why.stage), reason === undefined ? why.reason : reason(by, name(why.other_stage)));
}
