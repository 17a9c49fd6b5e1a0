/* Words of the drop-off page. */
import { n, plural } from "./numbers";

export const dropoff = {
  title: "Drop-off",
  lead: "Why visitors leave a funnel at one stage: what they did next, and what sets them apart from those who went on.",
  funnel: "Funnel",
  stage: "Left at",
  sizes: (left: number, onward: number) => `${n(left)} left for good, ${n(onward)} went on`,
  open: (count: number) => `${n(count)} are still under way and stand on neither side`,
  next: "What they did next",
  last: "What they did last",
  of: { event: "Events", path: "Pages", page_group: "Page groups" } as Record<string, string>,
  nothing: "nothing any more",
  other: "anything else",
  apart: "What sets them apart",
  more: "More often among those who left",
  less: "More often among those who went on",
  sentence: (what: string, left: string, onward: string) =>
    `${what}: ${left} of those who left, ${onward} of those who went on.`,
  signs: {
    went_back: "Went back a page",
    same_page_3: "Opened the same page three times",
    rage_click: "Clicked in rage",
    error: "Met an error",
    slow_load: "Waited 4 s or more for a page",
  } as Record<string, string>,
  inSession: "in that visit",
  nobody: (name: string) => `Nobody left at ${name} for good in these days.`,
  none: (tested: number) =>
    `Nothing does: of ${plural(tested, "value", "values")} that at least 30 visitors have, none is more frequent on one side than chance explains.`,
  method: (tested: number) =>
    `Compared: ${plural(tested, "value", "values")} that at least 30 visitors have. Shown are those that chance explains badly (false discovery rate of at most 5%, Benjamini-Hochberg). What goes together need not be the cause.`,
  leftOut: (names: string) => `Left out, as the stages are made of them: ${names}.`,
  counts: (left: number, onward: number) => `${n(left)} who left, ${n(onward)} who went on`,
  filter: (what: string) => `Show only: ${what}`,
};
