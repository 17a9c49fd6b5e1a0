/* A report as the page shows it, with what its tab needs, kept fresh while it can change. */
import { api } from "../api";
import type { FunnelDefinition, Report, ReportRequest, Site } from "../api-types";
import { isLive } from "../ask/range";
import { pointsStep } from "../ask/step";
import { useAnswer, type Answer } from "../ask/useAnswer";
import type { Question } from "../ask/question";
import { requestOf, type ReportState, type TrendStep } from "./state";

const POLL_MS = 1000;
/* a query that takes long is not asked for all the time */
const REST_PER_QUERY = 8;

/* The step that the address chose, else what fits the range. */
export function stepOf(state: ReportState, question: Question, today: string, site: Site): TrendStep {
  return state.step ?? pointsStep(question, today, site);
}

/* The request behind what is shown: also what "copy as command" writes down. */
export function shownRequest(
  definition: FunnelDefinition,
  state: ReportState,
  question: Question,
  today: string,
  site: Site,
): ReportRequest {
  const request = requestOf(definition, state, question, today);
  if (state.tab === "breakdown" && state.by.length > 0) {
    request.breakdown = state.by;
    request.limit = state.rows;
  }
  if (state.tab === "trend") request.trend = stepOf(state, question, today, site);
  return request;
}

/* Counts are there much sooner than times and values, unless points or sessions are asked for. */
function isSplit(definition: FunnelDefinition, request: ReportRequest): boolean {
  return request.trend === undefined && definition.count !== "sessions";
}

export interface ReportAnswer extends Answer<Report> {
  /* times and values are there, too */
  isWhole: boolean;
}

export function useReport(
  site: Site,
  definition: FunnelDefinition,
  state: ReportState,
  question: Question,
  today: string,
): ReportAnswer {
  const request = shownRequest(definition, state, question, today, site);
  const live = isLive(question.range, today);
  const key = JSON.stringify([site.name, request]);
  const isTwo = isSplit(definition, request);
  let elapsed = 0;
  const counts = useAnswer<Report>(
    key,
    (queryId, signal) => api.report(site.name, { ...request, figures: "counts", query_id: queryId }, signal),
    { isOff: !isTwo },
  );
  const whole = useAnswer<Report>(
    key,
    (queryId, signal) => api.report(site.name, { ...request, query_id: queryId }, signal),
    {
      pollMs: () => (live ? Math.max(POLL_MS, elapsed * REST_PER_QUERY) : null),
      beside: isTwo ? counts : undefined,
    },
  );
  elapsed = whole.value?.elapsed_ms ?? 0;
  /* also where it could not be asked for again since: the counts are older still */
  const isWhole = !whole.isWaiting && whole.value !== null && whole.checked >= counts.checked;
  if (!isTwo) return { ...whole, isWhole: !whole.isWaiting };
  if (isWhole) return { ...whole, isWhole };
  if (counts.error !== null) return { ...counts, isWhole: false };
  const value = counts.isWaiting ? (whole.value ?? counts.value) : counts.value;
  return { ...counts, value, error: whole.error, retry: whole.retry, isWhole: false };
}
