/* Funnels to begin with. A template knows the names under which sites commonly send an event; what
 * the site really sent decides which of them its rule takes. */
import type { FunnelDefinition, Rule, StageKind } from "../api-types";
import { text } from "../text";
import { words } from "../words/editor";
import { STAGES_MAX, type NewStage } from "./model";

export type TemplateId = keyof typeof words.templates;

interface TemplateStage {
  kind: StageKind;
  /* event names that mean this, the most usual first */
  events?: string[];
  rule?: Rule;
}

export interface Template {
  id: TemplateId;
  window: string;
  stages: TemplateStage[];
}

const PAGE = ["pageview", "page_viewed", "page_view"];
const CART = ["add_to_cart", "product_added_to_cart", "added_to_cart", "AddToCart"];
const CHECKOUT = ["checkout", "checkout_started", "begin_checkout", "InitiateCheckout"];
const SIGN_UP = ["sign_up", "signup", "registered"];
const SALE = ["sale", "purchase", "checkout_completed", "order_completed", "Purchase"];

/* stands for the event that the site sends for a page */
const PAGEVIEW: Rule = { attribute: "event", op: "is", values: PAGE.slice(0, 1) };

export const TEMPLATES: Template[] = [
  {
    id: "shop",
    window: "7d",
    stages: [
      { kind: "trace", events: PAGE },
      { kind: "engagement", events: CART },
      { kind: "engagement", events: CHECKOUT },
      { kind: "sale", events: SALE },
    ],
  },
  {
    id: "campaign",
    window: "30d",
    stages: [
      { kind: "trace", rule: { attribute: "campaign", op: "set" } },
      { kind: "response", events: PAGE },
      { kind: "engagement", events: CART },
      { kind: "sale", events: SALE },
    ],
  },
  {
    id: "lead",
    window: "7d",
    stages: [
      { kind: "trace", events: PAGE },
      { kind: "engagement", events: ["form_start", "form_started", "form_begun"] },
      { kind: "sale", events: ["form_submit", "form_submitted", "generate_lead", "lead"] },
    ],
  },
  {
    id: "trial",
    window: "30d",
    stages: [
      { kind: "trace", events: PAGE },
      { kind: "response", events: SIGN_UP },
      { kind: "engagement", events: ["first_use", "activated", "activate"] },
      { kind: "sale", events: [...SALE, "subscribe", "subscription_started"] },
    ],
  },
  {
    id: "content",
    window: "30d",
    stages: [
      { kind: "trace", rule: { attribute: "entrance", op: "is", values: ["true"] } },
      { kind: "engagement", rule: { attribute: "engaged_ms", op: "ge", values: [30_000] } },
      {
        kind: "response",
        rule: {
          all: [
            PAGEVIEW,
            { attribute: "entrance", op: "is", values: ["false"] },
          ],
        },
      },
      { kind: "sale", events: ["newsletter_signup", "subscribe", "email_submitted", ...SIGN_UP] },
    ],
  },
  {
    id: "second",
    window: "90d",
    /* of the same rule: the second one needs a purchase of its own */
    stages: [
      { kind: "trace", events: PAGE },
      { kind: "sale", events: SALE },
      { kind: "sale", events: SALE },
    ],
  },
  { id: "blank", window: "7d", stages: [{ kind: "custom", events: [] }, { kind: "custom", events: [] }] },
];

/* The candidates that the site sent; the most usual name where it sent none of them. */
function eventRule(candidates: string[], sent: Set<string>): Rule {
  const found = candidates.filter((name) => sent.has(name));
  const values = found.length > 0 ? found : candidates.slice(0, 1);
  return { attribute: "event", op: "is", values };
}

function withSent(rule: Rule, sent: Set<string>): Rule {
  if (rule === PAGEVIEW) return eventRule(PAGE, sent);
  return "all" in rule ? { all: rule.all.map((member) => withSent(member, sent)) } : rule;
}

export function fromTemplate(template: Template, name: string, sent: string[]): FunnelDefinition {
  const names = words.templates[template.id].stages;
  const known = new Set(sent);
  return {
    name,
    preset: "open",
    window: template.window,
    stages: template.stages.map((stage, index) => ({
      name: names[index] ?? words.newStage(index + 1),
      kind: stage.kind,
      rule: stage.rule === undefined ? eventRule(stage.events ?? [], known) : withSent(stage.rule, known),
    })),
  };
}

/* What a stage of a kind usually counts, in the site's own event names. */
export function stageOfKind(kind: StageKind, number: number, sent: string[]): NewStage {
  const known = new Set(sent);
  const rules: Record<StageKind, Rule> = {
    trace: { attribute: "entrance", op: "is", values: ["true"] },
    response: eventRule(PAGE, known),
    engagement: { any: [eventRule(CART, known), { attribute: "engaged_ms", op: "ge", values: [30_000] }] },
    sale: eventRule(SALE, known),
    custom: { attribute: "event", op: "is", values: [] },
  };
  return { kind, name: kind === "custom" ? words.newStage(number) : text.kinds[kind], rule: rules[kind] };
}

/* Did somebody choose the name, or does it stand there by itself? */
export function isChosenName(name: string): boolean {
  const numbers = Array.from({ length: STAGES_MAX }, (_, index) => words.newStage(index + 1));
  return name.trim() !== "" && !numbers.includes(name) && !Object.values(text.kinds).includes(name);
}

/* "Shop", or "Shop 2" where that is taken, and so on. */
export function freeName(wanted: string, taken: string[]): string {
  if (!taken.includes(wanted)) return wanted;
  let number = 2;
  while (taken.includes(`${wanted} ${number}`)) number++;
  return `${wanted} ${number}`;
}
