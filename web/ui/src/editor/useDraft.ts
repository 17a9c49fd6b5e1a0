/* The draft with its history, and the page's guard: whoever leaves a draft with changes is asked. */
import { useEffect, useState } from "preact/hooks";
import { guardLeaving } from "../router";
import { changed, historyOf, redone, undone } from "./history";
import type { Draft } from "./model";

export interface DraftState {
  draft: Draft;
  change: (draft: Draft) => void;
  undo: (() => void) | null;
  redo: (() => void) | null;
  /* forgets what was before */
  reset: (draft: Draft) => void;
}

export function useDraft(initial: () => Draft): DraftState {
  const [history, setHistory] = useState(() => historyOf(initial()));
  return {
    draft: history.present,
    change: (draft) => setHistory((old) => changed(old, draft, Date.now())),
    undo: history.past.length === 0 ? null : () => setHistory(undone),
    redo: history.future.length === 0 ? null : () => setHistory(redone),
    reset: (draft) => setHistory(historyOf(draft)),
  };
}

/* Where somebody wants to go; null: nowhere. */
export function useLeaveGuard(isDirty: boolean): { leave: (() => void) | null; stay: () => void } {
  const [leave, setLeave] = useState<(() => void) | null>(null);
  useEffect(() => {
    if (!isDirty) return undefined;
    guardLeaving((go) => setLeave(() => go));
    const onUnload = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", onUnload);
    return () => {
      guardLeaving(null);
      window.removeEventListener("beforeunload", onUnload);
    };
  }, [isDirty]);
  return { leave, stay: () => setLeave(null) };
}
