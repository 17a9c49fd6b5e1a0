/* The versions of a funnel: who saved what, when and why; each can be drawn beside the draft, and
 * brought back as the newest. */
import { useState } from "preact/hooks";
import { api, type ApiError } from "../api";
import type { FunnelVersion, SavedFunnel, Site } from "../api-types";
import { formatMoment } from "../format";
import { Await } from "../parts/basic";
import { asApiError, useLoaded } from "../parts/hooks";
import { text } from "../text";
import { words } from "../words/editor";

interface Props {
  site: Site;
  saved: SavedFunnel;
  /* the one that is drawn beside the draft */
  compared: number | null;
  isDirty: boolean;
  maySave: boolean;
  onCompare: (version: SavedFunnel) => void;
  onRestored: (now: SavedFunnel, version: number) => void;
  onError: (error: ApiError) => void;
}

export function Versions(props: Props) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details class="panel versions" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        {words.versions} · {props.saved.version}
      </summary>
      {isOpen && <List {...props} />}
    </details>
  );
}

function List(props: Props) {
  const { site, saved } = props;
  const versions = useLoaded(
    (signal) => api.funnelVersions(site.name, saved.name, signal),
    `${site.name}/${saved.name}/${saved.version}`,
  );
  return (
    <Await loaded={versions}>
      {(list) => (
        <>
          <p class="hint">{words.versionsLead}</p>
          <div class="table-scroll" tabIndex={0} role="region" aria-label={words.versions}>
            <table>
              <caption class="visually-hidden">{words.versions}</caption>
              <thead>
                <tr>
                  <th scope="col">{words.version}</th>
                  <th scope="col" class="is-text">{words.savedOn}</th>
                  <th scope="col" class="is-text">{words.savedBy}</th>
                  <th scope="col" class="is-text">{words.noteHead}</th>
                  <td />
                </tr>
              </thead>
              <tbody>
                {list.map((version) => (
                  <Row key={version.version} {...props} version={version} />
                ))}
              </tbody>
            </table>
          </div>
        </>
      )}
    </Await>
  );
}

function Row({ version, ...props }: Props & { version: FunnelVersion }) {
  const { site, saved, compared, isDirty, maySave, onCompare, onRestored, onError } = props;
  const [isAsking, setAsking] = useState(false);
  const { version: number } = version;
  const load = () => api.funnelVersion(site.name, saved.name, number);
  const failed = (reason: unknown) => onError(asApiError(reason));
  const restore = async () => {
    setAsking(false);
    const old = await load();
    const definition = { ...old.definition, name: saved.name };
    const how = { basedOn: saved.version, note: words.restoredNote(number) };
    onRestored(await api.saveFunnel(site.name, saved.name, definition, how), number);
  };
  const isPresent = number === saved.version;
  return (
    <tr class={compared === number ? "is-compared" : ""}>
      <th scope="row">{number}</th>
      <td class="is-text">{formatMoment(version.saved, site.timezone)}</td>
      <td class="is-text">{version.author === "" ? words.byCommand : version.author}</td>
      <td class="is-text version-note">{version.note}</td>
      <td class="version-buttons">
        {isPresent && <span class="tag">{words.present}</span>}{" "}
        <button
          type="button"
          class="button is-quiet"
          aria-pressed={compared === number}
          aria-label={words.compareLabel(number)}
          onClick={() => void load().then(onCompare, failed)}
        >
          {words.compare}
        </button>
        {maySave && !isPresent && !isAsking && (
          <button
            type="button"
            class="button is-quiet"
            aria-label={words.restoreLabel(number)}
            onClick={() => (isDirty ? setAsking(true) : void restore().catch(failed))}
          >
            {words.restore}
          </button>
        )}
        {isAsking && (
          <span class="confirm" role="alertdialog" aria-label={words.restoreConfirm}>
            {words.restoreConfirm}{" "}
            <button type="button" class="button is-danger" onClick={() => void restore().catch(failed)}>
              {words.restoreYes}
            </button>{" "}
            <button type="button" class="button" onClick={() => setAsking(false)}>
              {text.common.cancel}
            </button>
          </span>
        )}
      </td>
    </tr>
  );
}
