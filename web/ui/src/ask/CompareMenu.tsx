/* What the days are compared with. */
import { Menu } from "../parts/Menu";
import { text } from "../text";
import { DayForm } from "./DayForm";
import type { Comparison, Question } from "./question";
import { canCompare, comparisonName } from "./words";

interface Props {
  question: Question;
  today: string;
  onChange: (question: Question) => void;
}

const CHOICES: Comparison[] = [{ kind: "previous" }, { kind: "year" }, { kind: "none" }];

export function CompareMenu({ question, today, onChange }: Props) {
  const { compare, range } = question;
  const words = text.ask;
  if (!canCompare(range, today)) return null;
  const said = compare.kind === "none" ? comparisonName(compare) : words.comparedShort(comparisonName(compare));
  return (
    <Menu
      class="button ask-compare"
      name={`${words.compare}: ${said}`}
      label={
        <>
          {said} <span aria-hidden="true">▾</span>
        </>
      }
    >
      {(close) => (
        <div class="pick">
          <ul>
            {CHOICES.map((choice) => (
              <li key={choice.kind}>
                <button
                  type="button"
                  class="pick-row"
                  aria-pressed={choice.kind === compare.kind}
                  onClick={() => {
                    close();
                    onChange({ ...question, compare: choice });
                  }}
                >
                  {comparisonName(choice)}
                </button>
              </li>
            ))}
          </ul>
          <DayForm
            title={words.ownDates}
            needsBoth
            from={compare.kind === "dates" ? compare.from : ""}
            until={compare.kind === "dates" ? compare.until : ""}
            onChange={({ from, until }) => {
              if (from === null || until === null) return;
              close();
              onChange({ ...question, compare: { kind: "dates", from, until } });
            }}
          />
        </div>
      )}
    </Menu>
  );
}
