/* What a share link stores of the report on the screen. Pure. */
import type { ReportRequest } from "../api-types";

/* What a link can show of a request: one report, one breakdown. With days, no range of its own. */
export function sharedQuestion(request: ReportRequest, isRolling: boolean): ReportRequest {
  const { funnel, from, to, bots, filters, breakdown, limit } = request;
  return {
    funnel,
    ...(isRolling ? {} : { from: from ?? null, to: to ?? null }),
    ...(bots === undefined ? {} : { bots }),
    ...(filters === undefined ? {} : { filters }),
    ...(breakdown === undefined ? {} : { breakdown: breakdown.slice(0, 1) }),
    ...(limit === undefined ? {} : { limit }),
  };
}
