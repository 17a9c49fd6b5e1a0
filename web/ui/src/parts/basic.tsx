/* The small pieces that every screen is made of. */
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import type { ApiError } from "../api";
import { text } from "../text";
import { messageOf, type Loaded } from "./hooks";

export function Notice({
  kind,
  children,
}: {
  kind: "error" | "info" | "success";
  children: ComponentChildren;
}) {
  return (
    <div class={`notice is-${kind}`} role={kind === "error" ? "alert" : "status"}>
      {children}
    </div>
  );
}

export function Loading() {
  return (
    <p class="loading" role="status">
      <span class="loading-dot" aria-hidden="true" />
      {text.common.loading}
    </p>
  );
}

export function Failed({ error, retry }: { error: ApiError; retry?: (() => void) | undefined }) {
  return (
    <Notice kind="error">
      <p>{messageOf(error)}</p>
      {retry !== undefined && (
        <button type="button" class="button" onClick={retry}>
          {text.common.retry}
        </button>
      )}
    </Notice>
  );
}

/* One of the three: loading, failed with a way to try again, or the value. */
export function Await<T>({
  loaded,
  children,
}: {
  loaded: Loaded<T>;
  children: (value: T) => ComponentChildren;
}) {
  if (loaded.state === "loading") return <Loading />;
  if (loaded.state === "failed") return <Failed error={loaded.error} retry={loaded.retry} />;
  return <>{children(loaded.value)}</>;
}

interface FieldProps {
  label: string;
  hint?: string | undefined;
  error?: string | null | undefined;
  children: (ids: {
    id: string;
    "aria-describedby": string | undefined;
    "aria-invalid": boolean;
  }) => ComponentChildren;
}

/* A label, its control, its hint and what is wrong with it, tied together for a screen reader. */
export function Field({ label, hint, error, children }: FieldProps) {
  const id = `field${useId()}`;
  const hintId = `${id}-hint`;
  const errorId = `${id}-error`;
  const described = [hint === undefined ? "" : hintId, error ? errorId : ""].join(" ").trim();
  return (
    <div class={error ? "field is-wrong" : "field"}>
      <label for={id}>{label}</label>
      {children({
        id,
        "aria-describedby": described === "" ? undefined : described,
        "aria-invalid": Boolean(error),
      })}
      {hint !== undefined && (
        <p class="hint" id={hintId}>
          {hint}
        </p>
      )}
      {error && (
        <p class="field-error" id={errorId}>
          {error}
        </p>
      )}
    </div>
  );
}

const COPIED_MS = 2000;

/* Copies where the browser allows it; elsewhere (plain http) it selects the text for the keyboard. */
export function CopyBox({ label, value, rows = 1 }: { label: string; value: string; rows?: number }) {
  const id = `copy${useId()}`;
  const box = useRef<HTMLTextAreaElement>(null);
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return undefined;
    const timer = window.setTimeout(() => setCopied(false), COPIED_MS);
    return () => window.clearTimeout(timer);
  }, [isCopied]);
  const copy = async () => {
    box.current?.focus();
    box.current?.select();
    try {
      await navigator.clipboard.writeText(value);
      setCopied(true);
    } catch {
      setCopied(false);
    }
  };
  return (
    <div class="copybox">
      <label for={id}>{label}</label>
      <div class="copybox-row">
        <textarea id={id} ref={box} readOnly rows={rows} value={value} spellcheck={false} />
        <button type="button" class="button" onClick={() => void copy()}>
          {isCopied ? text.common.copied : text.common.copy}
        </button>
      </div>
      <span class="visually-hidden" role="status">
        {isCopied ? text.common.copied : ""}
      </span>
    </div>
  );
}
