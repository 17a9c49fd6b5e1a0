/* What a draft asks the server for, and what its answers mean. Pure. */
import type { FunnelDefinition, Report, Rule } from "../api-types";
import { definitionOf, draftOf, isFilled, ruleOf, STAGES_MAX, type Draft } from "./model";

/* What stands for a name that is not asked about; the server takes none that is empty. */
const NAMELESS = "draft";

/* Names and kinds change no figure: without them, typing a name asks nothing anew. */
export function unnamed(definition: FunnelDefinition): FunnelDefinition {
  return {
    ...definition,
    name: NAMELESS,
    stages: definition.stages.map(({ rule, required }, index) => ({
      name: String(index + 1),
      rule,
      ...(required === undefined ? {} : { required }),
    })),
  };
}

/* A report asked without names, with them. */
export function named(report: Report, definition: FunnelDefinition): Report {
  const stages = report.stages.map((stage, index) => {
    const { name, kind } = definition.stages[index] ?? stage;
    return { ...stage, name, kind: kind ?? "custom" };
  });
  return { ...report, stages };
}

/* The server's field of a draft that was asked about, as the form knows it. */
export function fieldInForm(field: string | null): string | null {
  return field === null ? null : field.replace(/^funnel\.?/, "");
}

/* ---- What a rule matches ---- */

export interface OtherRule {
  /* of the stage, from 1 */
  number: number;
  name: string;
  rule: Rule;
}

/* The draft's stages beside one of them (or, -1, beside none), those that have a rule. */
export function othersOf(draft: Draft, index: number): OtherRule[] {
  return draft.stages
    .map((stage, at) => ({ number: at + 1, stage }))
    .filter(({ number, stage }) => number !== index + 1 && isFilled(stage.rule))
    .map(({ number, stage }) => ({ number, name: stage.name, rule: ruleOf(stage.rule) }));
}

/* A funnel that nobody sees: its first stage is the rule, each other one the rule together with that
 * of another stage. `seen` of its stages then says how many did one event that matches both. */
export function overlapFunnel(rule: Rule, others: OtherRule[]): FunnelDefinition {
  const both = others.slice(0, STAGES_MAX - 1).map((other) => ({ all: [rule, other.rule] }));
  const rules = both.length === 0 ? [rule, rule] : [rule, ...both];
  return {
    name: NAMELESS,
    window: "1d",
    stages: rules.map((one, index) => ({ name: String(index + 1), rule: one })),
  };
}

export interface Overlap {
  number: number;
  name: string;
  share: number;
}

export interface Matches {
  visitors: number;
  overlaps: Overlap[];
}

export function matchesOf(report: Pick<Report, "stages">, others: OtherRule[]): Matches {
  const visitors = report.stages[0]?.seen ?? 0;
  const overlaps = others
    .slice(0, STAGES_MAX - 1)
    .map(({ number, name }, index) => ({
      number,
      name,
      share: visitors === 0 ? 0 : (report.stages[index + 1]?.seen ?? 0) / visitors,
    }))
    .filter(({ share }) => share > 0);
  return { visitors, overlaps };
}

/* ---- Old against new ---- */

export interface SideRow {
  name: string;
  old: number | null;
  now: number | null;
}

/* The draft's stages in order, each beside the old one of its name, else of its rule; then the old
 * ones that are no more. */
export function sideRows(now: FunnelDefinition, nowReport: Report, old: FunnelDefinition, oldReport: Report): SideRow[] {
  const left = old.stages.map((stage, index) => ({ stage, index }));
  const throughput = (report: Report, index: number) => report.stages[index]?.throughput ?? null;
  const partners = now.stages.map(() => null as number | null);
  const pair = (isSame: (a: FunnelDefinition["stages"][number], b: FunnelDefinition["stages"][number]) => boolean) =>
    now.stages.forEach((stage, index) => {
      if (partners[index] !== null) return;
      const found = left.findIndex((other) => isSame(stage, other.stage));
      if (found >= 0) partners[index] = left.splice(found, 1)[0]?.index ?? null;
    });
  pair((a, b) => a.name === b.name);
  pair((a, b) => JSON.stringify(a.rule) === JSON.stringify(b.rule));
  const rows: SideRow[] = now.stages.map((stage, index) => {
    const partner = partners[index] ?? null;
    return {
      name: stage.name,
      old: partner === null ? null : throughput(oldReport, partner),
      now: throughput(nowReport, index),
    };
  });
  for (const { stage, index } of left) rows.push({ name: stage.name, old: throughput(oldReport, index), now: null });
  return rows;
}

/* A definition with its defaults written out, as the form would save it. */
function whole(definition: FunnelDefinition): FunnelDefinition {
  return definitionOf(draftOf(definition));
}

/* Do two funnels ask the same of the data, whatever their names? */
export function isSameQuestion(a: FunnelDefinition, b: FunnelDefinition): boolean {
  return JSON.stringify(unnamed(whole(a))) === JSON.stringify(unnamed(whole(b)));
}

/* Is the draft as it was saved, names and all? */
export function isUnchanged(draft: Draft, saved: FunnelDefinition): boolean {
  return JSON.stringify(definitionOf(draft)) === JSON.stringify(whole(saved));
}
