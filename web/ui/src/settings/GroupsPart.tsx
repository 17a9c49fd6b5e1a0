/* Page groups, with what each of them gets of the paths that arrived. */
import { useState } from "preact/hooks";
import { api } from "../api";
import type { PageGroup, Site } from "../api-types";
import { useLoaded } from "../parts/hooks";
import { words } from "../words/settings";
import { fitsOf, listOf, suggestionsFor } from "./groups";
import { SettingsForm, type Draft } from "./SettingsForm";

const PATHS = 200;
const say = words.groups;

export function GroupsPart({ site, onSaved }: { site: Site; onSaved: (site: Site) => void }) {
  return (
    <SettingsForm
      id="groups"
      title={say.title}
      lead={say.lead}
      site={site}
      onSaved={onSaved}
      fields={["page_groups"]}
    >
      {(draft) => <Groups draft={draft} />}
    </SettingsForm>
  );
}

function Groups({ draft }: { draft: Draft }) {
  const groups = draft.site.page_groups;
  const loaded = useLoaded(
    (signal) => api.values(draft.site.name, "path", "", PATHS, signal),
    draft.site.name,
  );
  const paths = loaded.state === "ready" ? loaded.value : [];
  const set = (page_groups: PageGroup[]) => draft.set({ page_groups });
  const fits = fitsOf(groups, paths);
  const suggestions = suggestionsFor(groups, paths);
  const error = draft.error("page_groups");
  const up = (index: number) => {
    const next = [...groups];
    next.splice(index - 1, 2, ...next.slice(index - 1, index + 1).reverse());
    set(next);
  };
  return (
    <>
      {groups.length === 0 ? (
        <p class="hint">{say.none}</p>
      ) : (
        <ol class="groups">
          {groups.map((group, index) => {
            const fit = fits[index];
            return (
              <li key={index}>
                <GroupFields
                  group={group}
                  onChange={(next) => set(groups.map((one, i) => (i === index ? next : one)))}
                />
                <span class="actions">
                  <button
                    type="button"
                    class="button is-icon"
                    aria-label={say.up(group.name)}
                    disabled={index === 0}
                    onClick={() => up(index)}
                  >
                    ↑
                  </button>
                  <button
                    type="button"
                    class="button is-icon"
                    aria-label={say.remove(group.name)}
                    onClick={() => set(groups.filter((_, i) => i !== index))}
                  >
                    ×
                  </button>
                </span>
                {fit !== undefined && paths.length > 0 && (
                  <p class="hint">{say.fits(fit.paths, paths.length, fit.events)}</p>
                )}
              </li>
            );
          })}
        </ol>
      )}
      {error !== null && <p class="field-error">{error}</p>}
      <p class="hint">{say.hint}</p>
      <p class="actions">
        <button type="button" class="button" onClick={() => set([...groups, { name: "", globs: [] }])}>
          {say.add}
        </button>
      </p>
      {suggestions.length > 0 && (
        <p class="actions">
          <span class="hint">{say.suggested}</span>
          {suggestions.map(({ group, events }) => (
            <button
              key={group.name}
              type="button"
              class="button is-quiet"
              onClick={() => set([...groups, group])}
            >
              {say.suggestion(group.globs[0] ?? "", events)}
            </button>
          ))}
        </p>
      )}
    </>
  );
}

function GroupFields({ group, onChange }: { group: PageGroup; onChange: (group: PageGroup) => void }) {
  /* what is typed stays as it is until the field is left: a blank ends a glob */
  const [typed, setTyped] = useState<string | null>(null);
  return (
    <>
      <input
        aria-label={say.name}
        placeholder={say.name}
        required
        maxLength={120}
        value={group.name}
        onInput={(event) => onChange({ ...group, name: event.currentTarget.value })}
      />
      <input
        aria-label={say.globs}
        placeholder="/p/**"
        required
        spellcheck={false}
        class="code"
        value={typed ?? group.globs.join(" ")}
        onInput={(event) => {
          setTyped(event.currentTarget.value);
          onChange({ ...group, globs: listOf(event.currentTarget.value) });
        }}
        onBlur={() => setTyped(null)}
      />
    </>
  );
}
