/* Words of the live screen. */
import { n, plural } from "./numbers";

export const words = {
  title: "Live",
  health: "What is left out, and why",
  lead: "The newest events, and what became of each of them. Asked for every 2 seconds while this page is in sight.",
  here: (visitors: number, rate: string) =>
    `${plural(visitors, "visitor", "visitors")} in the last 5 minutes, ${rate} events a minute`,
  age: (time: string) => `the newest event is ${time} old`,
  pause: "Pause",
  resume: "Go on",
  paused: "Paused",
  stale: (time: string) => `Not refreshed since ${time}. Trying again.`,
  none: "Nothing has arrived yet.",
  noneHint: "Paste the snippet into your pages; the diagnosis under Settings says what to look at.",
  settings: "Snippet and diagnosis",
  caption: "The newest events, the latest first",
  columns: { time: "Time", event: "Event", visitor: "Visitor", place: "Place", driver: "Driver", stage: "Became" },
  bot: "bot, left out",
  entrance: "entrance",
  marks: (names: string[]) => `matches ${names.join(", ")}`,
  reached: (stage: number, name: string) => `got to stage ${n(stage)}, ${name}`,
  funnel: "Stages of",
  noFunnel: "no funnel",
};
