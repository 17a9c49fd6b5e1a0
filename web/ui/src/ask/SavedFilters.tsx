/* The site's saved filters: to pick, and for whoever may change them to save and to forget. */
import { useState } from "preact/hooks";
import { api, type ApiError } from "../api";
import type { SavedFilter, Site } from "../api-types";
import { Await } from "../parts/basic";
import { asApiError, messageOf, useLoaded } from "../parts/hooks";
import { NameField } from "../parts/NameField";
import { text } from "../text";
import { filterOf, type ChosenFilter } from "./filter";
import { chosenAll, isSameFilters, savable } from "./saved";
import { filterWords } from "./words";

interface Props {
  site: Site;
  filters: ChosenFilter[];
  onFilters: (filters: ChosenFilter[]) => void;
  onClose: () => void;
}

export function SavedFilters(props: Props) {
  const { site, filters } = props;
  const words = text.ask.saved;
  const [round, setRound] = useState(0);
  const [error, setError] = useState<ApiError | null>(null);
  const saved = useLoaded((signal) => api.savedFilters(site.name, signal), `${site.name} ${round}`);
  const mayChange = site.role !== "viewer";
  const change = async (act: Promise<unknown>) => {
    setError(null);
    try {
      await act;
      setRound((old) => old + 1);
      return true;
    } catch (reason) {
      setError(asApiError(reason));
      return false;
    }
  };
  return (
    <div class="pick saved-filters">
      <Await loaded={saved}>
        {(list) => (
          <>
            {list.length === 0 && <p class="hint">{words.none}</p>}
            <ul>
              {list.map((one) => (
                <Row
                  key={one.name}
                  {...props}
                  saved={one}
                  onRemove={mayChange ? () => void change(api.removeFilters(site.name, one.name)) : null}
                />
              ))}
            </ul>
            {mayChange && savable(filters).length > 0 && (
              <SaveForm
                error={error}
                taken={list.map((one) => one.name)}
                onSave={(name) => change(api.saveFilters(site.name, name, savable(filters).map(filterOf)))}
              />
            )}
            {mayChange && filters.length === 0 && <p class="hint">{words.chooseFirst}</p>}
          </>
        )}
      </Await>
    </div>
  );
}

function Row({ saved, filters, onFilters, onClose, onRemove }: Props & { saved: SavedFilter; onRemove: (() => void) | null }) {
  const words = text.ask.saved;
  const chips = chosenAll(saved.filters);
  return (
    <li class="saved-filter">
      <button
        type="button"
        class="pick-row"
        disabled={chips === null}
        aria-pressed={isSameFilters(saved.filters, filters)}
        onClick={() => {
          onClose();
          if (chips !== null) onFilters(chips);
        }}
      >
        <span>
          <strong>{saved.name}</strong>
          <span class="row-sub">{chips === null ? words.noChips : chips.map(filterWords).join(text.common.joins.semicolon)}</span>
        </span>
      </button>
      {onRemove !== null && (
        <button
          type="button"
          class="button is-icon"
          aria-label={words.remove(saved.name)}
          title={words.remove(saved.name)}
          onClick={onRemove}
        >
          ×
        </button>
      )}
    </li>
  );
}

interface FormProps {
  error: ApiError | null;
  taken: string[];
  onSave: (name: string) => Promise<boolean>;
}

function SaveForm({ error, taken, onSave }: FormProps) {
  const words = text.ask.saved;
  const [name, setName] = useState("");
  const isTaken = taken.includes(name.trim());
  return (
    <form
      class="saved-form"
      onSubmit={(event) => {
        event.preventDefault();
        void onSave(name.trim()).then((isSaved) => isSaved && setName(""));
      }}
    >
      <NameField
        label={words.saveAs}
        hint={isTaken ? words.replaces : undefined}
        error={error === null ? null : messageOf(error)}
        max={100}
        value={name}
        onChange={setName}
      />
      <button type="submit" class="button" disabled={name.trim() === ""}>
        {words.save}
      </button>
    </form>
  );
}
