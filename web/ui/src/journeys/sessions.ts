/* One visitor's line: sessions in their order, the gaps, and which events the funnel counts. Pure. */
import type { Journey, JourneyEvent, StoredEvent, Why } from "../api-types";

export interface StageMark {
  stage: number;
  /* this very event is the visit of the stage that the funnel counts */
  isCounted: boolean;
}

export interface LineEvent {
  event: StoredEvent;
  time_ms: number;
  /* since the event before it in the session, null for the first */
  gap_ms: number | null;
  marks: StageMark[];
  why: Why[];
}

export interface LineSession {
  session: Journey["sessions"][number];
  number: number;
  /* since the end of the session before, null for the first */
  gap_ms: number | null;
  length_ms: number;
  events: LineEvent[];
}

function keyOf(stage: number, time: number): string {
  return `${stage}@${time}`;
}

function countedVisits(journey: Journey): Set<string> {
  return new Set(
    (journey.paths ?? []).flatMap(({ path }) => path.map(([stage, time]) => keyOf(stage, time))),
  );
}

/* Of several events at the same moment that match a counted stage, the first stands for it. */
function lineEvents(events: JourneyEvent[], left: Set<string>): LineEvent[] {
  let before: number | null = null;
  return events.map(({ event, stages, why }) => {
    const time = Date.parse(event.time);
    const marks = (stages ?? []).map((stage) => ({ stage, isCounted: left.delete(keyOf(stage, time)) }));
    const gap = before === null ? null : time - before;
    before = time;
    return { event, time_ms: time, gap_ms: gap, marks, why: why ?? [] };
  });
}

export function lineOf(journey: Journey): LineSession[] {
  const left = countedVisits(journey);
  let end: number | null = null;
  return journey.sessions.map((session, index) => {
    const events = lineEvents(session.events, left);
    const first = events[0]?.time_ms ?? Date.parse(session.start);
    const last = events.at(-1)?.time_ms ?? first;
    const gap = end === null ? null : first - end;
    end = last;
    return { session, number: index + 1, gap_ms: gap, length_ms: last - first, events };
  });
}

/* The deepest stage of the paths, 0 where there is none. */
export function depthOf(paths: Journey["paths"]): number {
  return Math.max(0, ...(paths ?? []).flatMap(({ path }) => path.map(([stage]) => stage)));
}

/* "431fe851dc0887b9..." is as good as the whole of it to a reader; a known id is not. */
export function shortId(id: string): string {
  return /^[0-9a-f]{20,}$/i.test(id) ? `${id.slice(0, 12)}…` : id;
}
