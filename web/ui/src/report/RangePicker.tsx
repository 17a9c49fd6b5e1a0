/* All time, the last days, or two days of one's own. */
import { useEffect, useState } from "preact/hooks";
import { text } from "../text";
import { addDays, isBackwards, LAST_DAYS, type ReportState } from "./state";

interface Props {
  state: ReportState;
  today: string;
  onChange: (state: ReportState) => void;
}

export function RangePicker({ state, today, onChange }: Props) {
  const { range } = state;
  const [isOpen, setOpen] = useState(range.kind === "dates");
  const showsDates = isOpen || range.kind === "dates";
  return (
    <div class="ranges">
      <div class="segments" role="group" aria-label={text.report.range}>
        <button
          type="button"
          aria-pressed={range.kind === "all" && !isOpen}
          onClick={() => {
            setOpen(false);
            onChange({ ...state, range: { kind: "all" } });
          }}
        >
          {text.report.allTime}
        </button>
        {LAST_DAYS.map((days) => (
          <button
            key={days}
            type="button"
            aria-pressed={range.kind === "days" && range.days === days && !isOpen}
            onClick={() => {
              setOpen(false);
              onChange({ ...state, range: { kind: "days", days } });
            }}
          >
            {text.report.lastDays(days)}
          </button>
        ))}
        <button type="button" aria-pressed={showsDates} onClick={() => setOpen(true)}>
          {text.report.custom}
        </button>
      </div>
      {showsDates && <Dates state={state} today={today} onChange={onChange} />}
    </div>
  );
}

function Dates({ state, today, onChange }: Props) {
  const given = state.range.kind === "dates" ? state.range : null;
  const [from, setFrom] = useState(given?.from ?? addDays(today, -29));
  const [until, setUntil] = useState(given?.until ?? today);
  const givenFrom = given?.from ?? null;
  const givenUntil = given?.until ?? null;
  useEffect(() => {
    if (givenFrom !== null) setFrom(givenFrom);
    if (givenUntil !== null) setUntil(givenUntil);
  }, [givenFrom, givenUntil]);
  const bounds = { from: from === "" ? null : from, until: until === "" ? null : until };
  const isWrong = isBackwards(bounds.from, bounds.until);
  return (
    <form
      class="dates"
      onSubmit={(event) => {
        event.preventDefault();
        if (!isWrong) onChange({ ...state, range: { kind: "dates", ...bounds } });
      }}
    >
      <label class="inline-field">
        {text.report.from}
        <input type="date" value={from} onInput={(event) => setFrom(event.currentTarget.value)} />
      </label>
      <label class="inline-field">
        {text.report.until}
        <input type="date" value={until} onInput={(event) => setUntil(event.currentTarget.value)} />
      </label>
      <button type="submit" class="button" disabled={isWrong}>
        {text.report.apply}
      </button>
      {isWrong && (
        <p class="field-error" role="alert">
          {text.report.badRange}
        </p>
      )}
    </form>
  );
}
