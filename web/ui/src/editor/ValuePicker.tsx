/* Values chosen from what the site really sent: chips for the chosen, a searchable list with counts
 * for the rest; anything else can be typed. A combobox with a list, by the ARIA pattern. */
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { api } from "../api";
import type { AttributeValue } from "../api-types";
import { formatCount } from "../format";
import { words } from "../words/editor";

const LIMIT = 30;
const SEARCH_DELAY_MS = 150;

interface Props {
  site: string;
  attribute: string;
  values: string[];
  label: string;
  isWrong: boolean;
  onChange: (values: string[]) => void;
}

interface Option {
  value: string;
  events: number | null;
}

/* What the site sent that begins with the typed text, and the typed text itself where it is new. */
function optionsOf(found: AttributeValue[], typed: string, chosen: string[]): Option[] {
  const options: Option[] = found.filter((one) => !chosen.includes(one.value));
  const isNew = typed !== "" && !chosen.includes(typed);
  if (isNew && !found.some((one) => one.value === typed))
    return [...options, { value: typed, events: null }];
  return options;
}

function useFound(site: string, attribute: string, typed: string, isOpen: boolean) {
  const [found, setFound] = useState<AttributeValue[] | null>(null);
  useEffect(() => setFound(null), [attribute]);
  useEffect(() => {
    if (!isOpen || attribute === "") return undefined;
    const controller = new AbortController();
    const timer = window.setTimeout(
      () => {
        api.values(site, attribute, typed, LIMIT, controller.signal).then(setFound, () => {
          if (!controller.signal.aborted) setFound([]);
        });
      },
      typed === "" ? 0 : SEARCH_DELAY_MS,
    );
    return () => {
      window.clearTimeout(timer);
      controller.abort();
    };
  }, [site, attribute, typed, isOpen]);
  return found;
}

export function ValuePicker({ site, attribute, values, label, isWrong, onChange }: Props) {
  const id = `values${useId()}`;
  const input = useRef<HTMLInputElement>(null);
  const listbox = useRef<HTMLUListElement>(null);
  const [typed, setTyped] = useState("");
  const [isOpen, setOpen] = useState(false);
  const [active, setActive] = useState(-1);
  const found = useFound(site, attribute, typed, isOpen);
  const options = optionsOf(found ?? [], typed, values);
  const current = Math.min(active, options.length - 1);

  useEffect(() => {
    listbox.current?.children.item(current)?.scrollIntoView({ block: "nearest" });
  }, [current]);

  const choose = (value: string) => {
    if (!values.includes(value)) onChange([...values, value]);
    setTyped("");
    setActive(-1);
    input.current?.focus();
  };
  const remove = (value: string) => {
    onChange(values.filter((one) => one !== value));
    input.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.altKey) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      setOpen(true);
      const step = event.key === "ArrowDown" ? 1 : -1;
      const count = options.length;
      if (count > 0) setActive(current < 0 && step < 0 ? count - 1 : (current + step + count) % count);
    } else if (event.key === "Enter") {
      event.preventDefault();
      const chosen = options[current]?.value ?? typed.trim();
      if (chosen !== "") choose(chosen);
    } else if (event.key === "Escape" && isOpen) {
      event.preventDefault();
      setOpen(false);
      setActive(-1);
    } else if (event.key === "Backspace" && typed === "") {
      const last = values.at(-1);
      if (last !== undefined) remove(last);
    }
  };

  return (
    <div
      class="picker"
      onFocusOut={(event) => {
        const next = event.relatedTarget;
        if (next instanceof Node && event.currentTarget.contains(next)) return;
        setOpen(false);
        setActive(-1);
        if (typed.trim() !== "") choose(typed.trim());
      }}
    >
      <div class={isWrong ? "picker-box is-wrong" : "picker-box"}>
        {values.map((value) => (
          <span class="chip" key={value}>
            <span class="chip-text">{value}</span>
            <button
              type="button"
              aria-label={words.removeValue(value)}
              onClick={() => remove(value)}
            >
              ×
            </button>
          </span>
        ))}
        <input
          ref={input}
          id={id}
          role="combobox"
          aria-label={label}
          aria-expanded={isOpen}
          aria-controls={`${id}-list`}
          aria-autocomplete="list"
          aria-invalid={isWrong}
          aria-activedescendant={isOpen && current >= 0 ? `${id}-${current}` : undefined}
          autocomplete="off"
          spellcheck={false}
          placeholder={values.length === 0 ? words.searchValues : ""}
          value={typed}
          onInput={(event) => {
            setTyped(event.currentTarget.value);
            setOpen(true);
            setActive(-1);
          }}
          onFocus={() => setOpen(true)}
          onClick={() => setOpen(true)}
          onKeyDown={onKeyDown}
        />
      </div>
      {isOpen && (
        <div class="picker-list">
          {found !== null && options.length === 0 && <p class="hint">{words.noValues}</p>}
          <ul role="listbox" id={`${id}-list`} aria-label={label} ref={listbox}>
            {options.map((option, index) => (
              <li
                key={option.value}
                id={`${id}-${index}`}
                role="option"
                aria-selected={index === current}
                class={index === current ? "is-active" : ""}
                onMouseDown={(event) => {
                  event.preventDefault();
                  choose(option.value);
                }}
              >
                <span>
                  {option.events === null ? words.addTyped(option.value) : option.value}
                </span>
                <span class="picker-count">
                  {option.events === null ? words.notSeen : formatCount(option.events)}
                </span>
              </li>
            ))}
          </ul>
        </div>
      )}
    </div>
  );
}
