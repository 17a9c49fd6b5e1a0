/* One filter: how it compares, its values chosen from what came in these days, and where it looks.
 * Every change holds at once. */
import { useRef, useState } from "preact/hooks";
import type { Site } from "../api-types";
import { fitValues, operatorsFor, typeOf, valueCount } from "../editor/operators";
import { attributeName, operatorName } from "../ruleWords";
import { text } from "../text";
import { isVisit, parsePlace, usualPlace, type ChosenFilter, type FilterPlace } from "./filter";
import type { Question } from "./question";
import { ValueList } from "./ValueList";
import { capital, placeName } from "./words";

interface Props {
  site: Site;
  question: Question;
  today: string;
  filter: ChosenFilter;
  stages: string[];
  /* `old` is what it was before, also where that was never whole enough to hold */
  onChange: (filter: ChosenFilter, old: ChosenFilter) => void;
  onClose: () => void;
}

export function FilterForm({ site, question, today, filter: given, stages, onChange, onClose }: Props) {
  const [filter, setFilter] = useState(given);
  const held = useRef(given);
  const words = text.ask;
  const { attribute } = filter;
  const type = typeOf(attribute, []);
  const count = valueCount(filter.op);
  const change = (next: ChosenFilter) => {
    setFilter(next);
    const isWhole = valueCount(next.op) === "many" || next.values.every((value) => value.trim() !== "");
    if (!isWhole) return;
    onChange(next, held.current);
    held.current = next;
  };
  const operators = [...new Set([...(type === "number" ? [] : ["is", "is_not"]), ...operatorsFor(attribute, type)])];
  return (
    <div class="pick">
      <p class="pick-head">
        <strong>{capital(attributeName(attribute))}</strong>
        <select
          aria-label={words.comparison}
          value={filter.op}
          onChange={(event) => {
            const op = event.currentTarget.value;
            change({ ...filter, op, values: fitValues(op, filter.values) });
          }}
        >
          {operators.map((op) => (
            <option key={op} value={op}>
              {operatorName(op)}
            </option>
          ))}
        </select>
      </p>
      {count === "many" ? (
        <ValueList
          site={site}
          question={question}
          today={today}
          filter={filter}
          onChange={(values) => change({ ...filter, values })}
        />
      ) : (
        <NumberInputs filter={filter} onChange={change} />
      )}
      <div class="pick-foot">
        <PlaceSelect filter={filter} stages={stages} onChange={change} />
        <button type="button" class="button" onClick={onClose}>
          {words.done}
        </button>
      </div>
    </div>
  );
}

function NumberInputs({ filter, onChange }: { filter: ChosenFilter; onChange: (filter: ChosenFilter) => void }) {
  const labels =
    valueCount(filter.op) === 0 ? [] : filter.op === "between" ? [text.ask.low, text.ask.high] : [text.ask.value];
  return (
    <div class="pick-numbers">
      {labels.map((label, index) => (
        <input
          key={label}
          inputMode="decimal"
          aria-label={label}
          placeholder={label}
          value={filter.values[index] ?? ""}
          onChange={(event) => {
            const values = labels.map((_, i) => filter.values[i] ?? "");
            values[index] = event.currentTarget.value.trim();
            onChange({ ...filter, values });
          }}
        />
      ))}
    </div>
  );
}

const PLACES: FilterPlace[] = ["entry", "first", "last", "any", "none"];

function PlaceSelect({
  filter,
  stages,
  onChange,
}: {
  filter: ChosenFilter;
  stages: string[];
  onChange: (filter: ChosenFilter) => void;
}) {
  const usual = usualPlace(filter.attribute);
  return (
    <select
      aria-label={text.ask.place}
      value={String(filter.at ?? usual)}
      onChange={(event) => {
        const { value } = event.currentTarget;
        const place = parsePlace(value) ?? usual;
        onChange({ ...filter, at: place === usual ? null : place });
      }}
    >
      {PLACES.map((place) => (
        <option key={place} value={place}>
          {placeName(place)}
        </option>
      ))}
      {isVisit(filter.at) && <option value={filter.at}>{placeName(filter.at)}</option>}
      {stages.map((stage, index) => (
        <option key={`${index}`} value={index + 1}>
          {text.ask.atStage(index + 1)}: {stage}
        </option>
      ))}
    </select>
  );
}
