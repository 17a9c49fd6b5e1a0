/* One part of the settings: its words on the left, its fields on the right, saved by itself. */
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { api, type ApiError } from "../api";
import type { Site, SiteChange } from "../api-types";
import { CopyBox, Notice } from "../parts/basic";
import { asApiError, messageOf } from "../parts/hooks";
import { isAtLeast } from "../people/rights";
import { words } from "../words/settings";

export function Part({
  id,
  title,
  lead,
  children,
}: {
  id: string;
  title: string;
  lead: ComponentChildren;
  children: ComponentChildren;
}) {
  return (
    <section class="panel setting" id={id} tabIndex={-1} aria-labelledby={`${id}-title`}>
      <div class="setting-words">
        <h2 id={`${id}-title`}>{title}</h2>
        <p class="hint">{lead}</p>
      </div>
      <div class="setting-fields">{children}</div>
    </section>
  );
}

export interface Draft {
  site: Site;
  set: (change: SiteChange) => void;
  /* what the server said of this field */
  error: (field: string) => string | null;
}

interface FormProps {
  id: string;
  title: string;
  lead: ComponentChildren;
  site: Site;
  onSaved: (site: Site) => void;
  fields: (keyof SiteChange)[];
  /* null: save at once; else a question that calls back */
  confirm?: (change: SiteChange, save: () => void) => boolean;
  children: (draft: Draft) => ComponentChildren;
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/* What differs from the saved site, only of this form's fields. */
function changesOf(fields: (keyof SiteChange)[], saved: Site, draft: SiteChange): SiteChange {
  return Object.fromEntries(
    fields.filter((key) => key in draft && !same(draft[key], saved[key])).map((key) => [key, draft[key]]),
  );
}

export function SettingsForm({ id, title, lead, site, onSaved, fields, confirm, children }: FormProps) {
  const [draft, setDraft] = useState<SiteChange>({});
  const [error, setError] = useState<ApiError | null>(null);
  const [isBusy, setBusy] = useState(false);
  const [snippet, setSnippet] = useState<string | null>(null);
  const [isSaved, setSaved] = useState(false);
  const change = changesOf(fields, site, draft);
  const isDirty = Object.keys(change).length > 0;
  useEffect(() => {
    if (!isDirty) return undefined;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", warn);
    return () => window.removeEventListener("beforeunload", warn);
  }, [isDirty]);

  const save = async () => {
    setBusy(true);
    setError(null);
    try {
      const next = await api.changeSite(site.name, change);
      setSnippet(next.snippet === site.snippet ? null : next.snippet);
      setDraft({});
      setSaved(true);
      onSaved(next);
    } catch (reason) {
      setError(asApiError(reason));
    }
    setBusy(false);
  };
  const submit = (event: Event) => {
    event.preventDefault();
    if (!isDirty || isBusy) return;
    if (confirm === undefined || !confirm(change, () => void save())) void save();
  };
  const isOwn = error?.field != null && (fields as string[]).includes(error.field.replace(/\[.*$/, ""));
  const own: Draft = {
    site: { ...site, ...draft },
    set: (next) => {
      setSaved(false);
      setDraft((old) => ({ ...old, ...next }));
    },
    error: (field) => (isOwn && error.field.startsWith(field) ? messageOf(error) : null),
  };
  return (
    <Part id={id} title={title} lead={lead}>
      <form class="stack" onSubmit={submit} aria-labelledby={`${id}-title`}>
        {error !== null && !isOwn && <Notice kind="error">{messageOf(error)}</Notice>}
        <fieldset class="bare" disabled={!isAtLeast(site, "editor")}>
          {children(own)}
        </fieldset>
        <p class="actions">
          <button type="submit" class={isDirty ? "button is-primary" : "button"} disabled={!isDirty || isBusy}>
            {isBusy ? words.saving : words.save}
          </button>
          {isDirty && (
            <button type="button" class="button is-quiet" onClick={() => setDraft({})}>
              {words.undo}
            </button>
          )}
          <span class="hint" role="status">
            {isDirty ? words.unsaved : isSaved ? words.saved : ""}
          </span>
        </p>
        {snippet !== null && (
          <Notice kind="info">
            <CopyBox label={words.tagChanged} value={snippet} rows={3} />
          </Notice>
        )}
      </form>
    </Part>
  );
}
