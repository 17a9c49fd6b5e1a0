/* Whose pages, which days, which money. */
import type { Site } from "../api-types";
import { formatMoment } from "../format";
import { Field } from "../parts/basic";
import { api } from "../api";
import { useLoaded } from "../parts/hooks";
import { words } from "../words/settings";
import { ListField } from "./ListField";
import { SettingsForm } from "./SettingsForm";

interface Props {
  site: Site;
  onSaved: (site: Site) => void;
}

export function SitePart({ site, onSaved }: Props) {
  const zones = useLoaded(() => api.timezones(), "zones");
  const funnels = useLoaded((signal) => api.funnels(site.name, signal), site.name);
  const names = funnels.state === "ready" ? funnels.value.map((funnel) => funnel.name) : [];
  const currencies = useLoaded(() => api.currencies(), "currencies");
  const list = (loaded: typeof zones, current: string) => {
    const known = loaded.state === "ready" ? loaded.value : [];
    return known.includes(current) ? known : [current, ...known];
  };
  return (
    <SettingsForm
      id="site"
      title={words.site.title}
      lead={words.site.lead}
      site={site}
      onSaved={onSaved}
      fields={["domain", "hosts", "timezone", "currency", "first_day_of_week", "funnel"]}
    >
      {(draft) => (
        <div class="field-grid">
          <Field label={words.site.domain} hint={words.site.domainHint} error={draft.error("domain")}>
            {(ids) => (
              <input
                {...ids}
                required
                inputMode="url"
                autocomplete="off"
                spellcheck={false}
                value={draft.site.domain}
                onInput={(event) => draft.set({ domain: event.currentTarget.value.trim() })}
              />
            )}
          </Field>
          <ListField
            label={words.site.hosts}
            hint={words.site.hostsHint}
            error={draft.error("hosts")}
            value={draft.site.hosts}
            onChange={(hosts) => draft.set({ hosts })}
          />
          <Field
            label={words.site.timezone}
            hint={words.site.timezoneHint(formatMoment(new Date().toISOString(), draft.site.timezone))}
            error={draft.error("timezone")}
          >
            {(ids) => (
              <select
                {...ids}
                value={draft.site.timezone}
                onChange={(event) => draft.set({ timezone: event.currentTarget.value })}
              >
                {list(zones, draft.site.timezone).map((zone) => (
                  <option key={zone} value={zone}>
                    {zone}
                  </option>
                ))}
              </select>
            )}
          </Field>
          <Field label={words.site.currency} hint={words.site.currencyHint} error={draft.error("currency")}>
            {(ids) => (
              <select
                {...ids}
                value={draft.site.currency}
                onChange={(event) => draft.set({ currency: event.currentTarget.value })}
              >
                {["", ...list(currencies, draft.site.currency).filter((code) => code !== "")].map(
                  (code) => (
                    <option key={code} value={code}>
                      {code === "" ? words.site.noCurrency : code}
                    </option>
                  ),
                )}
              </select>
            )}
          </Field>
          <Field label={words.site.firstDay} error={draft.error("first_day_of_week")}>
            {(ids) => (
              <select
                {...ids}
                value={draft.site.first_day_of_week}
                onChange={(event) =>
                  draft.set({ first_day_of_week: event.currentTarget.value as Site["first_day_of_week"] })
                }
              >
                {Object.entries(words.site.days).map(([day, name]) => (
                  <option key={day} value={day}>
                    {name}
                  </option>
                ))}
              </select>
            )}
          </Field>
          <Field label={words.site.funnel} hint={words.site.funnelHint} error={draft.error("funnel")}>
            {(ids) => (
              <select
                {...ids}
                value={draft.site.funnel}
                onChange={(event) => draft.set({ funnel: event.currentTarget.value })}
              >
                <option value="">{words.site.noFunnel}</option>
                {[...new Set([...names, draft.site.funnel])]
                  .filter((name) => name !== "")
                  .map((name) => (
                    <option key={name} value={name}>
                      {name}
                    </option>
                  ))}
              </select>
            )}
          </Field>
        </div>
      )}
    </SettingsForm>
  );
}
