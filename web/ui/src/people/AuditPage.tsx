/* Who changed what of a site, the newest first. */
import { useState } from "preact/hooks";
import { api } from "../api";
import type { Audit, Site } from "../api-types";
import { formatMoment } from "../format";
import { Await, Failed } from "../parts/basic";
import { useAction, useLoaded, useTitle } from "../parts/hooks";
import { PageHead } from "../parts/PageHead";
import { words } from "../words/people";
import { doneWords, whoWords } from "./audit";

const say = words.audit;

export function AuditPage({ site }: { site: Site }) {
  useTitle(`${say.title} · ${site.name}`);
  const loaded = useLoaded((signal) => api.audit(site.name, null, signal), site.name);
  return (
    <>
      <PageHead title={say.title} lead={say.lead} />
      <Await loaded={loaded}>{(first) => <Entries site={site} first={first} />}</Await>
    </>
  );
}

function Entries({ site, first }: { site: Site; first: Audit }) {
  const [{ entries, cursor }, setShown] = useState(first);
  const action = useAction();
  const more = async () => {
    const next = await api.audit(site.name, cursor);
    setShown((old) => ({ entries: [...old.entries, ...next.entries], cursor: next.cursor }));
  };
  if (entries.length === 0) return <p class="empty">{say.none}</p>;
  return (
    <div class="panel">
      <div class="table-scroll" tabIndex={0} role="region" aria-label={say.caption}>
        <table class="audit">
          <thead>
            <tr>
              <th scope="col">{say.when}</th>
              <th scope="col">{say.who}</th>
              <th scope="col">{say.what}</th>
            </tr>
          </thead>
          <tbody>
            {entries.map((entry) => (
              <tr key={entry.id}>
                <td>
                  <time dateTime={entry.time}>{formatMoment(entry.time, site.timezone)}</time>
                </td>
                <td>{whoWords(entry.who)}</td>
                <td title={`${entry.action.split(" ")[0] ?? ""} ${entry.detail}`}>
                  {doneWords(entry.action, entry.detail)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="actions">
        <span class="hint" role="status">
          {say.shown(entries.length)}
        </span>
        {cursor !== null && (
          <button type="button" class="button" disabled={action.isBusy} onClick={() => void action.run(more)}>
            {say.more}
          </button>
        )}
      </p>
      {action.error !== null && <Failed error={action.error} />}
    </div>
  );
}
