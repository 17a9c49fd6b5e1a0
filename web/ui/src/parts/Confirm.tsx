/* A button for what cannot be taken back: it asks first, and says what went wrong. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { text } from "../text";
import { Notice } from "./basic";
import { Dialog } from "./Dialog";
import { messageOf, useAction } from "./hooks";

interface Props {
  label: string;
  /* where several buttons of a page have the same label */
  name?: string | undefined;
  title: string;
  yes: string;
  run: () => Promise<void>;
  /* what is about to happen */
  children: ComponentChildren;
}

export function Confirm({ label, name, title, yes, run, children }: Props) {
  const [isAsking, setAsking] = useState(false);
  const action = useAction();
  return (
    <>
      <button type="button" class="button is-danger" aria-label={name} onClick={() => setAsking(true)}>
        {label}
      </button>
      {isAsking && (
        <Dialog title={title} onClose={() => setAsking(false)}>
          {children}
          {action.error !== null && <Notice kind="error">{messageOf(action.error)}</Notice>}
          <p class="actions">
            <button
              type="button"
              class="button is-danger"
              disabled={action.isBusy}
              onClick={() => void action.run(run).then((isDone) => (isDone ? setAsking(false) : undefined))}
            >
              {yes}
            </button>
            <button type="button" class="button" onClick={() => setAsking(false)}>
              {text.common.cancel}
            </button>
          </p>
        </Dialog>
      )}
    </>
  );
}
