/* How long events are kept. Keeping less deletes, so it is asked for twice. */
import { useId, useState } from "preact/hooks";
import type { Site, SiteChange } from "../api-types";
import { formatDay } from "../format";
import { Dialog } from "../parts/Dialog";
import { text } from "../text";
import { words } from "../words/settings";
import { isShorter, limitOf, parseRetention, writeRetention, type RetentionUnit } from "./retention";
import { SettingsForm, type Draft } from "./SettingsForm";

const FIRST = { count: 13, unit: "mo" as RetentionUnit };

function inWords(retention: string): string {
  const parsed = parseRetention(retention);
  return parsed === null ? words.retention.foreverWords : words.retention.inWords(parsed.count, parsed.unit);
}

interface Question {
  next: string;
  save: () => void;
}

export function RetentionPart({ site, onSaved }: { site: Site; onSaved: (site: Site) => void }) {
  const [question, setQuestion] = useState<Question | null>(null);
  const say = words.retention;
  const confirm = (change: SiteChange, save: () => void) => {
    const next = change.retention ?? site.retention;
    if (!isShorter(parseRetention(site.retention), parseRetention(next), Date.now())) return false;
    setQuestion({ next, save });
    return true;
  };
  const limit = question === null ? null : limitOf(parseRetention(question.next), Date.now());
  return (
    <SettingsForm
      id="retention"
      title={say.title}
      lead={say.lead}
      site={site}
      onSaved={onSaved}
      fields={["retention"]}
      confirm={confirm}
    >
      {(draft) => (
        <>
          <RetentionFields draft={draft} />
          {question !== null && limit !== null && (
            <Dialog title={say.confirmTitle} onClose={() => setQuestion(null)}>
              <p>
                {say.confirm(
                  inWords(site.retention),
                  inWords(question.next),
                  formatDay(limit.toISOString().slice(0, 10)),
                )}
              </p>
              <p class="actions">
                <button
                  type="button"
                  class="button is-danger"
                  onClick={() => {
                    setQuestion(null);
                    question.save();
                  }}
                >
                  {say.confirmYes}
                </button>
                <button type="button" class="button" onClick={() => setQuestion(null)}>
                  {text.common.cancel}
                </button>
              </p>
            </Dialog>
          )}
        </>
      )}
    </SettingsForm>
  );
}

function RetentionFields({ draft }: { draft: Draft }) {
  const name = `retention${useId()}`;
  const say = words.retention;
  const current = parseRetention(draft.site.retention);
  const shown = current ?? FIRST;
  const set = (count: number, unit: RetentionUnit) =>
    draft.set({ retention: writeRetention({ count, unit }) });
  const error = draft.error("retention");
  return (
    <fieldset class="options">
      <legend class="visually-hidden">{say.title}</legend>
      <label class="check">
        <input
          type="radio"
          name={name}
          checked={current === null}
          onChange={() => draft.set({ retention: "never" })}
        />
        <span>{say.forever}</span>
      </label>
      <div class="choice-row">
        <label class="check">
          <input
            type="radio"
            name={name}
            checked={current !== null}
            onChange={() => set(shown.count, shown.unit)}
          />
          <span>{say.limited}</span>
        </label>
        <input
          type="number"
          class="is-short"
          aria-label={say.count}
          aria-invalid={error !== null}
          min="1"
          required
          disabled={current === null}
          value={String(shown.count)}
          onChange={(event) => set(Math.max(1, Math.round(Number(event.currentTarget.value) || 1)), shown.unit)}
        />
        <select
          aria-label={say.unit}
          disabled={current === null}
          value={shown.unit}
          onChange={(event) => set(shown.count, event.currentTarget.value as RetentionUnit)}
        >
          <option value="mo">{say.months}</option>
          <option value="d">{say.days}</option>
        </select>
      </div>
      {error !== null && <p class="field-error">{error}</p>}
    </fieldset>
  );
}
