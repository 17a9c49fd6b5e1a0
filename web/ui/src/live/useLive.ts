/* The newest events, asked again every two seconds while the page is in sight and not paused. An
 * answer that would be the same as the last one is not sent again (ETag). */
import { useEffect, useState } from "preact/hooks";
import { api, type ApiError } from "../api";
import type { LiveAnswer } from "../api-types";
import { asApiError } from "../parts/hooks";

const POLL_MS = 2000;
const EVENTS = 50;

export interface Watched {
  live: LiveAnswer | null;
  error: ApiError | null;
  /* when the answer was last known to be current, epoch ms */
  checked: number;
}

export function useLive(site: string, funnel: string, isPaused: boolean): Watched {
  const [watched, setWatched] = useState<Watched>({ live: null, error: null, checked: 0 });
  useEffect(() => {
    if (isPaused) return undefined;
    const controller = new AbortController();
    let timer = 0;
    let etag: string | null = null;
    let isBusy = false;
    const ask = async () => {
      window.clearTimeout(timer);
      if (document.hidden || isBusy) return;
      isBusy = true;
      try {
        const answer = await api.liveEvents(site, { funnel, limit: EVENTS }, etag, controller.signal);
        if (controller.signal.aborted) return;
        etag = answer.etag;
        const { live } = answer;
        setWatched((old) => ({ live: live ?? old.live, error: null, checked: Date.now() }));
      } catch (reason) {
        if (controller.signal.aborted) return;
        setWatched((old) => ({ ...old, error: asApiError(reason) }));
      }
      isBusy = false;
      timer = window.setTimeout(() => void ask(), POLL_MS);
    };
    const onVisible = () => void ask();
    void ask();
    document.addEventListener("visibilitychange", onVisible);
    return () => {
      controller.abort();
      window.clearTimeout(timer);
      document.removeEventListener("visibilitychange", onVisible);
    };
  }, [site, funnel, isPaused]);
  return watched;
}
