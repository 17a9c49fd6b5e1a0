/* Which days: one of the usual ranges, or two days of one's own. */
import { Menu } from "../parts/Menu";
import { text } from "../text";
import { DayForm } from "./DayForm";
import type { Question } from "./question";
import { addDays, boundsOf, LAST_DAYS, RANGE_NAMES, type Range } from "./range";
import { rangeName } from "./words";

interface Props {
  question: Question;
  today: string;
  onChange: (question: Question) => void;
}

const RANGES: Range[] = [
  ...RANGE_NAMES.slice(0, 2).map((name): Range => ({ kind: "named", name })),
  ...LAST_DAYS.map((days): Range => ({ kind: "days", days })),
  ...RANGE_NAMES.slice(2).map((name): Range => ({ kind: "named", name })),
  { kind: "all" },
];

export function RangeMenu({ question, today, onChange }: Props) {
  const { range } = question;
  const { from, to } = boundsOf(range, today);
  return (
    <Menu
      class="button ask-range"
      name={`${text.ask.range}: ${rangeName(range)}`}
      label={<>{rangeName(range)} <span aria-hidden="true">▾</span></>}
    >
      {(close) => (
        <div class="pick">
          <ul class="pick-ranges">
            {RANGES.map((one) => (
              <li key={rangeName(one)}>
                <button
                  type="button"
                  class="pick-row"
                  aria-pressed={JSON.stringify(one) === JSON.stringify(range)}
                  onClick={() => {
                    close();
                    onChange({ ...question, range: one });
                  }}
                >
                  {rangeName(one)}
                </button>
              </li>
            ))}
          </ul>
          <DayForm
            title={text.ask.ownDates}
            from={from ?? (range.kind === "dates" ? "" : addDays(today, -29))}
            until={to === null ? (range.kind === "dates" ? "" : today) : addDays(to, -1)}
            onChange={(dates) => {
              close();
              onChange({ ...question, range: { kind: "dates", ...dates } });
            }}
          />
        </div>
      )}
    </Menu>
  );
}
