/* Name, domain, time zone and currency of a new site. */
import { useEffect, useRef, useState } from "preact/hooks";
import { api, type ApiError } from "../api";
import type { CreatedSite, NewSite } from "../api-types";
import { Field, Notice } from "../parts/basic";
import { asApiError, messageOf, useLoaded } from "../parts/hooks";
import { text } from "../text";

interface Props {
  onCreated: (site: CreatedSite) => void;
  /* left out where there is nothing else to do */
  onCancel?: () => void;
}

const FIELDS = ["name", "domain", "timezone", "currency"];

function browserZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

export function AddSite({ onCreated, onCancel }: Props) {
  const words = text.sites;
  const [site, setSite] = useState<NewSite>({
    name: "",
    domain: "",
    timezone: browserZone(),
    currency: "USD",
  });
  const [error, setError] = useState<ApiError | null>(null);
  const [isBusy, setBusy] = useState(false);
  const zones = useLoaded(() => api.timezones(), "zones");
  const currencies = useLoaded(() => api.currencies(), "currencies");
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => first.current?.focus(), []);

  const set = (change: Partial<NewSite>) => setSite((old) => ({ ...old, ...change }));
  const at = (field: string) => (error?.field === field ? messageOf(error) : null);
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      onCreated(await api.addSite({ ...site, name: site.name.trim(), domain: site.domain.trim() }));
    } catch (reason) {
      setError(asApiError(reason));
      setBusy(false);
    }
  };
  const list = (loaded: typeof zones, current: string) => {
    const known = loaded.state === "ready" ? loaded.value : [];
    return known.includes(current) ? known : [current, ...known];
  };

  return (
    <form class="panel stack" onSubmit={(event) => void submit(event)} aria-label={words.addTitle}>
      <h2>{words.addTitle}</h2>
      {error !== null && !FIELDS.includes(error.field ?? "") && (
        <Notice kind="error">{messageOf(error)}</Notice>
      )}
      <div class="field-grid">
        <Field label={words.name} hint={words.nameHint} error={at("name")}>
          {(ids) => (
            <input
              {...ids}
              ref={first}
              required
              maxLength={64}
              autocomplete="off"
              value={site.name}
              onInput={(event) => set({ name: event.currentTarget.value })}
            />
          )}
        </Field>
        <Field label={words.domain} hint={words.domainHint} error={at("domain")}>
          {(ids) => (
            <input
              {...ids}
              required
              inputMode="url"
              autocomplete="off"
              spellcheck={false}
              value={site.domain}
              onInput={(event) => set({ domain: event.currentTarget.value })}
            />
          )}
        </Field>
        <Field label={words.timezone} hint={words.timezoneHint} error={at("timezone")}>
          {(ids) => (
            <select
              {...ids}
              value={site.timezone}
              onChange={(event) => set({ timezone: event.currentTarget.value })}
            >
              {list(zones, site.timezone).map((zone) => (
                <option key={zone} value={zone}>
                  {zone}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field label={words.currency} hint={words.currencyHint} error={at("currency")}>
          {(ids) => (
            <select
              {...ids}
              value={site.currency}
              onChange={(event) => set({ currency: event.currentTarget.value })}
            >
              {["", ...list(currencies, site.currency).filter((code) => code !== "")].map((code) => (
                <option key={code} value={code}>
                  {code === "" ? words.noCurrency : code}
                </option>
              ))}
            </select>
          )}
        </Field>
      </div>
      <p class="actions">
        <button type="submit" class="button is-primary" disabled={isBusy}>
          {words.create}
        </button>
        {onCancel !== undefined && (
          <button type="button" class="button" onClick={onCancel}>
            {text.common.cancel}
          </button>
        )}
      </p>
    </form>
  );
}
