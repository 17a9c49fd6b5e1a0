/* The server's answer to a question of the page, kept on the screen until the next one is there.
 *
 * A new question stops the one before, in the browser and (by its query_id) on the server; leaving
 * the page stops the last. With `pollMs` it is asked again while it can change and the page is
 * visible. A server that is busy is asked again when it says.
 */
import { useEffect, useRef, useState } from "preact/hooks";
import { api, type ApiError } from "../api";
import { asApiError } from "../parts/hooks";

export interface Answer<T> {
  value: T | null;
  /* of the latest attempt; with a value beside it, that value is an older one */
  error: ApiError | null;
  /* when the value was last known to be current, epoch ms */
  checked: number;
  /* a different question has been asked and is not answered yet */
  isWaiting: boolean;
}

interface Options {
  /* null: not again by itself; asked each time, as a range may end meanwhile */
  pollMs?: () => number | null;
  /* a question of nothing: the answer stays as it is */
  isOff?: boolean;
}

const BUSY_WAIT_MS = 1000;
const BUSY_TRIES_MAX = 8;

/* Of this page as it is open now: its newer question stops the older one, no other page's does. */
function newQueryId(): string {
  return `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
}

/* Equal in everything but when and how fast it was answered. */
function isSame(a: unknown, b: unknown): boolean {
  const figures = (value: unknown) =>
    JSON.stringify(value, (key, member: unknown) =>
      ["as_of", "elapsed_ms", "snapshot", "events_read"].includes(key) ? undefined : member,
    );
  return figures(a) === figures(b);
}

const wait = (ms: number, signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    const timer = window.setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      window.clearTimeout(timer);
      resolve();
    });
  });

async function patiently<T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await ask();
    } catch (error) {
      const refusal = asApiError(error);
      if (refusal.status !== 503 || tries >= BUSY_TRIES_MAX || signal.aborted) throw error;
      await wait((refusal.retryAfterSeconds ?? 0) * 1000 || BUSY_WAIT_MS, signal);
    }
  }
}

/* `key` says which question it is; `ask` is called with the query_id to send along. */
export function useAnswer<T>(
  key: string,
  ask: (queryId: string, signal: AbortSignal) => Promise<T>,
  { pollMs = () => null, isOff = false }: Options = {},
): Answer<T> {
  const [answer, setAnswer] = useState<Answer<T>>({ value: null, error: null, checked: 0, isWaiting: true });
  const queryId = useRef("");
  queryId.current ||= newQueryId();
  const latest = useRef({ ask, pollMs });
  latest.current = { ask, pollMs };
  const isAsking = useRef(false);

  useEffect(() => {
    if (isOff) return undefined;
    const controller = new AbortController();
    const { signal } = controller;
    let timer = 0;
    let isBusy = false;
    setAnswer((old) => ({ ...old, isWaiting: true }));

    const once = async () => {
      window.clearTimeout(timer);
      isBusy = true;
      isAsking.current = true;
      try {
        const value = await patiently(() => latest.current.ask(queryId.current, signal), signal);
        if (signal.aborted) return;
        setAnswer((old) => ({
          value: old.value !== null && isSame(old.value, value) ? old.value : value,
          error: null,
          checked: Date.now(),
          isWaiting: false,
        }));
      } catch (reason) {
        if (signal.aborted) return;
        const error = asApiError(reason);
        const isFinal = error.status >= 400 && error.status < 500;
        setAnswer((old) => ({ ...old, value: isFinal ? null : old.value, error, isWaiting: false }));
        if (isFinal) return;
      } finally {
        isBusy = false;
        if (!signal.aborted) isAsking.current = false;
      }
      schedule();
    };
    const schedule = () => {
      const ms = latest.current.pollMs();
      if (ms === null || document.hidden || signal.aborted) return;
      timer = window.setTimeout(() => void once(), ms);
    };
    const onVisible = () => {
      if (document.hidden) window.clearTimeout(timer);
      else if (!isBusy && latest.current.pollMs() !== null) void once();
    };

    void once();
    document.addEventListener("visibilitychange", onVisible);
    return () => {
      controller.abort();
      window.clearTimeout(timer);
      document.removeEventListener("visibilitychange", onVisible);
    };
  }, [key, isOff]);

  useEffect(
    () => () => {
      if (isAsking.current) api.stopQuery(queryId.current).catch(() => undefined);
    },
    [],
  );
  return answer;
}
