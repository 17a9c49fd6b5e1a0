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

export function useReport(
  site: Site,
  definition: FunnelDefinition,
  state: ReportState,
  question: Question,
  today: string,
): Answer<Report> {
  const request = shownRequest(definition, state, question, today, site);
  const live = isLive(question.range, today);
  let elapsed = 0;
  const answer = useAnswer<Report>(
    JSON.stringify([site.name, request]),
    (queryId, signal) => api.report(site.name, { ...request, query_id: queryId }, signal),
    { pollMs: () => (live ? Math.max(POLL_MS, elapsed * REST_PER_QUERY) : null) },
  );
  elapsed = answer.value?.elapsed_ms ?? 0;
  return answer;
}
