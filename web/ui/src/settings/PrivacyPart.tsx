/* How a visitor is known again, what is asked of him first, and which wishes of browsers are kept. */
import { useId } from "preact/hooks";
import type { Site } from "../api-types";
import { words } from "../words/settings";
import { SettingsForm } from "./SettingsForm";

interface Props {
  site: Site;
  onSaved: (site: Site) => void;
}

export function PrivacyPart({ site, onSaved }: Props) {
  const say = words.privacy;
  return (
    <SettingsForm
      id="privacy"
      title={say.title}
      lead={say.lead}
      site={site}
      onSaved={onSaved}
      fields={["identity", "consent", "gpc", "dnt"]}
    >
      {(draft) => (
        <>
          <Choices
            legend={say.identity}
            choices={say.identities}
            value={draft.site.identity}
            onChange={(identity) => draft.set({ identity })}
          />
          <Choices
            legend={say.consent}
            choices={say.consents}
            value={draft.site.consent}
            onChange={(consent) => draft.set({ consent })}
          />
          <fieldset class="options">
            <legend>{say.signals}</legend>
            <Switch
              label={say.gpc}
              hint={say.gpcHint}
              isOn={draft.site.gpc === "respect"}
              onChange={(isOn) => draft.set({ gpc: isOn ? "respect" : "ignore" })}
            />
            <Switch
              label={say.dnt}
              hint={say.dntHint}
              isOn={draft.site.dnt === "respect"}
              onChange={(isOn) => draft.set({ dnt: isOn ? "respect" : "ignore" })}
            />
          </fieldset>
        </>
      )}
    </SettingsForm>
  );
}

function Choices<T extends string>({
  legend,
  choices,
  value,
  onChange,
}: {
  legend: string;
  choices: Record<string, [string, string]>;
  value: T;
  onChange: (value: T) => void;
}) {
  const name = `choice${useId()}`;
  return (
    <fieldset class="options">
      <legend>{legend}</legend>
      {Object.entries(choices).map(([key, [title, hint]]) => (
        <label key={key} class="check">
          <input
            type="radio"
            name={name}
            value={key}
            checked={value === key}
            onChange={() => onChange(key as T)}
          />
          <span>
            {title}
            <span class="hint choice-hint">{hint}</span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}

export function Switch({
  label,
  hint,
  isOn,
  onChange,
}: {
  label: string;
  hint: string;
  isOn: boolean;
  onChange: (isOn: boolean) => void;
}) {
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={isOn}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      <span>
        {label}
        <span class="hint choice-hint">{hint}</span>
      </span>
    </label>
  );
}
