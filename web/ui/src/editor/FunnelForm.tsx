/* The whole form of a funnel, new or saved. */
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { api, ApiError } from "../api";
import type { Attribute, FunnelDefinition, Preset, Site } from "../api-types";
import { Field, Notice } from "../parts/basic";
import { asApiError, messageOf } from "../parts/hooks";
import { link, navigate } from "../router";
import { text } from "../text";
import { parseWindow } from "../windowWords";
import { Exclusions } from "./Exclusions";
import { JsonPanel } from "./JsonPanel";
import {
  addStage,
  changeStage,
  definitionOf,
  draftOf,
  moveStage,
  removeStage,
  STAGES_MAX,
  toggleRequired,
  type Draft,
} from "./model";
import { Preview } from "./Preview";
import { StageForm } from "./StageForm";

interface Props {
  site: Site;
  attributes: Attribute[];
  initial: FunnelDefinition;
  /* the name under which it is saved, null for a new funnel */
  savedAs: string | null;
  /* names of the site's funnels */
  taken: string[];
}

const PRESETS: Preset[] = ["open", "closed", "sequential"];

export function FunnelForm({ site, attributes, initial, savedAs, taken }: Props) {
  const words = text.editor;
  const [draft, setDraft] = useState<Draft>(() => draftOf(initial));
  const [error, setError] = useState<ApiError | null>(null);
  const [isBusy, setBusy] = useState(false);
  const [announcement, announce] = useState("");
  const keepFocus = useFocusKeeper();
  const form = useRef<HTMLFormElement>(null);

  const change = (next: Draft) => {
    setDraft(next);
    if (error !== null) setError(null);
  };
  const move = (index: number, by: -1 | 1) => {
    const next = moveStage(draft, index, by);
    if (next === draft) return;
    keepFocus();
    change(next);
    announce(words.moved(draft.stages[index]?.name ?? "", index + by + 1));
  };
  const save = async (event: Event) => {
    event.preventDefault();
    const definition = definitionOf(draft);
    setBusy(true);
    setError(null);
    try {
      if (definition.name !== savedAs && taken.includes(definition.name))
        throw new ApiError(409, "exists", words.nameTaken, "name");
      const saved = await api.saveFunnel(site.name, savedAs ?? definition.name, definition);
      navigate(link.report(site.name, saved.name));
    } catch (reason) {
      setError(asApiError(reason));
      setBusy(false);
      window.requestAnimationFrame(() => showError(form.current));
    }
  };

  return (
    <form class="editor" ref={form} onSubmit={(event) => void save(event)} noValidate>
      <div class="editor-main">
        {error !== null && (
          <Notice kind="error">
            <strong>{words.errorsAbove}</strong> {messageOf(error)}{" "}
            {error.field !== null && error.field !== "" && (
              <span class="hint">{words.at(error.field)}</span>
            )}
          </Notice>
        )}
        <Basics draft={draft} error={error} onChange={change} />
        <section aria-labelledby="stages-title">
          <h2 id="stages-title">{words.stages}</h2>
          <p class="hint">{words.moveKeys}</p>
          {draft.stages.map((stage, index) => (
            <StageForm
              key={stage.id}
              site={site.name}
              attributes={attributes}
              draft={draft}
              index={index}
              stage={stage}
              error={error}
              onChange={(part) => change(changeStage(draft, stage.id, part))}
              onRequired={() => change(toggleRequired(draft, index))}
              onMove={(by) => move(index, by)}
              onAdd={() => change(addStage(draft, index, words.newStage(draft.stages.length + 1)))}
              onRemove={() => change(removeStage(draft, index))}
            />
          ))}
          {draft.stages.length < STAGES_MAX && (
            <button
              type="button"
              class="button"
              onClick={() =>
                change(
                  addStage(draft, draft.stages.length - 1, words.newStage(draft.stages.length + 1)),
                )
              }
            >
              + {words.addStage}
            </button>
          )}
          <p class="visually-hidden" role="status">
            {announcement}
          </p>
        </section>
        <Exclusions
          site={site.name}
          attributes={attributes}
          draft={draft}
          error={error}
          onChange={change}
        />
        <JsonPanel draft={draft} onChange={change} />
      </div>
      <div class="editor-side">
        <Preview site={site.name} draft={draft} />
        <p class="actions is-sticky">
          <button type="submit" class="button is-primary" disabled={isBusy}>
            {isBusy ? words.saving : words.save}
          </button>
          <a
            class="button"
            href={savedAs === null ? link.funnels(site.name) : link.report(site.name, savedAs)}
          >
            {text.common.cancel}
          </a>
          {savedAs !== null && <Delete site={site} name={savedAs} onError={setError} />}
        </p>
      </div>
    </form>
  );
}

/* Brings the eye, and the keyboard, to what is wrong: the field if there is one, else the notice. */
function showError(form: HTMLElement | null): void {
  const field = form?.querySelector(".editor-main .field-error") ?? null;
  (field ?? form?.querySelector(".notice.is-error"))?.scrollIntoView({ block: "center" });
  const wrong = form?.querySelector("[aria-invalid=true]");
  if (wrong instanceof HTMLElement) wrong.focus({ preventScroll: true });
}

/* Moving an element in the document takes the keyboard's focus from it; this gives it back. */
function useFocusKeeper(): () => void {
  const held = useRef<Element | null>(null);
  useLayoutEffect(() => {
    if (held.current instanceof HTMLElement && document.activeElement !== held.current)
      held.current.focus();
    held.current = null;
  });
  return () => {
    held.current = document.activeElement;
  };
}

function Basics({
  draft,
  error,
  onChange,
}: {
  draft: Draft;
  error: ApiError | null;
  onChange: (draft: Draft) => void;
}) {
  const words = text.editor;
  const at = (field: string) => (error?.field === field ? messageOf(error) : null);
  const window = parseWindow(draft.window) ?? { count: 7, unit: "d" };
  const units = Object.keys(words.windowUnits).filter(
    (unit) => ["m", "h", "d"].includes(unit) || unit === window.unit,
  );
  return (
    <div class="panel stack">
      <Field label={words.name} error={at("name")}>
        {(ids) => (
          <input
            {...ids}
            required
            maxLength={100}
            autocomplete="off"
            value={draft.name}
            onInput={(event) => onChange({ ...draft, name: event.currentTarget.value })}
          />
        )}
      </Field>
      <fieldset class="choices">
        <legend>{words.preset}</legend>
        {PRESETS.map((preset) => (
          <label key={preset} class="choice">
            <input
              type="radio"
              name="preset"
              checked={draft.preset === preset}
              onChange={() => onChange({ ...draft, preset })}
            />
            <span>
              <strong>{text.presets[preset].name}</strong>
              <span class="hint">{text.presets[preset].explains}</span>
            </span>
          </label>
        ))}
        {at("preset") !== null && <p class="field-error">{at("preset")}</p>}
      </fieldset>
      <Field label={words.window} hint={words.windowHint} error={at("window")}>
        {(ids) => (
          <span class="window">
            <input
              {...ids}
              inputMode="numeric"
              value={String(window.count)}
              onInput={(event) => {
                const digits = event.currentTarget.value.replace(/\D/g, "").slice(0, 15);
                onChange({ ...draft, window: `${digits === "" ? "0" : digits}${window.unit}` });
              }}
            />
            <select
              aria-label={words.window}
              value={window.unit}
              onChange={(event) =>
                onChange({ ...draft, window: `${window.count}${event.currentTarget.value}` })
              }
            >
              {units.map((unit) => (
                <option key={unit} value={unit}>
                  {words.windowUnits[unit]}
                </option>
              ))}
            </select>
          </span>
        )}
      </Field>
    </div>
  );
}

/* Asks once more in place: a browser's own dialog would stop everything else. */
function Delete({
  site,
  name,
  onError,
}: {
  site: Site;
  name: string;
  onError: (error: ApiError) => void;
}) {
  const words = text.editor;
  const [isAsking, setAsking] = useState(false);
  const remove = () => {
    api.removeFunnel(site.name, name).then(
      () => navigate(link.funnels(site.name)),
      (reason: unknown) => onError(asApiError(reason)),
    );
  };
  if (!isAsking)
    return (
      <button type="button" class="button is-danger" onClick={() => setAsking(true)}>
        {words.delete}
      </button>
    );
  return (
    <span class="confirm" role="alertdialog" aria-label={words.deleteConfirm(name)}>
      {words.deleteConfirm(name)}{" "}
      <button type="button" class="button is-danger" onClick={remove}>
        {words.deleteYes}
      </button>{" "}
      <button type="button" class="button" onClick={() => setAsking(false)}>
        {text.common.cancel}
      </button>
    </span>
  );
}
