/* The values of an attribute among these days' visitors, with how many have each, to tick; those
 * that do not show are found by typing, and what never came can be typed all the same. */
import { useEffect, useId, useState } from "preact/hooks";
import { api, type ApiError } from "../api";
import type { Site } from "../api-types";
import { formatCount } from "../format";
import { Failed, Loading } from "../parts/basic";
import { asApiError } from "../parts/hooks";
import { text } from "../text";
import { valueName } from "../valueNames";
import type { ChosenFilter } from "./filter";
import { askedOf, type Question } from "./question";

const LIMIT = 100;
const SEARCH_DELAY_MS = 150;

interface Props {
  site: Site;
  question: Question;
  today: string;
  filter: ChosenFilter;
  onChange: (values: string[]) => void;
}

interface Found {
  values: { value: string; count: number }[];
  n: number;
}

/* The question without the attribute's own filters: its other values are wanted too. Where counting
 * people is too much to ask, what is stored is listed, with its events. */
async function find(props: Props, prefix: string, signal: AbortSignal): Promise<Found> {
  const { site, question, filter, today } = props;
  const others = question.filters.filter(
    ({ attribute, at }) => attribute !== filter.attribute && typeof at !== "number",
  );
  const asked = askedOf({ ...question, filters: others, compare: { kind: "none" } }, today);
  try {
    const query = { ...asked, attribute: filter.attribute, prefix, limit: LIMIT };
    const { values, n } = await api.countValues(site.name, query, signal);
    return { values: values.map(({ value, visitors }) => ({ value, count: visitors })), n };
  } catch (error) {
    if (asApiError(error).status !== 422) throw error;
    const values = await api.values(site.name, filter.attribute, prefix, LIMIT, signal);
    return { values: values.map(({ value, events }) => ({ value, count: events })), n: values.length };
  }
}

/* Values that contain what is typed, whatever its case; asks the server too where it has more. */
function useFound(props: Props, typed: string) {
  const [found, setFound] = useState<Found | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const isAll = found !== null && found.n <= found.values.length;
  const prefix = isAll ? "" : typed;
  useEffect(() => {
    const controller = new AbortController();
    const timer = window.setTimeout(
      () => {
        find(props, prefix, controller.signal).then(setFound, (reason: unknown) => {
          if (!controller.signal.aborted) setError(asApiError(reason));
        });
      },
      prefix === "" ? 0 : SEARCH_DELAY_MS,
    );
    return () => {
      window.clearTimeout(timer);
      controller.abort();
    };
    /* what else the question asks does not change while the list is open */
  }, [props.site.name, props.filter.attribute, prefix]);
  return { found, error };
}

export function ValueList(props: Props) {
  const { filter, onChange } = props;
  const words = text.ask;
  const id = `values${useId()}`;
  const [typed, setTyped] = useState("");
  const { found, error } = useFound(props, typed);
  const wanted = typed.trim().toLowerCase();
  const name = (value: string) => valueName(filter.attribute, value);
  const listed = found?.values ?? [];
  const chosenElsewhere = filter.values
    .filter((value) => !listed.some((one) => one.value === value))
    .map((value) => ({ value, count: null }));
  const shown = [...chosenElsewhere, ...listed].filter(({ value }) =>
    `${value} ${name(value)}`.toLowerCase().includes(wanted),
  );
  const isNew = typed.trim() !== "" && !shown.some(({ value }) => value === typed.trim());
  const toggle = (value: string) =>
    onChange(
      filter.values.includes(value)
        ? filter.values.filter((one) => one !== value)
        : [...filter.values, value],
    );
  const useTyped = () => {
    if (isNew) toggle(typed.trim());
    setTyped("");
  };
  return (
    <>
      <input
        type="search"
        aria-label={words.searchValues}
        placeholder={words.searchValues}
        value={typed}
        onInput={(event) => setTyped(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== "Enter") return;
          event.preventDefault();
          useTyped();
        }}
      />
      <div class="pick-list">
        {error !== null && <Failed error={error} />}
        {found === null && error === null && <Loading />}
        <ul>
          {shown.map(({ value, count }, index) => (
            <li key={value}>
              <label class="pick-row" for={`${id}-${index}`}>
                <input
                  id={`${id}-${index}`}
                  type="checkbox"
                  checked={filter.values.includes(value)}
                  onChange={() => toggle(value)}
                />
                <span>{name(value)}</span>
                {count !== null && <span class="pick-count">{formatCount(count)}</span>}
              </label>
            </li>
          ))}
        </ul>
        {found !== null && shown.length === 0 && !isNew && (
          <p class="hint">{filter.attribute === "keyword" ? words.noKeywords : words.noValues}</p>
        )}
        {isNew && found !== null && (
          <button type="button" class="pick-row" onClick={useTyped}>
            {words.use(typed.trim())}
          </button>
        )}
        {found !== null && found.n > found.values.length && (
          <p class="hint">{words.more(found.n - found.values.length)}</p>
        )}
      </div>
    </>
  );
}
