/* Words of a site's settings. */
import { n, plural } from "./numbers";

export const words = {
  title: "Settings",
  of: (site: string) => `Settings of ${site}`,
  lead: "What is changed here holds from now on, for all who look at this site.",
  readOnly: "You can look at these settings; editors and owners of this site change them.",
  sections: "Sections of the settings",
  save: "Save",
  saving: "Saving…",
  saved: "Saved",
  undo: "Undo",
  unsaved: "Not saved yet",
  tagChanged: "The snippet has changed with this. Paste it anew into your pages:",

  snippet: {
    title: "Snippet",
    lead: "Paste it into every page, just before </head>. Page views then come by themselves.",
    label: "Snippet for your pages",
    guides: "Beyond page views",
    guide: "A sale, on the page that says thank you; opening that page again counts nothing twice:",
    guideLabel: "A sale",
    diagnosis: "Diagnosis",
    good: "All right",
    problem: "To mend",
    note: "Good to know",
    receiving: (age: string, count: number) =>
      `Events arrive: ${plural(count, "event", "events")} so far, the last one ${age} ago.`,
    quiet: (age: string) =>
      `Nothing has arrived for ${age}. Is the snippet still in the pages, and does the collector run?`,
    nothing: "No event has arrived yet. This page notices the first one by itself.",
    localCollector: (host: string) =>
      `The snippet loads from ${host}, which is a different machine for each of your visitors. Start Corong with --collector-url and the address that browsers see.`,
    plainHttp: (origin: string) =>
      `The snippet loads over plain http (${origin}); pages that are served over https will not load it.`,
    otherHost: (host: string, domain: string) =>
      `The collector is on ${host}, not under ${domain}: no cookie can be set there, and Safari forgets visitors after seven days away. A host such as stats.${domain} is better.`,
    consent:
      "Nothing is sent before your page calls corong('consent', true): consent is required below.",
    gpcHere:
      "The browser that you are using says Global Privacy Control, which this site respects: your own visits leave no trace. Try with another one.",
    dntHere:
      "The browser that you are using says Do Not Track, which this site respects: your own visits leave no trace. Try with another one.",
    ifNothing: "If nothing arrives: what to look at, in this order",
    checks: (origin: string, script: string, domain: string): [string, string][] => [
      [
        "Script not found",
        `Open your page, then the browser's developer tools (F12), tab Network, and look for ${script}. Missing: the snippet is not in the page that was delivered (a cache?). Red with 404: the address is wrong. Blocked: an ad blocker; Corong can serve it under a name of its own (settings snippet-path and beacon-path).`,
      ],
      [
        "Blocked by a Content Security Policy",
        `The tab Console says so. Add ${origin} to script-src and to connect-src.`,
      ],
      [
        "Wrong site",
        `data-site in the page must be this site's key, and its pages those of ${domain}.`,
      ],
      [
        "Your own traffic",
        "A browser that once opened a page with ?corong=off is left out. ?corong=on takes it back in.",
      ],
      [
        "A bot",
        "Browsers that are driven by a program are counted as bots, and reports leave bots out.",
      ],
      [
        "Refused with a reason",
        "The answer to the beacon says why in its header X-Corong-Reason, and `corong site refused SITE` lists what was refused in the last hour.",
      ],
    ],
  },

  site: {
    title: "Site",
    lead: "Days are the site's days, whoever looks. A change of the time zone redraws the past too: reports are made of events, not of counters.",
    domain: "Domain",
    domainHint: "The main host of its pages, as shop.example.",
    hosts: "Further hosts",
    hostsHint: "Other hosts whose pages are this site's, one a line. A link from one to the other is no new visit.",
    timezone: "Time zone",
    timezoneHint: (now: string) => `It is ${now} there.`,
    currency: "Currency",
    currencyHint: "For values that come without one. What has arrived keeps what it has.",
    noCurrency: "none",
    firstDay: "A week begins on",
    days: { monday: "Monday", saturday: "Saturday", sunday: "Sunday" },
    funnel: "The site's chosen funnel",
    funnelHint: "The one that the overview, sources and journeys show.",
    noFunnel: "none: the first that ends with a sale",
  },

  sources: {
    title: "Where visits come from",
    lead: "Hosts that are on the way and bring nobody: payment providers, sign-in services. A visit that comes back from one keeps the driver that it had.",
    ignored: "Ignored referrers",
    ignoredHint:
      "Hosts as pay.example, with all below them, one a line, at most 50. Corong knows some 250 common ones by itself. It holds for events to come.",
  },

  groups: {
    title: "Page groups",
    lead: "Names for groups of pages. The first group that fits a path has it. Groups hold for the past too, as soon as they are saved.",
    name: "Name of group",
    globs: "Paths of group",
    hint: "/p/** is everything below /p/; * stands for anything between two slashes. Several with spaces between.",
    add: "Add a group",
    remove: (name: string) => `Remove group ${name}`,
    up: (name: string) => `Move group ${name} up`,
    none: "No page group yet.",
    fits: (paths: number, of: number, events: number) =>
      `${n(paths)} of the ${n(of)} most frequent paths, ${plural(events, "event", "events")}`,
    suggested: "Suggested by what arrived:",
    suggestion: (glob: string, events: number) => `${glob} (${plural(events, "event", "events")})`,
    incomplete: "Each group needs a name and at least one path.",
  },

  privacy: {
    title: "Visitors and their wishes",
    lead: "Whether you need consent at all is for your law, not for this page.",
    identity: "How a visitor is known again",
    identities: {
      first_party: [
        "By an id in the browser",
        "A random number in the browser's storage and in a cookie of your own domain, for 13 months at most.",
      ],
      cookieless: [
        "Without storing anything",
        "A hash whose key is thrown away every day: the same person is another visitor tomorrow, so journeys and drivers end at midnight UTC.",
      ],
    } as Record<string, [string, string]>,
    consent: "Consent",
    consents: {
      none: ["Not asked for", "Pages are counted as they are opened."],
      required: [
        "Required",
        "Nothing is stored or sent before your banner calls corong('consent', true).",
      ],
    } as Record<string, [string, string]>,
    signals: "What browsers ask for",
    gpc: "Respect Global Privacy Control",
    gpcHint: "It has the force of law in several places. Who sends it leaves no trace.",
    dnt: "Respect Do Not Track",
    dntHint: "It has no such force, and most browsers have given it up.",
  },

  bots: {
    title: "Bots and limits",
    lead: "Bots are stored and flagged, and left out unless asked for. Limits hold for what browsers send, not for your servers or imports.",
    label: "This site's figures",
    choices: {
      exclude: "leave bots out",
      include: "count bots too",
      only: "count bots only",
    } as Record<string, string>,
    maxAge: "How late an event may come, hours",
    maxAgeHint: "A browser that was offline sends later. What is older is refused as too_old.",
    maxEvents: "Events of one visitor a day",
    maxEventsHint: "More are refused as too_many.",
  },

  retention: {
    title: "How long events are kept",
    lead: "What is older leaves every answer at once, and is then deleted for good.",
    forever: "For ever",
    limited: "No longer than",
    count: "How many",
    unit: "Unit",
    months: "months",
    days: "days",
    confirmTitle: "Keep less?",
    confirm: (old: string, next: string, before: string) =>
      `Events are kept ${old}. With ${next}, those before ${before} leave every figure now. Their files are deleted within minutes; only a backup brings them back.`,
    confirmYes: "Delete what is older",
    inWords: (count: number, unit: "mo" | "d") =>
      unit === "mo" ? plural(count, "month", "months") : plural(count, "day", "days"),
    foreverWords: "for ever",
  },

  people: {
    title: "What viewers see",
    lead: "Owners and editors always see everything of the site.",
    journeys: "Viewers may look at single visitors",
    journeysHint: "Their journeys and the ids that the site knows them by.",
  },
};
