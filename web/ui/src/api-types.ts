/* The shapes of the dashboard's HTTP API, mirroring web/api/openapi.json.
 *
 * Names are those of the wire. A rate is null where its divisor is 0. Money is a decimal text per
 * currency ("" where none was given). Times are RFC 3339, dates YYYY-MM-DD in the site's time zone.
 */

export interface ErrorBody {
  error: { code: string; message: string; field?: string | null };
}

export interface Session {
  account: { email: string; role: string } | null;
  setup: boolean;
  insecure: boolean;
  demo: { shop: string } | null;
  /* whom the place database asks to be named */
  places: { name: string; url: string } | null;
  version: string;
}

export interface Site {
  name: string;
  domain: string;
  timezone: string;
  currency: string;
  key: string;
  snippet: string;
  events: number;
  first_event: string | null;
  last_event: string | null;
  demo: boolean;
  identity: "first_party" | "cookieless";
  consent: "none" | "required";
  gpc: "ignore" | "respect";
  dnt: "ignore" | "respect";
  retention: string;
  hosts: string[];
  ignored_referrers: string[];
  page_groups: PageGroup[];
  first_day_of_week: "monday" | "saturday" | "sunday";
  bots: Bots;
  viewer_journeys: "no" | "yes";
  /* name of the saved funnel that the overview shows, "" for none */
  funnel: string;
  max_age_ms: number;
  max_events_per_visitor_day: number;
  /* of whoever asks */
  role: Role;
  may_see_visitors: boolean;
}

export type Role = "owner" | "editor" | "viewer";

export type Bots = "exclude" | "include" | "only";

/* Of its globs one must cover the whole path: * is any run without /, ** any run. */
export interface PageGroup {
  name: string;
  globs: string[];
}

/* An event as it would be imported. */
export interface StoredEvent {
  visitor: string;
  time: string;
  event: string;
  properties?: Record<string, string>;
  [attribute: string]: unknown;
}

/* Why an event that matches a stage counts for it, or why not. */
export interface Why {
  stage: number;
  reason: string;
  by_ms?: number;
  other_stage?: number;
}

export interface JourneyEvent {
  event: StoredEvent;
  /* with a funnel: those whose rule it matches, and of each why it counts or not */
  stages?: number[];
  why?: Why[];
}

export interface JourneySession {
  start: string;
  is_whole: boolean;
  channel: string;
  source: string | null;
  medium: string | null;
  campaign: string | null;
  content: string | null;
  keyword: string | null;
  referrer: string | null;
  landing: string | null;
  events: JourneyEvent[];
}

export interface JourneyRequest extends Scope {
  visitor: string;
  funnel?: FunnelDefinition | string;
  limit?: number;
}

export interface Journey extends Answered {
  visitor: string;
  ids: string[];
  /* events in the range, these and earlier ones */
  n: number;
  sessions: JourneySession[];
  /* with a funnel: what it counts, stages and epoch ms */
  paths?: { session?: string; path: [number, number][] }[];
  left_out_events?: { event: StoredEvent; reason: string }[];
}

export interface LiveEvent {
  /* the same in every answer */
  key: string;
  /* null where a viewer may not see visitors */
  visitor: string | null;
  bot: boolean;
  event: StoredEvent;
  channel: string | null;
  source: string | null;
  medium: string | null;
  campaign: string | null;
  keyword: string | null;
  is_entrance: boolean;
  /* with a funnel: those whose rule it matches; the deepest of the visitor's counted path */
  stages?: number[];
  reached?: number | null;
}

export interface LiveAnswer {
  as_of: string;
  /* time of the newest event */
  newest: string | null;
  stored: string | null;
  /* of the last five minutes, bots left out */
  visitors: number;
  events_per_minute: number;
  cursor: string | null;
  /* the latest first */
  events: LiveEvent[];
}

export interface SearchRequest extends Scope {
  id?: string;
  order?: string;
  funnel?: FunnelDefinition | string;
  figure?: Figure;
  stage?: number;
  cursor?: string;
  limit?: number;
}

export interface FoundVisitor {
  visitor: string;
  ids: string[];
  first: string;
  last: string;
  /* with a funnel: at which the path ends; null: there is none */
  stage?: number | null;
  channel: string | null;
  source: string | null;
  medium: string | null;
  campaign: string | null;
  keyword: string | null;
  country: string | null;
  region: string | null;
  city: string | null;
  device: string | null;
  sessions: number;
  events: number;
  orders: number;
  value: Money;
  engaged_ms: number;
}

export interface Search extends Answered {
  n: number;
  visitors: FoundVisitor[];
  cursor: string | null;
}

/* What can be changed of a site; what is left out stays as it is. */
export type SiteChange = Partial<
  Omit<
    Site,
    | "name"
    | "key"
    | "snippet"
    | "events"
    | "first_event"
    | "last_event"
    | "demo"
    | "role"
    | "may_see_visitors"
  >
>;

export interface NewSite {
  name: string;
  domain: string;
  timezone: string;
  currency: string;
}

export interface CreatedSite extends Site {
  secret_key: string;
}

export type AttributeClass = "event" | "surroundings" | "driver";
export type AttributeType = "text" | "number" | "flag";

export interface Attribute {
  name: string;
  class: AttributeClass;
  type: AttributeType;
  seen: number;
}

export interface AttributeValue {
  value: string;
  events: number;
}

export type Preset = "open" | "closed" | "sequential";
export type StageKind = "trace" | "response" | "engagement" | "sale" | "custom";

export interface Condition {
  attribute: string;
  op: string;
  values?: (string | number)[];
  ignore_case?: boolean;
}

export type Rule = { all: Rule[] } | { any: Rule[] } | { not: Rule } | Condition;

export interface StageDefinition {
  name: string;
  kind?: StageKind;
  required?: boolean;
  rule: Rule;
}

export interface Exclusion {
  rule: Rule;
  from?: number;
  to?: number;
}

export interface FunnelDefinition {
  name: string;
  preset?: Preset;
  window?: string;
  count?: "visitors" | "sessions";
  stages: StageDefinition[];
  exclusions?: Exclusion[];
}

export interface SavedFunnel {
  name: string;
  version: number;
  updated: string;
  /* an e-mail address, "key 3", or "": a command */
  author: string;
  note: string;
  definition: FunnelDefinition;
}

export interface FunnelVersion {
  version: number;
  saved: string;
  author: string;
  note: string;
}

export interface SavedFilter {
  name: string;
  updated: string;
  author: string;
  filters: Filter[];
}

export type Money = Record<string, string>;

export interface Spread {
  p50: number;
  p90: number;
  mean: number;
}

export interface StageFigures {
  name: string;
  kind: StageKind;
  required: boolean;
  reached: number;
  skipped: number;
  throughput: number;
  entries: number;
  exits: number;
  dropoff: number | null;
  open: number | null;
  onward: number;
  rate_onward: number | null;
  converted: number;
  rate_converted: number | null;
  rate_from_first: number | null;
  rate_from_previous: number | null;
  seen: number;
  /* not with "figures":"counts" */
  seen_value?: Money;
  value?: Money;
  time_from_previous_ms?: Spread | null;
  time_from_start_ms?: Spread | null;
}

/* [from, to, paths]; from is 0 for entry, stages count from 1. */
export type Move = [number, number, number];

export interface PresetFigures {
  entered: number;
  converted: number;
  conversion_rate: number | null;
}

export interface Warning {
  code: string;
  message: string;
  share?: number;
}

export type RowStageFigures = Omit<StageFigures, "seen" | "seen_value">;

export type StageCounts = Pick<
  StageFigures,
  | "reached"
  | "skipped"
  | "throughput"
  | "entries"
  | "exits"
  | "dropoff"
  | "open"
  | "onward"
  | "converted"
  | "seen"
>;

/* `values` of each attribute, null where it is absent; or `other`: all other rows. */
export interface BreakdownRow {
  values?: (string | null)[];
  other?: true;
  entered: number;
  converted: number;
  stages: RowStageFigures[];
}

export interface TrendPoint {
  start: string;
  entered: number;
  converted: number;
  stages: StageCounts[];
}

/* What a report and the one that it is compared with both have. */
export interface RangeFigures {
  entered: number;
  converted: number;
  conversion_rate: number | null;
  began_before: number;
  after_range: number;
  stages: StageFigures[];
  moves: Move[];
  breakdown?: BreakdownRow[];
}

export interface Compared extends RangeFigures {
  from: string;
  to: string;
  as_of: string;
}

export interface Report extends RangeFigures {
  trend?: TrendPoint[];
  compare?: Compared;
  left_out: { bots: number };
  warnings: Warning[];
  as_of: string;
  snapshot: string;
  events_read: number;
  elapsed_ms: number;
  funnel: FunnelDefinition;
  from: string | null;
  to: string | null;
  timezone: string;
  range: { first: string | null; last: string | null };
  presets: Record<Preset, PresetFigures>;
}

export type At = "entry" | "first" | "last" | number;

export interface Filter {
  rule: Rule;
  at?: At | "any" | "none" | "every" | `visit:${number}`;
}

export interface Breakdown {
  attribute: string;
  at?: At;
  bins?: (number | string)[];
}

export type Compare = "previous" | { from?: string; to?: string; age?: "equal" | "full" };

export type Figure =
  | "entered"
  | "began_before"
  | "after_range"
  | "converted"
  | "reached"
  | "skipped"
  | "throughput"
  | "entries"
  | "exits"
  | "dropoff"
  | "lost"
  | "open"
  | "onward"
  | "seen";

export interface ReportRequest {
  funnel: FunnelDefinition | string;
  from?: string | null;
  to?: string | null;
  timezone?: string;
  as_of?: string;
  bots?: "exclude" | "include" | "only";
  filters?: Filter[];
  breakdown?: Breakdown[];
  limit?: number;
  trend?: "day" | "week" | "month" | null;
  compare?: Compare | null;
  figures?: "all" | "counts";
  query_id?: string;
}

export interface VisitorListRequest extends ReportRequest {
  figure: Figure;
  stage?: number | null;
  snapshot?: string | null;
  cursor?: string | null;
}

export interface VisitorList {
  figure: Figure;
  stage: number | null;
  n: number;
  visitors: { visitor: string; session?: string; path: [number, number][] }[];
  cursor: string | null;
  snapshot: string;
  as_of: string;
  snapshot_gone: boolean;
  report?: Report;
}

/* What an answer to a question about events says of itself. */
export interface Answered {
  from: string | null;
  to: string | null;
  timezone: string;
  left_out: { bots: number };
  warnings: Warning[];
  as_of: string;
  snapshot: string;
  snapshot_gone?: boolean;
  events_read: number;
  elapsed_ms: number;
}

/* The range, the filters and the like of any question. */
export interface Scope {
  from?: string | null;
  to?: string | null;
  timezone?: string;
  as_of?: string;
  bots?: "exclude" | "include" | "only";
  filters?: Filter[];
  snapshot?: string;
  query_id?: string;
}

export interface CountValuesRequest extends Scope {
  attribute: string;
  prefix?: string;
  limit?: number;
}

export interface CountValues extends Answered {
  attribute: string;
  n: number;
  values: { value: string; events: number; visitors: number }[];
}

/* Of the events of the visitors that the filters choose. */
export interface CountFigures {
  visitors: number;
  sessions: number;
  events: number;
  orders: number;
  value: Money;
  engaged_ms: number;
}

export interface CountRequest extends Scope {
  count?: "visitors" | "sessions";
  trend?: "hour" | "day" | "week" | "month" | null;
  compare?: Compare | null;
  breakdown?: Breakdown[];
  limit?: number;
}

export interface Count extends CountFigures, Answered {
  trend?: (CountFigures & { start: string })[];
  breakdown?: (CountFigures & { values?: (string | null)[]; other?: true })[];
  compare?: CountFigures & { from: string; to: string; as_of: string };
}

export interface LiveRequest {
  limit: number;
  /* the cursor of an earlier answer */
  after?: string;
  funnel?: string;
}

export interface Live {
  as_of: string;
  /* time of the newest event */
  newest: string | null;
  stored: string | null;
  /* of the last five minutes, bots left out */
  visitors: number;
  events_per_minute: number;
  cursor: string;
  /* the latest first */
  events: LiveEvent[];
}

export interface DropoffRequest extends Scope {
  funnel: FunnelDefinition | string;
  stage: number;
  attributes?: { attribute: string; at?: At | "any" }[];
  limit?: number;
}

/* A value that is more frequent among those who left, or among those who went on. */
export interface DropoffRow {
  attribute: string;
  at: At | "any" | "session";
  value: string;
  leavers: number;
  stayers: number;
  share_leavers: number | null;
  share_stayers: number | null;
  log_odds: number;
  p: number;
  q: number;
}

export interface Dropoff extends Answered {
  stage: number;
  leavers: number;
  stayers: number;
  open: number;
  tested: number;
  n: number;
  left_out_attributes: string[];
  rows: DropoffRow[];
}

export interface NextRequest extends Scope {
  funnel: FunnelDefinition | string;
  figure: Figure;
  stage?: number | null;
  attribute?: string;
  steps?: number;
  limit?: number;
}

/* `values` of the next events, null where nothing followed; or `other`: all other rows. */
export interface NextRow {
  values?: (string | null)[];
  other?: true;
  n: number;
}

export interface Next extends Answered {
  figure: Figure;
  stage: number | null;
  n: number;
  attribute: string;
  steps: number;
  next: NextRow[];
  last: NextRow[];
}

export interface Person {
  email: string;
  role: Role;
  /* the role is for all sites, and is not changed here */
  is_everywhere: boolean;
}

export interface Invitation {
  id: number;
  email: string;
  role: Role;
  created: string;
  created_by: string;
  expires: string;
}

export interface People {
  people: Person[];
  invitations: Invitation[];
}

/* The token is in no other answer. */
export interface NewInvitation extends Invitation {
  token: string;
  path: string;
}

/* What whoever has its token sees of an invitation. */
export interface OpenInvitation {
  email: string;
  role: Role;
  site: string;
  has_account: boolean;
  expires: string;
}

export interface OwnSession {
  id: string;
  created: string;
  last_seen: string;
  expires: string;
  agent: string;
  current: boolean;
}

export type KeyScope = "read" | "write_events" | "manage";

export interface ApiKey {
  id: number;
  name: string;
  /* its first characters */
  start: string;
  scopes: KeyScope[];
  created: string;
  created_by: string;
  last_used: string | null;
}

/* The key itself is in no other answer. */
export interface NewKey extends ApiKey {
  key: string;
}

export interface ShareWish {
  name: string;
  question: ReportRequest;
  /* the last so many days; 0: the range of the question */
  days: number;
  /* null: never */
  expires_days: number | null;
}

export interface Share {
  id: number;
  name: string;
  days: number;
  question: ReportRequest;
  created: string;
  created_by: string;
  expires: string | null;
  last_used: string | null;
}

/* The token is in no other answer. */
export interface NewShare extends Share {
  token: string;
  path: string;
  csv: string;
}

/* null: so few that it is not shown, or would give such a figure away */
export interface SharedStage {
  name: string;
  kind: StageKind;
  throughput: number | null;
  rate_from_first: number | null;
  rate_from_previous: number | null;
  value: Money | null;
}

export interface SharedRow {
  values?: (string | null)[];
  other?: true;
  entered: number | null;
  converted: number | null;
  conversion_rate: number | null;
  stages: Pick<SharedStage, "throughput" | "rate_from_first" | "rate_from_previous">[];
}

export interface SharedReport {
  entered: number | null;
  converted: number | null;
  conversion_rate: number | null;
  stages: SharedStage[];
  breakdown?: SharedRow[];
  from: string | null;
  to: string | null;
  timezone: string;
  as_of: string;
}

export interface Shared {
  name: string;
  site: string;
  report: SharedReport;
}

/* A redirect of the collector's. */
export interface Redirect {
  slug: string;
  target: string;
  address: string;
  created: string;
}

export interface Erased {
  /* how many the person had */
  ids: number;
  /* false: there is a backup that could not be told */
  backup_knows: boolean;
}

export interface AuditEntry {
  id: number;
  time: string;
  who: string;
  /* method and path, as the API's document has them */
  action: string;
  /* the path as it was */
  detail: string;
}

export interface Audit {
  entries: AuditEntry[];
  cursor: string | null;
}

/* What became of events on one of the site's days. */
export interface HealthDay {
  day: string;
  accepted: number;
  late: number;
  bots: number;
  repeats: number;
  refused: Record<string, number>;
}

export interface HealthCollector {
  name: string;
  state: "ready" | "spooling" | "refusing" | "away";
  seen: string | null;
  why: string;
  spool_bytes: number;
  damaged_records: number;
  places: { type: string; built: string | null } | null;
}

export interface HealthAlarm {
  code: string;
  message: string;
  first: string | null;
  last: string | null;
  times: number;
}

export interface Health {
  as_of: string;
  timezone: string;
  /* the latest first, only those on which something came; null where Redis is away */
  days: HealthDay[] | null;
  stored: {
    events: number;
    first: string | null;
    newest: string | null;
    stored: string | null;
    damage: { code: string; message: string }[];
  };
  installation: {
    days: HealthDay[] | null;
    redis: {
      is_there: boolean;
      why: string;
      entries_waiting?: number;
      oldest?: string | null;
      memory_bytes?: number;
      memory_max_bytes?: number;
    };
    collectors: HealthCollector[];
    segments: number;
    bytes: number;
    free_bytes: number;
    backup: string | null;
    bad_entries: number;
    alarms: HealthAlarm[];
  };
}

export interface ReconcileRequest extends Scope {
  funnel: FunnelDefinition | string;
  limit?: number;
}

export interface SalesSum {
  orders: number;
  value: Money;
}

export interface SharedOrder {
  /* null where one may not see visitors */
  order: string | null;
  events: number;
  counted: number;
  n_visitors: number;
  visitors: string[] | null;
}

/* received - counted = difference = the sum of the parts */
export interface Reconciliation extends Answered {
  stage: number;
  received: SalesSum;
  counted: SalesSum;
  difference: SalesSum;
  parts: (SalesSum & { part: string })[];
  refunds: number;
  shared_orders: { n: number; counted_twice: number; orders: SharedOrder[] };
}

export interface CatalogueRequest {
  from?: string | null;
  to?: string | null;
  limit?: number;
  query_id?: string;
}

export interface CatalogueList {
  n: number;
  rows: { name: string; events: number; last: string }[];
}

export interface Catalogue {
  events: CatalogueList;
  properties: CatalogueList;
  bots: CatalogueList;
  damaged_files: number;
  from: string | null;
  to: string | null;
  timezone: string;
}

export type ExportFormat = "csv" | "xlsx";

export interface ReportExport extends ReportRequest {
  what: "stages" | "breakdown" | "trend" | "moves" | "visitors";
  format: ExportFormat;
  /* of visitors */
  figure?: Figure;
  stage?: number | null;
  snapshot?: string | null;
}

export type ExportRequest =
  | ReportExport
  | (Omit<CountRequest, "trend"> & { what: "count"; format: ExportFormat })
  | (Omit<CatalogueRequest, "limit"> & { what: "catalogue"; format: ExportFormat })
  | (ReconcileRequest & { what: "reconcile" | "shared_orders"; format: ExportFormat });
