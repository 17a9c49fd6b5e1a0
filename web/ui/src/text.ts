/* Every word the dashboard says: one catalogue, so that it can become one of several languages. A
 * screen's own words are in words/, a section each; this file puts them together. */
import type { Preset, StageKind } from "./api-types";
import { LOCALE, n, plural, visitors } from "./words/numbers";
import { dropoff } from "./words/dropoff";
import { editor, templates } from "./words/editor";
import { overview } from "./words/overview";
import { charts, report } from "./words/report";
import { access, ask, screens } from "./words/shell";

export { LOCALE };

const operators: Record<string, string> = {
  is: "is",
  is_not: "is not",
  contains: "contains",
  not_contains: "does not contain",
  starts_with: "starts with",
  ends_with: "ends with",
  glob: "matches the pattern",
  regex: "matches the regular expression",
  set: "is given",
  not_set: "is not given",
  eq: "=",
  ne: "≠",
  lt: "<",
  le: "≤",
  gt: ">",
  ge: "≥",
  between: "is between",
};

const kinds: Record<StageKind, string> = {
  trace: "Trace",
  response: "Response",
  engagement: "Engagement",
  sale: "Sale",
  custom: "Other",
};

const presets: Record<Preset, { name: string; explains: string }> = {
  open: {
    name: "Open",
    explains: "People may come in anywhere and skip anything.",
  },
  closed: {
    name: "From the top",
    explains: "People must come in at the first stage, but may skip later ones.",
  },
  sequential: {
    name: "Every stage in order",
    explains: "Nobody may skip: what most products call a funnel.",
  },
};

export const text = {
  product: "Corong",
  noCurrency: "(no currency given)",
  units: { atOnce: "at once", ms: "ms", s: "s", min: "min", h: "h", d: "d" },
  visitors,
  screens,
  access,
  ask,
  charts,
  overview,
  dropoff,

  common: {
    loading: "Loading…",
    retry: "Try again",
    cancel: "Cancel",
    copy: "Copy",
    copied: "Copied",
    remove: "Remove",
    skipToContent: "Skip to the content",
    unreachable: "Corong's server does not answer. Is it running?",
    unexpected: "That did not work",
    notFound: "There is nothing at this address.",
    backToSites: "Back to your sites",
    breadcrumb: "Where you are",
    opensElsewhere: "(opens in a new tab)",
  },

  account: {
    signOut: "Sign out",
    signInTitle: "Sign in",
    email: "E-mail address",
    password: "Password",
    passwordHint: "At least 10 characters. A sentence is easier to keep than a riddle.",
    signIn: "Sign in",
    wrong: "This e-mail address and password do not belong together.",
    tooMany: (seconds: number | null) =>
      seconds === null
        ? "Too many attempts. Wait a little, then try again."
        : `Too many attempts. Try again in ${seconds < 90 ? `${n(seconds)} seconds` : `${n(Math.ceil(seconds / 60))} minutes`}.`,
    setupTitle: "Create the first account",
    setupLead:
      "Nobody has an account here yet. The one you create now owns this Corong and can add sites.",
    setupButton: "Create the account",
    setupBadToken:
      "This link is not valid (any more). The command that started Corong printed the current one; `corong user link` prints a new one.",
    setupNoToken:
      "To create the first account, open the one-time link that Corong printed when it started.",
    setupDone: "An account exists already. Sign in with it.",
    insecureTitle: "This page needs https",
    insecureLead:
      "You opened Corong over plain http from another machine. Anyone on the network between could read your password and your visitors' journeys, so signing in is switched off here.",
    insecureWays: [
      "Put a web server that speaks https in front of it. Corong comes with a configuration for nginx and for Caddy (folder deploy/).",
      "Or forward the port over ssh and open it as localhost:",
      "Or, on a network that you trust entirely, start it with",
    ],
    insecureSsh: "ssh -L 8000:localhost:8000 your-server",
    insecureFlag: "corong up --insecure-http",
  },

  sites: {
    title: "Sites",
    lead: "A site is counted on its own: its own snippet, time zone, currency and funnels.",
    none: "No site yet. Name the first one: you get a snippet to paste into its pages, see the first event arrive, and have a funnel within minutes.",
    noneYours: "No site is shared with you yet. Whoever runs this Corong can invite you to one.",
    add: "Add a site",
    addTitle: "Add a site",
    name: "Name",
    nameHint: "Letters, digits, - and _: shop",
    domain: "Domain",
    domainHint: "shop.example",
    timezone: "Time zone",
    timezoneHint: "A day begins at midnight there.",
    currency: "Currency",
    noCurrency: "none",
    currencyHint: "For values that come without one.",
    create: "Add the site",
    events: (count: number) => plural(count, "event", "events"),
    noEvents: "no events yet",
    since: (moment: string) => `since ${moment}`,
    lastEvent: (moment: string) => `last ${moment}`,
    demo: "demonstration",
    choose: "choose…",
  },

  site: {
    funnels: "Funnels",
    noFunnels: "No funnel yet. Begin with a template; every stage can be changed.",
    newFunnel: "New funnel",
    demoTitle: "This is a demonstration",
    demoLead:
      "Its traffic was generated. Click through the shop up to the sale and watch a funnel's report: you will be in it within seconds.",
    openShop: "Open the demonstration shop",
    stages: (count: number) => plural(count, "stage", "stages"),
    edit: "Edit",
    ofEntered: (converted: number, entered: number) => `${n(converted)} of ${n(entered)}`,
    noFigures: "no figures: ",
    edited: (moment: string) => `edited ${moment}`,
    within: (window: string) => `${window} to convert`,
    timezone: (zone: string) => `Days in ${zone}`,
  },

  kinds,
  presets,

  report: {
    edit: "Edit funnel",
    definition: {
      allTime: "Visitors whose first stage was at any time",
      since: (from: string) => `Visitors whose first stage was on ${from} or later`,
      upTo: (until: string) => `Visitors whose first stage was on ${until} or before`,
      between: (from: string, until: string) =>
        from === until
          ? `Visitors whose first stage was on ${from}`
          : `Visitors whose first stage was from ${from} to ${until}`,
      window: (window: string) => `${window} to convert`,
      bots: { exclude: "bots left out", include: "bots counted too", only: "bots only" },
      only: (filters: string) => `only ${filters}`,
      zone: (zone: string) => `days in ${zone}`,
      exclusions: (count: number) => plural(count, "exclusion", "exclusions"),
    },
    stagesInWords: "What each stage means",
    required: "required",
    exclusionInWords: (from: string, to: string) => `Ends a path between ${from} and ${to}`,
    presetsLabel: "How strictly the order is taken: how many converted",
    presetOf: (converted: number, entered: number) => `${n(converted)} of ${n(entered)} who entered`,
    drawingTitle: "The funnel",
    drawFrom: "Draw from",
    stageNumber: (number: number, name: string) => `${number}. ${name}`,
    cut: (name: string) =>
      `${name} is cut where the break is: drawn in full, it would leave nothing to see of the rest.`,
    noOne: "No visitor came into this funnel in this range.",
    noOneHint: "Widen the date range, or check in the editor that the stages match what the site sends.",
    live: (time: string) => `Live, ${time}`,
    asOf: (time: string) => `As of ${time}`,
    stale: (time: string) => `Not refreshed since ${time}. Trying again.`,
    leftOut: (bots: number) => `${plural(bots, "event", "events")} of bots left out`,
    read: (events: number, ms: string) => `${plural(events, "event", "events")} read in ${ms}`,
    legend: {
      reached: "came through here",
      skipped: "skipped",
      onward: "went straight on",
      skip: "went on, skipping stages",
      lost: "left",
      open: "still under way",
      other: "other moves",
      entry: "came in here",
      before: "the time before",
    },
    ...report,
  },

  drawing: {
    label: (stages: number, entered: number) =>
      `Drawing of the funnel: ${stages} stages, ${visitors(entered)} entered. The same figures are in the table below.`,
    gotThisFar: "got this far",
    ofAll: (share: string) => `${share} of all`,
    cameThrough: (count: number) => `${n(count)} came through`,
    skipped: (count: number) => `${n(count)} skipped`,
    before: (count: number, change: string) => `${n(count)} before${change === "" ? "" : `, ${change}`}`,
    same: "the same",
    left: (count: number) => `${n(count)} left`,
    stillOpen: (count: number) => `${n(count)} still under way`,
    shareOf: (share: string, whole: number) => `${share} of ${n(whole)}`,
    column: (name: string, throughput: number, reached: number, skipped: number) =>
      `${name}: ${n(throughput)} got this far, of which ${n(reached)} came through here and ${n(skipped)} skipped it`,
    move: (count: number, from: string, to: string, skipped: string[]) =>
      `${visitors(count)} went from ${from} straight to ${to}${skipping(skipped)}`,
    entry: (count: number, to: string, skipped: string[]) =>
      `${visitors(count)} came in at ${to}${skipping(skipped)}`,
    others: (count: number, moves: number) => `Other moves: ${visitors(count)} on ${n(moves)} rarer ways`,
    exit: (count: number, name: string, share: string, whole: number) =>
      `${n(count)} left after ${name}: ${share} of the ${n(whole)} who got this far`,
    stillOpenAfter: (count: number, name: string) =>
      `${n(count)} went no further than ${name} so far and are still under way`,
    hint: "Point at a band or a column, or move through them with Tab, to read its figures.",
  },

  card: {
    gotThisFar: "got this far",
    ofAll: (share: string) => `(${share} of all)`,
    cameThrough: "came through here",
    skippedIt: "skipped it",
    cameIn: "came in here",
    wentOn: "went on",
    ofThroughHere: (share: string) => `(${share} of those who came through)`,
    ofThese: "of those who came through,",
    bought: (share: string) => `bought (${share})`,
    reachedLast: (last: string, share: string) => `reached ${last} (${share})`,
    left: "left",
    ofThisFar: (share: string) => `(${share} of those who got this far)`,
    stillOpen: (count: number) => `of which ${n(count)} still under way`,
    ofStageBefore: (share: string, whole: number, name: string) =>
      `${share} of the ${n(whole)} who got as far as ${name}`,
    fromPrevious: "from the stage before",
    fromStart: "since their first stage",
    median: (time: string) => `median ${time}`,
    nineInTen: (time: string) => `nine in ten within ${time}`,
    noTime: "nobody came here from an earlier stage",
    seen: "did this at all",
    seenHint: "in any order, on a path or not",
    value: "value of their events here",
  },

  table: {
    title: "All figures",
    caption: "Each stage's figures",
    stage: "Stage",
    throughput: "Got this far",
    ofAll: "of all",
    ofPrevious: "of the stage before",
    reached: "Came through",
    skipped: "Skipped",
    entries: "Came in here",
    onward: "Went on",
    left: "Left",
    converted: "Converted",
    ofReached: "of came through",
    seen: "Did this at all",
    value: "Value",
    movesCaption: "Moves: how many went straight from the stage of the row to the stage of the column",
    movesFrom: "From",
    movesEntry: "Came in",
    movesLeft: "Left there",
    movesConverted: "Done",
    total: "Total",
    movesNote:
      "Each row adds up to those who came through its stage, and so does each column. Amber: stages were skipped on the way.",
    timeCaption:
      "Time of those who came through the stage and began at an earlier one: half of them within the median, nine in ten within the next column",
    timePrevious: "From the stage before",
    timeStart: "Since their first stage",
    p50: "Median",
    p90: "Nine in ten",
    mean: "Mean",
    timeDrawing: "From the stage before: median to nine in ten, on a scale where each step is longer than the last",
  },

  rule: {
    operators,
    operatorName: (op: string) => operators[op] ?? op,
    and: " and ",
    or: " or ",
    not: (inner: string) => `not (${inner})`,
    attributes: {
      event: "event",
      url: "address",
      host: "host",
      path: "path",
      query: "query",
      title: "page title",
      order: "order",
      product: "product",
      category: "category",
      quantity: "quantity",
      value: "value",
      currency: "currency",
      engaged_ms: "engaged time (ms)",
      scroll_pct: "scrolled (%)",
      load_ms: "load time (ms)",
      click_id: "click id",
      continent: "continent",
      country: "country",
      region: "region",
      city: "city",
      device: "device",
      browser: "browser",
      os: "operating system",
      language: "language",
      bot: "bot",
      channel: "channel",
      source: "source",
      medium: "medium",
      campaign: "campaign",
      content: "content",
      keyword: "keyword",
      referrer: "referrer",
      landing: "landing page",
    } as Record<string, string>,
    classes: {
      event: "What happened",
      surroundings: "Where and with what",
      driver: "What brought the visitor",
    },
  },

  editor,
  templates,
};

function skipping(names: string[]): string {
  return names.length === 0 ? "" : `, skipping ${names.join(", ")}`;
}
