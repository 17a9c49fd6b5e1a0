/* The whole form of a funnel, new or saved: what it is on the left, what it makes of the data on the
 * right. */
import { useRef, useState } from "preact/hooks";
import { api, ApiError } from "../api";
import type { Attribute, FunnelDefinition, SavedFunnel, Site } from "../api-types";
import { useAsked } from "../ask/useAsked";
import { Notice } from "../parts/basic";
import { Dialog } from "../parts/Dialog";
import { asApiError, messageOf } from "../parts/hooks";
import { guardLeaving, link, navigate } from "../router";
import { words } from "../words/editor";
import { isUnchanged } from "./asking";
import { Basics } from "./Basics";
import { Conflict, LeaveQuestion } from "./Conflict";
import { Exclusions } from "./Exclusions";
import { JsonPanel } from "./JsonPanel";
import { definitionOf, draftOf } from "./model";
import { Preview } from "./Preview";
import { SaveBar } from "./SaveBar";
import { StageList } from "./StageList";
import { useDraft, useLeaveGuard } from "./useDraft";
import { usePreview } from "./usePreview";
import { Versions } from "./Versions";

interface Props {
  site: Site;
  attributes: Attribute[];
  /* event names that the site sent */
  sent: string[];
  initial: FunnelDefinition;
  /* as it is saved, null for a new funnel */
  saved: SavedFunnel | null;
  /* names of the site's funnels */
  taken: string[];
  query: string;
}

export function FunnelForm({ site, attributes, sent, initial, saved, taken, query }: Props) {
  const state = useDraft(() => draftOf(initial));
  const { draft } = state;
  const [base, setBase] = useState(saved);
  const [theirs, setTheirs] = useState<SavedFunnel | null>(null);
  const [compared, setCompared] = useState<SavedFunnel | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const [done, setDone] = useState("");
  const [isBusy, setBusy] = useState(false);
  const [note, setNote] = useState("");
  const [announcement, announce] = useState("");
  const [active, setActive] = useState<number | null>(draft.stages[0]?.id ?? null);
  const form = useRef<HTMLFormElement>(null);
  const here = useAsked(site, query);
  const [question, setQuestion] = useState({ ...here.question, filters: [] as typeof here.question.filters });

  const start = base?.definition ?? initial;
  const isDirty = !isUnchanged(draft, base === null ? start : { ...start, name: base.name });
  const guard = useLeaveGuard(isDirty);
  const beside = compared ?? base;
  const preview = usePreview(site, draft, beside?.definition ?? null, question, here.today);
  const shownError = error ?? preview.error;
  const maySave = site.role !== "viewer";
  const scope = { site, question, today: here.today };

  const change: typeof state.change = (next) => {
    state.change(next);
    if (error !== null) setError(null);
    if (done !== "") setDone("");
  };
  const take = (now: SavedFunnel) => {
    setBase(now);
    setTheirs(null);
    setCompared(null);
    setError(null);
    state.reset(draftOf({ ...now.definition, name: now.name }));
  };
  /* The error stands where it belongs, the draft stays as it is. */
  const refused = async (reason: unknown) => {
    const refusal = asApiError(reason);
    setBusy(false);
    if (base !== null && refusal.code === "conflict") {
      setTheirs(await api.funnel(site.name, base.name).catch(() => null));
    } else if (base !== null && refusal.status === 404 && refusal.field === "funnel") {
      setBase(null);
      setError(new ApiError(404, "not_found", words.gone));
      return;
    }
    setError(refusal);
    window.requestAnimationFrame(() => showError(form.current));
  };
  const save = async (basedOn: number) => {
    const definition = definitionOf(draft);
    const name = base?.name ?? definition.name;
    setBusy(true);
    setError(null);
    setTheirs(null);
    try {
      if (definition.name !== base?.name && taken.includes(definition.name))
        throw new ApiError(409, "exists", words.nameTaken, "name");
      const now = await api.saveFunnel(site.name, name, definition, { basedOn, note: note.trim() });
      guardLeaving(null);
      navigate(link.report(site.name, now.name));
    } catch (reason) {
      await refused(reason);
    }
  };

  return (
    <form
      class="editor"
      ref={form}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void save(base?.version ?? 0);
      }}
      onKeyDown={(event) => {
        const isTyping = event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement;
        if (isTyping || !(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z") return;
        event.preventDefault();
        const step = event.shiftKey ? state.redo : state.undo;
        step?.();
        if (step !== null) announce(event.shiftKey ? words.redone : words.undone);
      }}
    >
      <div class="editor-main">
        {theirs !== null && base !== null && (
          <Conflict
            site={site}
            theirs={theirs}
            mine={base.version}
            onSee={() => setCompared(theirs)}
            onSaveOver={() => void save(theirs.version)}
            onTake={() => take(theirs)}
          />
        )}
        {error !== null && theirs === null && (
          <Notice kind="error">
            <strong>{words.errorsAbove}</strong> {messageOf(error)}{" "}
            {error.field !== null && error.field !== "" && <span class="hint">{words.at(error.field)}</span>}
          </Notice>
        )}
        {done !== "" && <Notice kind="success">{done}</Notice>}
        <Basics draft={draft} error={shownError} onChange={change} />
        <StageList
          attributes={attributes}
          sent={sent}
          draft={draft}
          report={preview.report}
          error={shownError}
          scope={scope}
          active={active}
          onActive={setActive}
          onChange={change}
          announce={announce}
        />
        <Exclusions
          site={site.name}
          attributes={attributes}
          draft={draft}
          error={shownError}
          scope={scope}
          onChange={change}
        />
        <JsonPanel draft={draft} onChange={change} />
        <p class="visually-hidden" role="status">
          {announcement}
        </p>
      </div>
      <div class="editor-side">
        <div class="editor-look">
          <Preview
            question={question}
            today={here.today}
            onQuestion={setQuestion}
            preview={preview}
            draft={definitionOf(draft)}
            old={beside === null ? null : { definition: beside.definition, title: titleOf(beside, compared !== null) }}
          />
          {base !== null && (
            <Versions
              site={site}
              saved={base}
              compared={compared?.version ?? null}
              isDirty={isDirty}
              maySave={maySave}
              onCompare={(version) => setCompared(version.version === compared?.version ? null : version)}
              onRestored={(now, version) => {
                take(now);
                setDone(words.restored(version, now.version));
              }}
              onError={(reason) => void refused(reason)}
            />
          )}
        </div>
        <SaveBar
          site={site}
          savedAs={base?.name ?? null}
          state={{ ...state, change }}
          note={note}
          error={error}
          isBusy={isBusy}
          maySave={maySave}
          onNote={setNote}
          onGone={() => guardLeaving(null)}
          onError={setError}
          announce={announce}
        />
      </div>
      {guard.leave !== null && (
        <Dialog title={words.leaveTitle} onClose={guard.stay}>
          <LeaveQuestion leave={guard.leave} stay={guard.stay} />
        </Dialog>
      )}
    </form>
  );
}

function titleOf(funnel: SavedFunnel, isChosen: boolean): string {
  return isChosen ? words.asVersion(funnel.version) : words.asSaved(funnel.version);
}

/* Brings the eye, and the keyboard, to what is wrong: the field if there is one, else the notice. */
function showError(form: HTMLElement | null): void {
  const field = form?.querySelector(".editor-main .field-error") ?? null;
  (field ?? form?.querySelector(".notice.is-error"))?.scrollIntoView({ block: "center" });
  const wrong = form?.querySelector("[aria-invalid=true]");
  if (wrong instanceof HTMLElement) wrong.focus({ preventScroll: true });
}
