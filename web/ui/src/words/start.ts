/* Words of a site's beginning: from its name to its first funnel. */
import { plural } from "./numbers";

export const words = {
  title: (site: string) => `Set up ${site}`,
  lead: "Four steps, some minutes. This page notices by itself what has been done.",
  steps: "Steps",
  done: "done",
  named: "Name the site",
  namedAs: (name: string, domain: string, zone: string) => `${name}, ${domain}, days in ${zone}`,
  snippet: "Paste the snippet into your pages",
  snippetLead: "Into every page, just before </head>: in the template or theme that all pages share.",
  snippetLabel: "Snippet for your pages",
  secret: "Secret key for your servers",
  secretLead:
    "Shown only this once; you need it only where your servers send events themselves. Keep it out of pages and repositories. A new one can be made under Settings, Keys.",
  first: "Watch the first event arrive",
  waiting: "Waiting. Now open one of your pages in another window.",
  arrived: (count: number) => `${plural(count, "event has", "events have")} arrived.`,
  arrivedFirst: (event: string, where: string) => `The newest: ${event}${where === "" ? "" : ` on ${where}`}.`,
  watch: "Watch them live",
  funnel: "Choose a template for the first funnel",
  funnelLead: "Every stage can be changed later; nothing is lost by a choice, funnels are counted from what arrived.",
  funnelLater: "The templates take the names of events that have arrived, so they follow the first one.",
  blank: "Or begin with an empty one",
  notYours: "Nothing has arrived for this site yet. Its editors and owners set it up.",
  noFunnel: "This site has no funnel yet. Its editors and owners make them.",
};
