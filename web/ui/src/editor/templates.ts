/* Funnels to begin with. A template knows the names under which sites commonly send an event; what
 * the site really sent decides which of them its rule takes. */
import type { FunnelDefinition, Rule, StageKind } from "../api-types";
import { text } from "../text";

export type TemplateId = keyof typeof text.templates;

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
const SALE = ["sale", "purchase", "checkout_completed", "order_completed", "Purchase"];

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
      { kind: "response", events: ["sign_up", "signup", "registered"] },
      { kind: "engagement", events: ["first_use", "activated", "activate"] },
      { kind: "sale", events: [...SALE, "subscribe", "subscription_started"] },
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

export function fromTemplate(template: Template, name: string, sent: string[]): FunnelDefinition {
  const names = text.templates[template.id].stages;
  const known = new Set(sent);
  return {
    name,
    preset: "open",
    window: template.window,
    stages: template.stages.map((stage, index) => ({
      name: names[index] ?? text.editor.newStage(index + 1),
      kind: stage.kind,
      rule: stage.rule ?? eventRule(stage.events ?? [], known),
    })),
  };
}

/* "Shop", or "Shop 2" where that is taken, and so on. */
export function freeName(wanted: string, taken: string[]): string {
  if (!taken.includes(wanted)) return wanted;
  let number = 2;
  while (taken.includes(`${wanted} ${number}`)) number++;
  return `${wanted} ${number}`;
}
