/* What the form offers: the site's event names and attributes, and the names that are taken. */
import { api } from "../api";
import type { Attribute, Site } from "../api-types";

const EVENT_NAMES_MAX = 500;

export interface Names {
  sent: string[];
  attributes: Attribute[];
  taken: string[];
}

export async function loadNames(site: Site, signal: AbortSignal): Promise<Names> {
  const [events, attributes, all] = await Promise.all([
    api.values(site.name, "event", "", EVENT_NAMES_MAX, signal),
    api.attributes(site.name),
    api.funnels(site.name, signal),
  ]);
  return { sent: events.map((one) => one.value), attributes, taken: all.map((one) => one.name) };
}
