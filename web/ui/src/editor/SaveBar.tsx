/* What became of the draft: undone, done again, saved with a note, left, deleted. */
import type { ApiError } from "../api";
import type { Site } from "../api-types";
import { Field } from "../parts/basic";
import { messageOf } from "../parts/hooks";
import { link, navigate } from "../router";
import { text } from "../text";
import { words } from "../words/editor";
import { Delete } from "./Delete";
import type { DraftState } from "./useDraft";

const NOTE_MAX = 120;

interface Props {
  site: Site;
  savedAs: string | null;
  state: DraftState;
  note: string;
  error: ApiError | null;
  isBusy: boolean;
  maySave: boolean;
  onNote: (note: string) => void;
  onGone: () => void;
  onError: (error: ApiError) => void;
  announce: (words: string) => void;
}

export function SaveBar({ site, savedAs, state, note, error, isBusy, maySave, onNote, onGone, onError, announce }: Props) {
  const { undo, redo } = state;
  const step = (label: string, done: string, act: (() => void) | null) => (
    <button
      type="button"
      class="button"
      aria-disabled={act === null}
      onClick={() => {
        act?.();
        if (act !== null) announce(done);
      }}
    >
      {label}
    </button>
  );
  return (
    <div class="save-bar">
      {maySave && (
        <Field label={words.note} error={error?.field === "note" ? messageOf(error) : null}>
          {(ids) => (
            <input
              {...ids}
              maxLength={NOTE_MAX}
              autocomplete="off"
              value={note}
              onInput={(event) => onNote(event.currentTarget.value)}
            />
          )}
        </Field>
      )}
      {!maySave && <p class="hint">{words.mayNotSave}</p>}
      <p class="actions">
        {maySave && (
          <button type="submit" class="button is-primary" disabled={isBusy}>
            {isBusy ? words.saving : words.save}
          </button>
        )}
        <a class="button" href={savedAs === null ? link.funnels(site.name) : link.report(site.name, savedAs)}>
          {text.common.cancel}
        </a>
        {step(words.undo, words.undone, undo)}
        {step(words.redo, words.redone, redo)}
        {maySave && savedAs !== null && (
          <Delete
            site={site}
            name={savedAs}
            onGone={() => {
              onGone();
              navigate(link.funnels(site.name));
            }}
            onError={onError}
          />
        )}
      </p>
    </div>
  );
}
