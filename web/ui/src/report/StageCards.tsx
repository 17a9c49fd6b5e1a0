/* One card a stage: every figure of it, each percentage with its divisor in words. */
import type { ComponentChildren } from "preact";
import type { Report, Spread, StageFigures } from "../api-types";
import { LATER, formatDuration, formatMoney, formatShare, shareOf } from "../format";
import { text } from "../text";
import { FigureLink } from "./figures";

export function StageCards({ report }: { report: Report }) {
  return (
    <ol class="cards">
      {report.stages.map((stage, index) => (
        <li key={index} class="card" id={`stage-${index + 1}`} tabIndex={-1}>
          <StageCard
            stage={stage}
            number={index + 1}
            last={report.stages.at(-1)}
            previous={report.stages[index - 1]}
            isLast={index === report.stages.length - 1}
          />
        </li>
      ))}
    </ol>
  );
}

/* A figure, what it counts, and what its share is of. */
function Figure({ count, words, of }: { count: ComponentChildren; words: string; of?: string }) {
  return (
    <p class="figure">
      <strong>{count}</strong> {words} {of !== undefined && <span class="of">{of}</span>}
    </p>
  );
}

interface CardProps {
  stage: StageFigures;
  number: number;
  last: StageFigures | undefined;
  previous: StageFigures | undefined;
  isLast: boolean;
}

function StageCard({ stage, number, last, previous, isLast }: CardProps) {
  const words = text.card;
  return (
    <>
      <header class="card-head">
        <h3>
          <span class="card-number">{number}</span> {stage.name}
        </h3>
        {stage.kind !== "custom" && <span class="tag">{text.kinds[stage.kind]}</span>}
        {stage.required && <span class="tag">{text.report.required}</span>}
      </header>
      <Figure
        count={<FigureLink figure="throughput" stage={number} count={stage.throughput} />}
        words={words.gotThisFar}
        of={words.ofAll(formatShare(stage.rate_from_first))}
      />
      <p class="figure is-split">
        <span>
          <strong><FigureLink figure="reached" stage={number} count={stage.reached} /></strong> {words.cameThrough}
        </span>
        <span class={stage.skipped > 0 ? "is-skipped" : ""}>
          <strong><FigureLink figure="skipped" stage={number} count={stage.skipped} /></strong> {words.skippedIt}
        </span>
      </p>
      {stage.entries > 0 && <Figure count={<FigureLink figure="entries" stage={number} count={stage.entries} />} words={words.cameIn} />}
      {isLast ? (
        <p class="figure">
          {words.ofStageBefore(
            formatShare(stage.rate_from_previous),
            previous?.throughput ?? 0,
            previous?.name ?? "",
          )}
        </p>
      ) : (
        <GoingOn stage={stage} number={number} last={last} />
      )}
      <TimeLines stage={stage} />
      <ValueLines stage={stage} number={number} />
    </>
  );
}

function GoingOn({ stage, number, last }: { stage: StageFigures; number: number; last: StageFigures | undefined }) {
  const words = text.card;
  const rate = formatShare(stage.rate_converted);
  return (
    <>
      <Figure
        count={<FigureLink figure="onward" stage={number} count={stage.onward} />}
        words={words.wentOn}
        of={words.ofThroughHere(formatShare(stage.rate_onward))}
      />
      <p class="figure">
        {words.ofThese} <strong><FigureLink figure="converted" stage={number} count={stage.converted} /></strong>{" "}
        {last?.kind === "sale" ? words.bought(rate) : words.reachedLast(last?.name ?? "", rate)}
      </p>
      <p class="figure is-left">
        <strong><FigureLink figure="dropoff" stage={number} count={stage.exits} /></strong> {words.left}{" "}
        <span class="of">
          {words.ofThisFar(formatShare(shareOf(stage.exits, stage.throughput)))}
          {(stage.open ?? 0) > 0 && (
            <>
              {" "}
              <FigureLink figure="open" stage={number} count={stage.open ?? 0}>
                {words.stillOpen(stage.open ?? 0)}
              </FigureLink>
            </>
          )}
        </span>
      </p>
    </>
  );
}

function spreadWords(spread: Spread | null | undefined): string {
  if (spread === undefined) return LATER;
  if (spread === null) return text.card.noTime;
  const { median, nineInTen } = text.card;
  return `${median(formatDuration(spread.p50))}, ${nineInTen(formatDuration(spread.p90))}`;
}

function TimeLines({ stage }: { stage: StageFigures }) {
  const isLater = stage.time_from_previous_ms === undefined && stage.reached > stage.entries;
  if (!isLater && (stage.time_from_previous_ms ?? null) === null && (stage.time_from_start_ms ?? null) === null) return null;
  return (
    <dl class="card-list">
      <dt>{text.card.fromPrevious}</dt>
      <dd>{spreadWords(stage.time_from_previous_ms)}</dd>
      <dt>{text.card.fromStart}</dt>
      <dd>{spreadWords(stage.time_from_start_ms)}</dd>
    </dl>
  );
}

function ValueLines({ stage, number }: { stage: StageFigures; number: number }) {
  const money = stage.value === undefined && stage.kind === "sale" ? [LATER] : formatMoney(stage.value);
  return (
    <dl class="card-list">
      <dt title={text.card.seenHint}>{text.card.seen}</dt>
      <dd><FigureLink figure="seen" stage={number} count={stage.seen} /></dd>
      {money.length > 0 && (
        <>
          <dt>{text.card.value}</dt>
          {money.map((amount) => (
            <dd key={amount}>{amount}</dd>
          ))}
        </>
      )}
    </dl>
  );
}
