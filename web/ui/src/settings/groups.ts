/* Page groups while they are edited: which paths a glob covers, and which groups suggest themselves. Pure. */
import type { AttributeValue, PageGroup } from "../api-types";

/* `*` is any run without /, `**` any run; a glob covers the whole path. */
export function globPattern(glob: string): RegExp {
  const source = glob.replace(/\*\*|\*|[\\^$.|?+()[\]{}]/g, (found) =>
    found === "**" ? ".*" : found === "*" ? "[^/]*" : `\\${found}`,
  );
  return new RegExp(`^${source}$`, "s");
}

export interface Fit {
  paths: number;
  events: number;
}

/* What each group gets of the paths: the first that fits has it. */
export function fitsOf(groups: PageGroup[], paths: AttributeValue[]): Fit[] {
  const patterns = groups.map((group) => group.globs.map(globPattern));
  const fits = groups.map(() => ({ paths: 0, events: 0 }));
  for (const { value, events } of paths) {
    const fit = fits[patterns.findIndex((globs) => globs.some((glob) => glob.test(value)))];
    if (fit === undefined) continue;
    fit.paths += 1;
    fit.events += events;
  }
  return fits;
}

export interface Suggestion {
  group: PageGroup;
  events: number;
}

const SUGGESTIONS_MAX = 4;
/* a group that nearly all pages are in tells nothing */
const SHARE_MAX = 0.8;

function titleOf(part: string): string {
  const words = part.replace(/[-_]+/g, " ").trim();
  return words.slice(0, 1).toUpperCase() + words.slice(1);
}

/* First parts of paths under which several pages lie and which no group has yet, by their events. */
export function suggestionsFor(groups: PageGroup[], paths: AttributeValue[]): Suggestion[] {
  const taken = groups.flatMap((group) => group.globs.map(globPattern));
  const all = paths.reduce((sum, { events }) => sum + events, 0);
  const found = new Map<string, { paths: number; events: number }>();
  for (const { value, events } of paths) {
    const first = /^\/([^/]+)\/[^/]/.exec(value)?.[1];
    if (first === undefined || taken.some((glob) => glob.test(value))) continue;
    const one = found.get(first) ?? { paths: 0, events: 0 };
    found.set(first, { paths: one.paths + 1, events: one.events + events });
  }
  return [...found]
    .filter(([, one]) => one.paths > 1 && one.events <= SHARE_MAX * all)
    .sort((a, b) => b[1].events - a[1].events)
    .slice(0, SUGGESTIONS_MAX)
    .map(([part, one]) => ({
      group: { name: titleOf(part), globs: [`/${part}/**`] },
      events: one.events,
    }));
}

/* Lines or words of a text field as a list. */
export function listOf(text: string): string[] {
  return text.split(/[\s,]+/).filter((word) => word !== "");
}
