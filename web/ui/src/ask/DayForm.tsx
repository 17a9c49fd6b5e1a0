/* Two days, either of which may be left out. */
import { useState } from "preact/hooks";
import { text } from "../text";
import { isBackwards } from "./range";

interface Props {
  title: string;
  from: string;
  until: string;
  needsBoth?: boolean;
  onChange: (dates: { from: string | null; until: string | null }) => void;
}

export function DayForm({ title, from: givenFrom, until: givenUntil, needsBoth = false, onChange }: Props) {
  const [from, setFrom] = useState(givenFrom);
  const [until, setUntil] = useState(givenUntil);
  const dates = { from: from === "" ? null : from, until: until === "" ? null : until };
  const isWrong = isBackwards(dates.from, dates.until);
  const isMissing = needsBoth ? from === "" || until === "" : from === "" && until === "";
  return (
    <form
      class="dates"
      onSubmit={(event) => {
        event.preventDefault();
        if (!isWrong && !isMissing) onChange(dates);
      }}
    >
      <p class="pick-title">{title}</p>
      <label class="inline-field">
        {text.ask.from}
        <input type="date" value={from} onInput={(event) => setFrom(event.currentTarget.value)} />
      </label>
      <label class="inline-field">
        {text.ask.until}
        <input type="date" value={until} onInput={(event) => setUntil(event.currentTarget.value)} />
      </label>
      {isWrong && (
        <p class="field-error" role="alert">
          {text.ask.badRange}
        </p>
      )}
      <button type="submit" class="button" disabled={isWrong || isMissing}>
        {text.ask.apply}
      </button>
    </form>
  );
}
