/* The bar that every screen asks by: days, what they are compared with, and filters as chips. It
 * shows a question and says what somebody wants instead; where that goes is the screen's business
 * (useAsked puts it into the address). */
import { useState } from "preact/hooks";
import type { Site } from "../api-types";
import { Menu } from "../parts/Menu";
import { attributeName } from "../ruleWords";
import { text } from "../text";
import { CompareMenu } from "./CompareMenu";
import { AttributeList } from "./AttributeList";
import { FilterForm } from "./FilterForm";
import { withFilter, withoutFilter, type ChosenFilter } from "./filter";
import { lazy } from "../shell/lazy";
import type { Question } from "./question";
import { RangeMenu } from "./RangeMenu";
import { capital, filterWords } from "./words";

interface Props {
  site: Site;
  question: Question;
  today: string;
  onChange: (question: Question) => void;
  /* without: the screen has nothing to compare */
  hasCompare?: boolean;
  /* of the funnel, for filters at a stage */
  stages?: string[];
}

const SavedFilters = lazy(() => import("./SavedFilters").then((module) => module.SavedFilters));

/* One click away, each in a place of its own: chosen or not, they never move. */
const QUICK = ["region", "campaign", "keyword", "product"];

export function QuestionBar({ site, question, today, onChange, hasCompare = true, stages = [] }: Props) {
  const words = text.ask;
  const { filters } = question;
  const onFilters = (next: ChosenFilter[]) => onChange({ ...question, filters: next });
  const part = { site, question, today, stages, onFilters };
  const quick = QUICK.map((attribute) => filters.find((one) => one.attribute === attribute) ?? null);
  const others = filters.filter((filter) => !quick.includes(filter));
  return (
    <section class="ask" aria-label={words.label}>
      <RangeMenu question={question} today={today} onChange={onChange} />
      {hasCompare && <CompareMenu question={question} today={today} onChange={onChange} />}
      <ul class="ask-filters" aria-label={words.filters}>
        {QUICK.map((attribute, index) => (
          <Chip key={attribute} {...part} attribute={attribute} filter={quick[index] ?? null} />
        ))}
        {others.map((filter) => (
          <Chip
            key={`${filter.op}.${filter.attribute}@${filter.at}`}
            {...part}
            attribute={filter.attribute}
            filter={filter}
          />
        ))}
        <li>
          <AnyFilter {...part} />
        </li>
        <li>
          <Menu label={words.saved.title} name={words.saved.label} class="ask-add">
            {(close) => <SavedFilters site={site} filters={filters} onFilters={onFilters} onClose={close} />}
          </Menu>
        </li>
        {filters.length > 1 && (
          <li>
            <button type="button" class="button is-quiet" onClick={() => onFilters([])}>
              {words.clear}
            </button>
          </li>
        )}
      </ul>
    </section>
  );
}

interface PartProps {
  site: Site;
  question: Question;
  today: string;
  stages: string[];
  onFilters: (filters: ChosenFilter[]) => void;
}

/* A filter, or the button that begins one: the panel below stays open while it becomes one. */
function Chip({ attribute, filter, ...part }: PartProps & { attribute: string; filter: ChosenFilter | null }) {
  const { question, onFilters } = part;
  const words = text.ask;
  const said = filter === null ? "" : filterWords(filter);
  return (
    <li class={filter === null ? "" : "ask-chip"}>
      <Menu
        label={filter === null ? `+ ${capital(attributeName(attribute))}` : <span class="chip-text">{said}</span>}
        name={filter === null ? words.addOf(attributeName(attribute)) : words.change(said)}
        class={filter === null ? "ask-add" : "ask-chip-text"}
      >
        {(close) => (
          <FilterForm
            {...part}
            filter={filter ?? { attribute, op: "is", values: [], at: null }}
            onChange={(next, old) => onFilters(withFilter(question.filters, next, old))}
            onClose={close}
          />
        )}
      </Menu>
      {filter !== null && (
        <button
          type="button"
          class="ask-chip-remove"
          aria-label={words.remove(said)}
          onClick={() => onFilters(withoutFilter(question.filters, filter))}
        >
          ×
        </button>
      )}
    </li>
  );
}

/* First the attribute, then its values. */
function AnyFilter({ question, onFilters, ...part }: PartProps) {
  const [attribute, setAttribute] = useState<string | null>(null);
  return (
    <Menu
      label={`+ ${text.ask.add}`}
      name={text.ask.chooseAttribute}
      class="ask-add"
      onClose={() => setAttribute(null)}
    >
      {(close) =>
        attribute === null ? (
          <AttributeList site={part.site.name} onChoose={setAttribute} />
        ) : (
          <FilterForm
            {...part}
            question={question}
            filter={{ attribute, op: "is", values: [], at: null }}
            onChange={(next, old) => onFilters(withFilter(question.filters, next, old))}
            onClose={close}
          />
        )
      }
    </Menu>
  );
}
