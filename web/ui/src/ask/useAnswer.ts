/* The server's answer to a question of the page, kept on the screen until the next one is there.
 *
 * A question goes out while the page is being drawn for it, not after: drawing can take longer than
 * answering. A new question stops the one before, in the browser and (by its query_id) on the server;
 * leaving the page stops the last. What stands beside another question waits for that one's answer,
 * which so has the server's processors to itself, and is stopped with it. With `pollMs` it is asked
 * again while it can change and the page is visible. A server that is busy is asked again when it
 * says.
 */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { api, type ApiError } from "../api";
import { asApiError } from "../parts/hooks";

export interface Answer<T> {
  /* of its questions */
  id: string;
  value: T | null;
  /* of the latest attempt; with a value beside it, that value is an older one */
  error: ApiError | null;
  /* when the value was last known to be current, epoch ms */
  checked: number;
  /* a different question has been asked and is not answered yet */
  isWaiting: boolean;
  /* asks once more what was not answered */
  retry: () => void;
}

interface Options {
  /* null: not again by itself; asked each time, as a range may end meanwhile */
  pollMs?: () => number | null;
  /* a question of nothing: the answer stays as it is */
  isOff?: boolean;
  /* the one that people wait for first */
  beside?: Answer<unknown> | undefined;
}

const BUSY_WAIT_MS = 1000;
const BUSY_TRIES_MAX = 8;

/* Of this page as it is open now: its newer question stops the older one, no other page's does. One
 * that begins with another and a point is stopped with that. */
function newQueryId(beside: Answer<unknown> | undefined): string {
  const own = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
  return beside === undefined ? own : `${beside.id}.${own}`;
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

/* A question that is under way, or was answered. */
interface Sent<T> {
  key: string;
  controller: AbortController;
  answer: Promise<T>;
  isDone: boolean;
  /* the server has it: it, or the same once more */
  isAsked: boolean;
}

function send<T>(key: string, ask: (signal: AbortSignal) => Promise<T>): Sent<T> {
  const controller = new AbortController();
  const { signal } = controller;
  const answer = patiently(() => ask(signal), signal);
  answer.catch(() => undefined); /* who waits for it hears of it */
  return { key, controller, answer, isDone: false, isAsked: true };
}

/* `key` says which question it is; `ask` is called with the query_id to send along. */
export function useAnswer<T>(
  key: string,
  ask: (queryId: string, signal: AbortSignal) => Promise<T>,
  { pollMs = () => null, isOff = false, beside }: Options = {},
): Answer<T> {
  const [attempt, setAttempt] = useState(0);
  const [answer, setAnswer] = useState<Answer<T>>(() => ({
    id: newQueryId(beside),
    value: null,
    error: null,
    checked: 0,
    isWaiting: true,
    retry: () => {
      setAnswer((old) => ({ ...old, error: null }));
      setAttempt((count) => count + 1);
    },
  }));
  const { id } = answer;
  const latest = useRef({ ask, pollMs });
  latest.current = { ask, pollMs };
  const sent = useRef<Sent<T> | null>(null);
  const isLater = isOff || (beside !== undefined && (beside.isWaiting || beside.value === null));
  const question = `${attempt} ${key}`;
  const isKnown = sent.current?.key === question && (sent.current.isDone || !sent.current.controller.signal.aborted);

  if (!isLater && !isKnown) {
    sent.current?.controller.abort();
    sent.current = send(question, (signal) => ask(id, signal));
  }
  const isDone = sent.current?.key === question && sent.current.isDone;

  useEffect(() => {
    const own = sent.current;
    if (isLater || own === null) return undefined;
    /* polling goes on where it was given up */
    if (own.controller.signal.aborted) own.controller = new AbortController();
    const { signal } = own.controller;
    let timer = 0;

    const take = async (asked: Promise<T>) => {
      window.clearTimeout(timer);
      own.isAsked = true;
      try {
        const value = await asked;
        if (signal.aborted) return;
        own.isDone = true;
        setAnswer((old) => ({
          ...old,
          value: old.value !== null && isSame(old.value, value) ? old.value : value,
          error: null,
          checked: Date.now(),
          isWaiting: false,
        }));
      } catch (reason) {
        if (signal.aborted) return;
        own.isDone = true;
        const error = asApiError(reason);
        const isFinal = error.status >= 400 && error.status < 500;
        setAnswer((old) => ({ ...old, value: isFinal ? null : old.value, error, isWaiting: false }));
        if (isFinal) return;
      } finally {
        if (!signal.aborted) own.isAsked = false;
      }
      schedule();
    };
    /* of an id of its own: it stops nobody who waits beside it */
    const again = () => take(patiently(() => latest.current.ask(`${id}.again`, signal), signal));
    const schedule = () => {
      const ms = latest.current.pollMs();
      if (ms === null || document.hidden || signal.aborted) return;
      timer = window.setTimeout(() => void again(), ms);
    };
    const onVisible = () => {
      if (document.hidden) window.clearTimeout(timer);
      else if (!own.isAsked && latest.current.pollMs() !== null) void again();
    };

    if (own.isDone) schedule();
    else void take(own.answer);
    document.addEventListener("visibilitychange", onVisible);
    return () => {
      own.controller.abort();
      window.clearTimeout(timer);
      document.removeEventListener("visibilitychange", onVisible);
    };
  }, [question, isLater]);

  useEffect(
    () => () => {
      if (sent.current?.isAsked === true) api.stopQuery(id).catch(() => undefined);
    },
    [],
  );
  const isWaiting = isOff ? answer.isWaiting : !isDone;
  return useMemo(() => ({ ...answer, isWaiting }), [answer, isWaiting]);
}
