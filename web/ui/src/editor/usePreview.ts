/* The figures of a draft, asked anew a moment after its last change, before anything is saved; those
 * of what it is compared with; and, when the counts are there, its rows by channel. */
import { useEffect, useRef, useState } from "preact/hooks";
import { api, ApiError } from "../api";
import type { BreakdownRow, FunnelDefinition, Report, Site } from "../api-types";
import { askedOf, type Question } from "../ask/question";
import { useAnswer } from "../ask/useAnswer";
import { fieldInForm, isSameQuestion, named, unnamed } from "./asking";
import { definitionOf, isComplete, type Draft } from "./model";

/* after the last key; what is typed is asked as a whole */
const SETTLE_MS = 100;
const CHANNELS = 6;

/* The value as it was when it last stood still for that long. */
export function useSettled<T>(value: T, key: string): T {
  const [settled, setSettled] = useState({ value, key });
  useEffect(() => {
    if (settled.key === key) return undefined;
    const timer = window.setTimeout(() => setSettled({ value, key }), SETTLE_MS);
    return () => window.clearTimeout(timer);
  }, [key, settled.key]);
  return settled.value;
}

/* The last one that there was: a refused question leaves the drawing before it. */
function useLast<T>(value: T | null): T | null {
  const last = useRef<T | null>(null);
  if (value !== null) last.current = value;
  return last.current;
}

export interface PreviewState {
  report: Report | null;
  /* of what the draft is compared with; null where that is the same question */
  old: Report | null;
  channels: BreakdownRow[] | null;
  /* of the draft, its field as the form knows it */
  error: ApiError | null;
  isReady: boolean;
  isWaiting: boolean;
}

export function usePreview(
  site: Site,
  draft: Draft,
  old: FunnelDefinition | null,
  question: Question,
  today: string,
): PreviewState {
  const { from, to, bots } = askedOf(question, today);
  const asked = { from, to, bots };
  const isReady = isComplete(draft);
  const definition = definitionOf(draft);
  const wanted = unnamed(definition);
  const funnel = useSettled(wanted, JSON.stringify([wanted, isReady]));
  const isSettled = JSON.stringify(funnel) === JSON.stringify(wanted);
  const key = JSON.stringify([site.name, funnel, asked]);
  const answer = useAnswer<Report>(
    key,
    (queryId, signal) => api.report(site.name, { ...asked, funnel, query_id: queryId }, signal),
    { isOff: !isReady || !isSettled },
  );
  const isCompared = old !== null && !isSameQuestion(old, definition);
  const oldFunnel = old === null ? null : unnamed(old);
  const oldAnswer = useAnswer<Report>(
    JSON.stringify([site.name, oldFunnel, asked]),
    (queryId, signal) => api.report(site.name, { ...asked, funnel: oldFunnel ?? funnel, figures: "counts", query_id: queryId }, signal),
    { isOff: !isCompared, beside: answer },
  );
  const isAnswered = isReady && isSettled && !answer.isWaiting && answer.error === null;
  const rows = useAnswer<Report>(
    key,
    (queryId, signal) => {
      const breakdown = [{ attribute: "channel" }];
      return api.report(site.name, { ...asked, funnel, breakdown, limit: CHANNELS, figures: "counts", query_id: queryId }, signal);
    },
    { isOff: !isAnswered, beside: answer },
  );
  const report = useLast(answer.value);
  return {
    report: report === null || report.stages.length !== definition.stages.length ? null : named(report, definition),
    old: isCompared && oldAnswer.value !== null ? named(oldAnswer.value, old) : null,
    channels: isAnswered ? (rows.value?.breakdown ?? null) : null,
    error: isReady && isSettled && answer.error !== null ? inForm(answer.error) : null,
    isReady,
    isWaiting: !isSettled || answer.isWaiting,
  };
}

function inForm(error: ApiError): ApiError {
  return new ApiError(error.status, error.code, error.message, fieldInForm(error.field), error.retryAfterSeconds);
}
