/* The smaller parts: ignored referrers, bots and limits, what viewers see. */
import type { Bots, Site } from "../api-types";
import { Field } from "../parts/basic";
import { words } from "../words/settings";
import { ListField } from "./ListField";
import { Switch } from "./PrivacyPart";
import { SettingsForm } from "./SettingsForm";

const HOUR_MS = 3_600_000;

interface Props {
  site: Site;
  onSaved: (site: Site) => void;
}

export function SourcesPart({ site, onSaved }: Props) {
  const say = words.sources;
  return (
    <SettingsForm
      id="sources"
      title={say.title}
      lead={say.lead}
      site={site}
      onSaved={onSaved}
      fields={["ignored_referrers"]}
    >
      {(draft) => (
        <ListField
          label={say.ignored}
          hint={say.ignoredHint}
          error={draft.error("ignored_referrers")}
          value={draft.site.ignored_referrers}
          onChange={(ignored_referrers) => draft.set({ ignored_referrers })}
        />
      )}
    </SettingsForm>
  );
}

export function BotsPart({ site, onSaved }: Props) {
  const say = words.bots;
  return (
    <SettingsForm
      id="bots"
      title={say.title}
      lead={say.lead}
      site={site}
      onSaved={onSaved}
      fields={["bots", "max_age_ms", "max_events_per_visitor_day"]}
    >
      {(draft) => (
        <div class="field-grid">
          <Field label={say.label} error={draft.error("bots")}>
            {(ids) => (
              <select
                {...ids}
                value={draft.site.bots}
                onChange={(event) => draft.set({ bots: event.currentTarget.value as Bots })}
              >
                {Object.entries(say.choices).map(([value, name]) => (
                  <option key={value} value={value}>
                    {name}
                  </option>
                ))}
              </select>
            )}
          </Field>
          <NumberField
            label={say.maxAge}
            hint={say.maxAgeHint}
            error={draft.error("max_age_ms")}
            value={draft.site.max_age_ms / HOUR_MS}
            onChange={(hours) => draft.set({ max_age_ms: Math.round(hours * HOUR_MS) })}
          />
          <NumberField
            label={say.maxEvents}
            hint={say.maxEventsHint}
            error={draft.error("max_events_per_visitor_day")}
            value={draft.site.max_events_per_visitor_day}
            onChange={(count) => draft.set({ max_events_per_visitor_day: Math.round(count) })}
          />
        </div>
      )}
    </SettingsForm>
  );
}

function NumberField({
  label,
  hint,
  error,
  value,
  onChange,
}: {
  label: string;
  hint: string;
  error: string | null;
  value: number;
  onChange: (value: number) => void;
}) {
  return (
    <Field label={label} hint={hint} error={error}>
      {(ids) => (
        <input
          {...ids}
          type="number"
          required
          min="1"
          step="1"
          value={String(value)}
          onChange={(event) => {
            const typed = Number(event.currentTarget.value);
            if (Number.isFinite(typed) && typed > 0) onChange(typed);
          }}
        />
      )}
    </Field>
  );
}

export function ViewersPart({ site, onSaved }: Props) {
  const say = words.people;
  return (
    <SettingsForm
      id="viewers"
      title={say.title}
      lead={say.lead}
      site={site}
      onSaved={onSaved}
      fields={["viewer_journeys"]}
    >
      {(draft) => (
        <Switch
          label={say.journeys}
          hint={say.journeysHint}
          isOn={draft.site.viewer_journeys === "yes"}
          onChange={(isOn) => draft.set({ viewer_journeys: isOn ? "yes" : "no" })}
        />
      )}
    </SettingsForm>
  );
}
