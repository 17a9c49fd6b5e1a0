/* The newest events, asked again every two seconds. */
import { api } from "../api";
import type { LiveAnswer } from "../api-types";
import { usePolled, type Polled } from "../parts/usePolled";

const POLL_MS = 2000;
const EVENTS = 50;

export function useLive(site: string, funnel: string, isPaused: boolean): Polled<LiveAnswer> {
  return usePolled(
    JSON.stringify([site, funnel]),
    (etag, signal) => api.liveEvents(site, { funnel, limit: EVENTS }, etag, signal),
    POLL_MS,
    isPaused,
  );
}
