/* The command that prints the report that is on the screen. Pure. */
import type { ReportRequest } from "../api-types";
import { breakdownText } from "./state";

/* A word of a shell, quoted where it needs it. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/* The command takes JSON where it takes a file's name: one line to paste, into any shell. */
const inline = (value: unknown) => quoted(JSON.stringify(value));

/* Names that the command would take for a file, for JSON or for a flag. */
const isOddName = (name: string) => /^[-{]|\.json$/.test(name);

/* `saved`: the funnel's name where the report is of it as it is saved. */
export function commandOf(site: string, request: ReportRequest, saved: string | null, asOf: string): string {
  const { funnel, from, to, bots, filters, breakdown, limit, trend, compare } = request;
  const words = ["corong", "funnel", "run", quoted(site)];
  words.push(saved !== null && !isOddName(saved) ? quoted(saved) : inline(funnel));
  if (typeof from === "string") words.push("--from", from);
  if (typeof to === "string") words.push("--to", to);
  words.push("--as-of", asOf);
  if (bots !== undefined && bots !== "exclude") words.push("--bots", bots);
  if (filters !== undefined && filters.length > 0) words.push("--where", inline(filters));
  for (const one of breakdown ?? [])
    words.push("--breakdown", quoted(one.bins === undefined ? breakdownText(one) : JSON.stringify(one)));
  if (breakdown !== undefined && limit !== undefined) words.push("--limit", String(limit));
  if (typeof trend === "string") words.push("--trend", trend);
  if (compare === "previous") words.push("--compare", "previous");
  else if (typeof compare === "object" && compare !== null) words.push("--compare", `${compare.from}..${compare.to}`);
  words.push("--json");
  return words.join(" ");
}
