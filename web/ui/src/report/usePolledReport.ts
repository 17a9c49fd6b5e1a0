/* A report that keeps itself fresh: asked again while it can change and the page is visible. The
 * last answer stays on the screen until the next one is there, also where the next one fails. */
import { useEffect, useRef, useState } from "preact/hooks";
import { api, type ApiError } from "../api";
import type { Report, ReportRequest } from "../api-types";
import { asApiError } from "../parts/hooks";

const POLL_MS = 1000;

/* Of this page as it is open now: its newer question stops the older one, no other page's does. */
function newQueryId(): string {
  return `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
}

export interface Polled {
  report: Report | null;
  /* of the latest attempt; with a report beside it, that report is an older one */
  error: ApiError | null;
  /* when the report was last known to be current, epoch ms */
  checked: number;
  /* a different question has been asked and is not answered yet */
  isWaiting: boolean;
}

/* Equal in everything but when and how fast it was answered. */
function isSame(a: Report, b: Report): boolean {
  const figures = (report: Report) =>
    JSON.stringify({ ...report, as_of: "", elapsed_ms: 0, snapshot: "", events_read: 0 });
  return figures(a) === figures(b);
}

/* `request` answers the request for now: relative ranges move on at midnight. */
export function usePolledReport(
  site: string,
  key: string,
  request: () => ReportRequest,
  isLive: () => boolean,
): Polled {
  const [polled, setPolled] = useState<Polled>({
    report: null,
    error: null,
    checked: 0,
    isWaiting: true,
  });
  const queryId = useRef("");
  queryId.current ||= newQueryId();
  const latest = useRef({ request, isLive });
  latest.current = { request, isLive };

  useEffect(() => {
    const controller = new AbortController();
    let timer = 0;
    let isBusy = false;
    setPolled((old) => ({ ...old, isWaiting: true }));

    const ask = async () => {
      isBusy = true;
      try {
        const question = { ...latest.current.request(), query_id: queryId.current };
        const report = await api.report(site, question, controller.signal);
        setPolled((old) => ({
          report: old.report !== null && isSame(old.report, report) ? old.report : report,
          error: null,
          checked: Date.now(),
          isWaiting: false,
        }));
      } catch (error) {
        if (controller.signal.aborted) return;
        const refusal = asApiError(error);
        const isFinal = refusal.status >= 400 && refusal.status < 500;
        setPolled((old) => ({
          ...old,
          report: isFinal ? null : old.report,
          error: refusal,
          isWaiting: false,
        }));
        isBusy = false;
        if (isFinal) return;
      }
      isBusy = false;
      schedule();
    };
    const schedule = () => {
      window.clearTimeout(timer);
      if (document.hidden || controller.signal.aborted || !latest.current.isLive()) return;
      timer = window.setTimeout(() => void ask(), POLL_MS);
    };
    const onVisible = () => {
      if (document.hidden) window.clearTimeout(timer);
      else if (!isBusy && latest.current.isLive()) void ask();
    };

    void ask();
    document.addEventListener("visibilitychange", onVisible);
    return () => {
      controller.abort();
      window.clearTimeout(timer);
      document.removeEventListener("visibilitychange", onVisible);
    };
  }, [site, key]);

  return polled;
}
