/* What can be done with all that is stored of a person: take it along, or have it gone. */
import { useState } from "preact/hooks";
import { api, type ApiError } from "../api";
import type { Erased, Journey, Site } from "../api-types";
import { Failed } from "../parts/basic";
import { Confirm } from "../parts/Confirm";
import { download } from "../parts/download";
import { asApiError } from "../parts/hooks";
import { words } from "../words/journeys";

const EXPORT_MAX = 10_000;

interface Props {
  site: Site;
  journey: Journey;
  canErase: boolean;
  onErased: (erased: Erased) => void;
}

export function PersonActions({ site, journey, canErase, onErased }: Props) {
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const [note, setNote] = useState("");
  const save = async () => {
    setBusy(true);
    setError(null);
    try {
      const whole = await api.journey(site.name, { visitor: journey.visitor, bots: "include", limit: EXPORT_MAX });
      const events = whole.sessions.flatMap((session) => session.events.map(({ event }) => event));
      download(
        `visitor-${journey.visitor.slice(0, 24).replace(/[^\w-]+/g, "_")}.ndjson`,
        events.map((event) => `${JSON.stringify(event)}\n`).join(""),
        "application/x-ndjson",
      );
      setNote(events.length < whole.n ? words.exportShort(events.length, whole.n) : "");
    } catch (reason) {
      setError(asApiError(reason));
    }
    setBusy(false);
  };
  return (
    <>
      <button type="button" class="button" title={words.exportHint} disabled={isBusy} onClick={() => void save()}>
        {isBusy ? words.exporting : words.export}
      </button>
      {canErase && (
        <Confirm
          label={words.erase}
          title={words.eraseTitle}
          yes={words.eraseYes}
          run={async () => onErased(await api.erase(site.name, journey.visitor))}
        >
          <p class="visitor-id">
            <strong>{journey.visitor}</strong>
          </p>
          <p>{words.eraseLead(journey.ids.length)}</p>
        </Confirm>
      )}
      {note !== "" && <p class="hint">{note}</p>}
      {error !== null && <Failed error={error} />}
    </>
  );
}
