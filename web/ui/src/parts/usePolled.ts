/* What the server says of this moment, asked again every few seconds while the page is in sight and
 * not paused. An answer that would be the same as the last one is not sent again (ETag). */
import { useEffect, useRef, useState } from "preact/hooks";
import type { ApiError } from "../api";
import { asApiError } from "./hooks";

export interface Polled<T> {
  value: T | null;
  error: ApiError | null;
  /* when the answer was last known to be current, epoch ms */
  checked: number;
}

/* Null where nothing has changed since the answer with that tag. */
export type AskTagged<T> = (etag: string | null, signal: AbortSignal) => Promise<{ value: T | null; etag: string | null }>;

export function usePolled<T>(key: string, ask: AskTagged<T>, pollMs: number, isPaused = false): Polled<T> {
  const [polled, setPolled] = useState<Polled<T>>({ value: null, error: null, checked: 0 });
  const latest = useRef(ask);
  latest.current = ask;
  useEffect(() => {
    if (isPaused) return undefined;
    const controller = new AbortController();
    let timer = 0;
    let etag: string | null = null;
    let isBusy = false;
    const once = async () => {
      window.clearTimeout(timer);
      if (document.hidden || isBusy) return;
      isBusy = true;
      try {
        const answer = await latest.current(etag, controller.signal);
        if (controller.signal.aborted) return;
        etag = answer.etag;
        const { value } = answer;
        setPolled((old) => ({ value: value ?? old.value, error: null, checked: Date.now() }));
      } catch (reason) {
        if (controller.signal.aborted) return;
        setPolled((old) => ({ ...old, error: asApiError(reason) }));
      }
      isBusy = false;
      timer = window.setTimeout(() => void once(), pollMs);
    };
    const onVisible = () => void once();
    void once();
    document.addEventListener("visibilitychange", onVisible);
    return () => {
      controller.abort();
      window.clearTimeout(timer);
      document.removeEventListener("visibilitychange", onVisible);
    };
  }, [key, pollMs, isPaused]);
  return polled;
}
