/* What several screens need from the browser. */
import type { RefObject } from "preact";
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "../api";
import { text } from "../text";

/* The element's width in whole pixels, 0 until it is known. */
export function useWidth(ref: RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(0);
  /* before the first paint: what is drawn by it would push aside what follows */
  useLayoutEffect(() => {
    const element = ref.current;
    if (element === null) return undefined;
    const measure = () => setWidth(Math.floor(element.clientWidth));
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [ref]);
  return width;
}

export function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => window.matchMedia(query).matches);
  useEffect(() => {
    const list = window.matchMedia(query);
    const update = () => setMatches(list.matches);
    update();
    list.addEventListener("change", update);
    return () => list.removeEventListener("change", update);
  }, [query]);
  return matches;
}

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = title === "" ? text.product : `${title} · ${text.product}`;
  }, [title]);
}

export type Loaded<T> =
  | { state: "loading" }
  | { state: "failed"; error: ApiError; retry: () => void }
  | { state: "ready"; value: T };

export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return new ApiError(0, "unexpected", error instanceof Error ? error.message : String(error));
}

/* Loads once for each value of `key`; a later key's answer is never overtaken by an earlier one's. */
export function useLoaded<T>(load: (signal: AbortSignal) => Promise<T>, key: string): Loaded<T> {
  const [attempt, setAttempt] = useState(0);
  const [loaded, setLoaded] = useState<Loaded<T>>({ state: "loading" });
  const latest = useRef(load);
  latest.current = load;
  const retry = useCallback(() => setAttempt((count) => count + 1), []);
  useEffect(() => {
    const controller = new AbortController();
    setLoaded({ state: "loading" });
    latest
      .current(controller.signal)
      .then((value) => {
        if (!controller.signal.aborted) setLoaded({ state: "ready", value });
      })
      .catch((error: unknown) => {
        if (!controller.signal.aborted)
          setLoaded({ state: "failed", error: asApiError(error), retry });
      });
    return () => controller.abort();
  }, [key, attempt, retry]);
  return loaded;
}

export interface Action {
  isBusy: boolean;
  error: ApiError | null;
  /* false where it did not work: the error is kept until the next try */
  run: (work: () => Promise<void>) => Promise<boolean>;
}

/* Something that is asked of the server once, by a button or a form. */
export function useAction(): Action {
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const run = async (work: () => Promise<void>) => {
    setBusy(true);
    setError(null);
    try {
      await work();
      setBusy(false);
      return true;
    } catch (reason) {
      setError(asApiError(reason));
      setBusy(false);
      return false;
    }
  };
  return { isBusy, error, run };
}

export function messageOf(error: ApiError): string {
  if (error.code === "unreachable") return text.common.unreachable;
  return error.message === "" ? `${text.common.unexpected} (${error.code})` : error.message;
}
