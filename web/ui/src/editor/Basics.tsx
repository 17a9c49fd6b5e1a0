/* The funnel's name, how strictly its stages are taken, and how much time there is. */
import type { ApiError } from "../api";
import type { Preset } from "../api-types";
import { Field } from "../parts/basic";
import { messageOf } from "../parts/hooks";
import { NameField } from "../parts/NameField";
import { text } from "../text";
import { words } from "../words/editor";
import { parseWindow } from "../windowWords";
import type { Draft } from "./model";

const PRESETS: Preset[] = ["open", "closed", "sequential"];

export function Basics({
  draft,
  error,
  onChange,
}: {
  draft: Draft;
  error: ApiError | null;
  onChange: (draft: Draft) => void;
}) {
  const at = (field: string) => (error?.field === field ? messageOf(error) : null);
  const window = parseWindow(draft.window) ?? { count: 7, unit: "d" };
  const units = Object.keys(words.windowUnits).filter(
    (unit) => ["m", "h", "d"].includes(unit) || unit === window.unit,
  );
  return (
    <div class="panel stack">
      <NameField
        label={words.name}
        error={at("name")}
        max={100}
        value={draft.name}
        onChange={(name) => onChange({ ...draft, name })}
      />
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
