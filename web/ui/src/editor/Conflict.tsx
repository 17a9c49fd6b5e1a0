/* Somebody saved the funnel while it was being edited here: who, when, and what can be done. The
 * draft stays as it is until its author says otherwise. */
import type { SavedFunnel, Site } from "../api-types";
import { formatMoment } from "../format";
import { Notice } from "../parts/basic";
import { words } from "../words/editor";

interface Props {
  site: Site;
  theirs: SavedFunnel;
  /* the version that the draft began with */
  mine: number;
  onSee: () => void;
  onSaveOver: () => void;
  onTake: () => void;
}

export function Conflict({ site, theirs, mine, onSee, onSaveOver, onTake }: Props) {
  const who = theirs.author === "" ? words.byCommand : theirs.author;
  return (
    <Notice kind="error">
      <p>
        <strong>{words.conflictTitle}</strong>
      </p>
      <p>{words.conflict(who, theirs.version, formatMoment(theirs.updated, site.timezone), mine)}</p>
      {theirs.note !== "" && <p>{words.conflictNote(theirs.note)}</p>}
      <p class="actions">
        <button type="button" class="button" onClick={onSee}>
          {words.seeTheirs}
        </button>
        <button type="button" class="button" onClick={onSaveOver}>
          {words.saveOver}
        </button>
        <button type="button" class="button" onClick={onTake}>
          {words.takeTheirs}
        </button>
      </p>
    </Notice>
  );
}

export function LeaveQuestion({ leave, stay }: { leave: () => void; stay: () => void }) {
  return (
    <>
      <p>{words.leaveLead}</p>
      <p class="actions">
        <button type="button" class="button is-primary" onClick={stay}>
          {words.stay}
        </button>
        <button type="button" class="button is-danger" onClick={leave}>
          {words.leave}
        </button>
      </p>
    </>
  );
}
