/* A visitor's events from top to bottom, by session. */
import type { Journey, Site } from "../api-types";
import { formatDuration } from "../format";
import { LOCALE, text } from "../text";
import { placeWords, valueName } from "../valueNames";
import { words } from "../words/journeys";
import { lineOf, type LineEvent, type LineSession } from "./sessions";
import { allOf, attributeOf, driverWords, factsOf, valueOf, whyWords } from "./words";

/* a gap that is worth a line of its own */
const GAP_MS = 60_000;

function inZone(time: number, timeZone: string, options: Intl.DateTimeFormatOptions): string {
  try {
    return new Intl.DateTimeFormat(LOCALE, { ...options, timeZone }).format(time);
  } catch {
    return new Intl.DateTimeFormat(LOCALE, { ...options, timeZone: "UTC" }).format(time);
  }
}

const CLOCK: Intl.DateTimeFormatOptions = {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
};

interface Props {
  site: Site;
  journey: Journey;
  stages: string[];
}

export function Line({ site, journey, stages }: Props) {
  const leftOut = journey.left_out_events ?? [];
  return (
    <>
    <ol class="line">
      {lineOf(journey).map((session) => (
        <SessionLine
          key={session.number}
          site={site}
          session={session}
          stages={stages}
          visitor={journey.visitor}
        />
      ))}
    </ol>
    {leftOut.length > 0 && (
      <details>
        <summary>{words.leftOutCount(leftOut.length)}</summary>
        <ul class="why">
          {leftOut.map(({ event, reason }, index) => (
            <li key={index}>
              {inZone(Date.parse(event.time), site.timezone, { ...CLOCK, day: "numeric", month: "short" })}{" "}
              <strong>{event.event}</strong> {words.leftOut[reason] ?? reason}
            </li>
          ))}
        </ul>
      </details>
    )}
    </>
  );
}

interface SessionProps {
  site: Site;
  session: LineSession;
  stages: string[];
  visitor: string;
}

function SessionLine({ site, session, stages, visitor }: SessionProps) {
  const { session: own, events } = session;
  const start = events[0];
  return (
    <li class="line-session">
      {session.gap_ms !== null && (
        <p class="line-gap">{words.later(formatDuration(Math.max(0, session.gap_ms)))}</p>
      )}
      <h3>
        {inZone(start?.time_ms ?? Date.parse(own.start), site.timezone, { dateStyle: "full" })}
      </h3>
      <p class="line-driver">
        <strong>{driverWords(own)}</strong>
        {!own.is_whole && <span class="hint"> ({words.notWhole})</span>}
      </p>
      <p class="hint">{surroundings(start, own.landing, session.length_ms)}</p>
      <ol>
        {events.map((event, index) => (
          <EventLine key={index} site={site} line={event} stages={stages} visitor={visitor} />
        ))}
      </ol>
    </li>
  );
}

function surroundings(start: LineEvent | undefined, landing: string | null, length: number): string {
  if (start === undefined) return "";
  const of = (attribute: string) => attributeOf(start.event, attribute);
  const country = of("country");
  return [
    placeWords(of("city"), country === null ? null : valueName("country", country)),
    [of("device"), of("browser"), of("os")].filter((word) => word !== null).join(text.common.joins.comma),
    landing ?? "",
    length > 0 ? formatDuration(length) : "",
  ]
    .filter((word) => word !== "")
    .join(" · ");
}

interface EventProps {
  site: Site;
  line: LineEvent;
  stages: string[];
  visitor: string;
}

function EventLine({ site, line, stages, visitor }: EventProps) {
  const { event } = line;
  const path = attributeOf(event, "path");
  const facts = factsOf(event);
  const value = valueOf(event);
  return (
    <>
      {line.gap_ms !== null && line.gap_ms >= GAP_MS && (
        <li class="line-pause">{words.later(formatDuration(line.gap_ms))}</li>
      )}
      <li class={line.marks.some((mark) => mark.isCounted) ? "line-event is-counted" : "line-event"}>
        <time dateTime={event.time} class="line-time">
          {inZone(line.time_ms, site.timezone, CLOCK)}
        </time>
        <div class="line-what">
          <details>
            <summary>
              <strong>{event.event}</strong> {path !== null && <code>{path}</code>}
              {value !== null && <span class="line-value"> {value}</span>}
              {event["bot"] === true && <span class="tag">{words.bot}</span>}
            </summary>
            {line.why.length > 0 && (
              <ul class="why">
                {line.why.map((why, index) => (
                  <li key={index}>{whyWords(why, stages)}</li>
                ))}
              </ul>
            )}
            <dl class="facts">
              {allOf(event).map(([key, fact]) => (
                <div key={key}>
                  <dt>{key}</dt>
                  <dd>{fact}</dd>
                </div>
              ))}
            </dl>
          </details>
          {facts.length > 0 && <p class="hint">{facts.join(" · ")}</p>}
          {event.visitor !== visitor && <p class="hint">{words.asId(event.visitor)}</p>}
        </div>
        <ul class="line-marks">
          {line.marks.map(({ stage, isCounted }) => {
            const name = stages[stage - 1] ?? "";
            const said = isCounted ? words.counted(stage, name) : words.matched(stage, name);
            return (
              <li key={stage}>
                <span class={isCounted ? "mark is-counted" : "mark"} title={said} aria-hidden="true">
                  {stage}
                </span>
                <span class="visually-hidden">{said}</span>
                {isCounted && (
                  <span class="mark-name" aria-hidden="true">
                    {name}
                  </span>
                )}
              </li>
            );
          })}
        </ul>
      </li>
    </>
  );
}

