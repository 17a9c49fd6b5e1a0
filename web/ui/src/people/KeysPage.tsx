/* Keys of a site: its public one, its secret one, and those for programs that use the API. */
import { useState } from "preact/hooks";
import { api, apiUrl, eventsUrl } from "../api";
import type { ApiKey, KeyScope, NewKey, Site } from "../api-types";
import { formatMoment } from "../format";
import { Await, CopyBox, Notice } from "../parts/basic";
import { Confirm } from "../parts/Confirm";
import { messageOf, useAction, useLoaded, useTitle } from "../parts/hooks";
import { NameField } from "../parts/NameField";
import { PageHead } from "../parts/PageHead";
import { collectorOf } from "../settings/diagnosis";
import { text } from "../text";
import { words } from "../words/people";

const SCOPES: KeyScope[] = ["read", "write_events", "manage"];
const say = words.keys;

export function KeysPage({ site }: { site: Site }) {
  useTitle(`${say.title} · ${site.name}`);
  const loaded = useLoaded((signal) => api.keys(site.name, signal), site.name);
  return (
    <>
      <PageHead title={say.title} lead={say.lead} />
      <div class="stack">
        <Await loaded={loaded}>{(keys) => <Keys site={site} initial={keys} />}</Await>
        <SiteKeys site={site} />
      </div>
    </>
  );
}

function Keys({ site, initial }: { site: Site; initial: ApiKey[] }) {
  const [keys, setKeys] = useState(initial);
  const [note, setNote] = useState("");
  const remove = async ({ id, name }: ApiKey) => {
    await api.removeKey(site.name, id);
    setKeys((old) => old.filter((one) => one.id !== id));
    setNote(say.removed(name));
  };
  return (
    <>
      <section class="panel" aria-label={say.caption}>
        <p class="visually-hidden" role="status">
          {note}
        </p>
        {keys.length === 0 && <p class="hint">{say.none}</p>}
        <ul class="access-list">
          {keys.map((key) => (
            <li key={key.id}>
              <span class="access-main">
                <strong>{key.name}</strong> <code>{key.start}…</code>
                <span class="row-sub">
                  {key.scopes.map((scope) => say.scopes[scope][0]).join(text.common.joins.comma)} ·{" "}
                  {say.by(key.created_by, formatMoment(key.created, site.timezone))}
                </span>
                <span class="row-sub">
                  {words.lastUsed}:{" "}
                  {key.last_used === null ? words.never : formatMoment(key.last_used, site.timezone)}
                </span>
              </span>
              <Confirm
                label={say.delete}
                name={say.removeOf(key.name)}
                title={say.removeTitle}
                yes={say.delete}
                run={() => remove(key)}
              >
                <p>{say.removeLead(key.name, key.start)}</p>
              </Confirm>
            </li>
          ))}
        </ul>
      </section>
      <KeyForm site={site} onMade={(key) => setKeys((old) => [...old, key])} />
    </>
  );
}

function KeyForm({ site, onMade }: { site: Site; onMade: (key: NewKey) => void }) {
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<KeyScope[]>(["read"]);
  const [made, setMade] = useState<NewKey | null>(null);
  const action = useAction();
  const { error } = action;
  const submit = async () => {
    const key = await api.addKey(site.name, name.trim(), scopes);
    setMade(key);
    setName("");
    onMade(key);
  };
  const at = (field: string) => (error?.field === field ? messageOf(error) : null);
  return (
    <form
      class="panel stack"
      aria-labelledby="key-title"
      onSubmit={(event) => {
        event.preventDefault();
        void action.run(submit);
      }}
    >
      <h2 id="key-title">{say.addTitle}</h2>
      {error !== null && error.field !== "name" && <Notice kind="error">{messageOf(error)}</Notice>}
      <NameField
        label={say.name}
        hint={say.nameHint}
        error={at("name")}
        max={120}
        value={name}
        onChange={setName}
      />
      <fieldset class="options">
        <legend>{say.scopesOf}</legend>
        {SCOPES.map((scope) => (
          <label key={scope} class="check">
            <input
              type="checkbox"
              checked={scopes.includes(scope)}
              onChange={(event) => {
                const { checked } = event.currentTarget;
                setScopes((old) => SCOPES.filter((one) => (one === scope ? checked : old.includes(one))));
              }}
            />
            <span>
              {say.scopes[scope][0]}
              <span class="hint choice-hint">{say.scopes[scope][1]}</span>
            </span>
          </label>
        ))}
      </fieldset>
      <p class="actions">
        <button type="submit" class="button is-primary" disabled={action.isBusy || scopes.length === 0}>
          {say.add}
        </button>
        <span class="hint" role="status">
          {scopes.length === 0 ? say.needsScope : ""}
        </span>
      </p>
      {made !== null && (
        <Notice kind="success">
          <CopyBox label={say.made(made.name)} value={made.key} />
          {made.scopes.includes("read") && (
            <CopyBox
              label={say.use}
              value={`curl '${apiUrl(window.location.origin, site.name)}' -H 'Authorization: Bearer ${made.key}'`}
              rows={2}
            />
          )}
          <p>{words.once}</p>
        </Notice>
      )}
    </form>
  );
}

function SiteKeys({ site }: { site: Site }) {
  const [secret, setSecret] = useState<string | null>(null);
  const collector = collectorOf(site.snippet)?.origin ?? "";
  const call = `curl ${eventsUrl(collector)} \\\n  -H 'Authorization: Bearer ${secret ?? "secret_..."}' \\\n  -d '{"visitor":"u123","time":"${new Date().toISOString()}","event":"sale","order":"1077","value":12.50}'`;
  return (
    <section class="panel stack" aria-labelledby="secret-title">
      <h2 id="secret-title">{say.secretTitle}</h2>
      <p class="hint">{say.secretLead}</p>
      {secret !== null && (
        <Notice kind="success">
          <CopyBox label={say.renewed} value={secret} />
          <p>{words.once}</p>
        </Notice>
      )}
      <div>
        <Confirm
          label={say.renew}
          title={say.renewTitle}
          yes={say.renew}
          run={async () => setSecret(await api.renewSecret(site.name))}
        >
          <p>{say.renewLead}</p>
        </Confirm>
      </div>
      <CopyBox label={say.server} value={call} rows={4} />
      <CopyBox label={say.site} value={site.key} />
      <p class="hint">{say.siteLead}</p>
    </section>
  );
}
