/* What can be undone, and done again. Pure. Typing in one field is one step. */
import type { Draft, DraftRule } from "./model";

const STEP_MS = 1000;
const STEPS_MAX = 100;

export interface History {
  past: Draft[];
  present: Draft;
  future: Draft[];
  /* of the last change, epoch ms */
  changed: number;
}

export function historyOf(draft: Draft): History {
  return { past: [], present: draft, future: [], changed: 0 };
}

const shapeOfRule = (rule: DraftRule) =>
  rule.kind === "nested"
    ? rule
    : rule.conditions.map(({ id, attribute, op, values }) => [id, attribute, op, values.length]);

/* Everything but what is typed letter by letter. */
function shapeOf({ stages, exclusions, preset, count }: Draft): string {
  return JSON.stringify([
    preset,
    count,
    stages.map(({ id, kind, required, rule }) => [id, kind, required, shapeOfRule(rule)]),
    exclusions.map(({ id, from, to, rule }) => [id, from, to, shapeOfRule(rule)]),
  ]);
}

export function changed(history: History, draft: Draft, now: number): History {
  const { past, present } = history;
  if (draft === present) return history;
  const isSameStep = past.length > 0 && now - history.changed < STEP_MS && shapeOf(present) === shapeOf(draft);
  return {
    past: isSameStep ? past : [...past, present].slice(-STEPS_MAX),
    present: draft,
    future: [],
    changed: now,
  };
}

export function undone(history: History): History {
  const last = history.past.at(-1);
  if (last === undefined) return history;
  return { past: history.past.slice(0, -1), present: last, future: [history.present, ...history.future], changed: 0 };
}

export function redone(history: History): History {
  const [next, ...future] = history.future;
  if (next === undefined) return history;
  return { past: [...history.past, history.present], present: next, future, changed: 0 };
}
