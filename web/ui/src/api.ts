/* The only file that knows the server's URLs. */
import type {
  Catalogue,
  CatalogueRequest,
  Health,
  ReconcileRequest,
  Reconciliation,
  ApiKey,
  Attribute,
  AttributeValue,
  Audit,
  Count,
  CountRequest,
  CountValues,
  CountValuesRequest,
  Live,
  LiveRequest,
  CreatedSite,
  Dropoff,
  ExportRequest,
  DropoffRequest,
  Erased,
  ErrorBody,
  Filter,
  FunnelDefinition,
  FunnelVersion,
  Journey,
  JourneyRequest,
  KeyScope,
  LiveAnswer,
  NewInvitation,
  NewKey,
  NewShare,
  NewSite,
  Next,
  NextRequest,
  OpenInvitation,
  OwnSession,
  People,
  Redirect,
  Report,
  ReportRequest,
  Role,
  SavedFilter,
  SavedFunnel,
  Search,
  SearchRequest,
  Session,
  Share,
  Shared,
  ShareWish,
  Site,
  SiteChange,
  VisitorList,
  VisitorListRequest,
} from "./api-types";

/* A refusal by the server, or (status 0) no answer at all. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly field: string | null;
  readonly retryAfterSeconds: number | null;

  constructor(
    status: number,
    code: string,
    message: string,
    field: string | null = null,
    retryAfterSeconds: number | null = null,
  ) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    this.field = field;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

const BASE = "/api/v1";

/* Called whenever the server says that nobody is signed in (any more). */
let onSignedOut: () => void = () => undefined;
export function setSignedOutHandler(handler: () => void): void {
  onSignedOut = handler;
}

function isErrorBody(body: unknown): body is ErrorBody {
  if (typeof body !== "object" || body === null || !("error" in body)) return false;
  const error = body.error;
  return typeof error === "object" && error !== null && "code" in error && "message" in error;
}

function errorFrom(response: Response, body: unknown): ApiError {
  const seconds = Number(response.headers.get("Retry-After") ?? "");
  const retryAfter = Number.isFinite(seconds) && seconds > 0 ? seconds : null;
  if (!isErrorBody(body))
    return new ApiError(response.status, "http", `HTTP ${response.status}`, null, retryAfter);
  const { code, message, field } = body.error;
  return new ApiError(response.status, code, message, field ?? null, retryAfter);
}

interface Options {
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
}

/* What a save is based on (null: whatever is there; 0: nothing yet) and what it says of itself. */
export interface SaveWords {
  basedOn?: number | null;
  note?: string;
}

/* The answer to a GET and its tag; null where the tag says that nothing has changed. */
async function callTagged(
  path: string,
  etag: string | null,
  signal: AbortSignal,
): Promise<{ value: unknown; etag: string | null }> {
  const headers: Record<string, string> = { Accept: "application/json", "X-Corong": "1" };
  if (etag !== null) headers["If-None-Match"] = etag;
  let response: Response;
  try {
    response = await fetch(BASE + path, { credentials: "same-origin", headers, signal, cache: "no-store" });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, "unreachable", "");
  }
  if (response.status === 304) return { value: null, etag };
  const answer: unknown = await response.json().catch(() => null);
  if (response.ok) return { value: answer, etag: response.headers.get("ETag") };
  if (response.status === 401) onSignedOut();
  throw errorFrom(response, answer);
}

function cutOff(signal: AbortSignal | undefined): Error {
  return signal?.aborted === true ? new DOMException("", "AbortError") : new ApiError(0, "unreachable", "");
}

async function call<T>(path: string, { method = "GET", body, headers: more, signal }: Options = {}): Promise<T> {
  const headers: Record<string, string> = { Accept: "application/json", "X-Corong": "1", ...more };
  const init: RequestInit = {
    method,
    credentials: "same-origin",
    headers,
    signal: signal ?? null,
  };
  if (body !== undefined) {
    headers["Content-Type"] = "application/json";
    init.body = JSON.stringify(body);
  }
  let response: Response;
  try {
    response = await fetch(BASE + path, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, "unreachable", "");
  }
  const answer: unknown = response.status === 204 ? null : await response.json().catch(() => undefined);
  if (response.ok && answer === undefined) throw cutOff(signal); /* the connection broke in the middle */
  if (response.ok) return answer as T;
  if (response.status === 401 && path !== "/session") onSignedOut();
  throw errorFrom(response, answer);
}

/* A file that the server makes. */
async function callFile(path: string, body: unknown): Promise<Blob> {
  let response: Response;
  try {
    response = await fetch(BASE + path, {
      method: "POST",
      credentials: "same-origin",
      headers: { "Content-Type": "application/json", "X-Corong": "1" },
      body: JSON.stringify(body),
    });
    if (response.ok) return await response.blob();
  } catch {
    throw new ApiError(0, "unreachable", "");
  }
  if (response.status === 401) onSignedOut();
  throw errorFrom(response, await response.json().catch(() => null));
}

function sitePath(site: string): string {
  return `/sites/${encodeURIComponent(site)}`;
}

/* One of the site's people, invitations, keys and the like. */
function onePath(site: string, kind: string, id: string | number): string {
  return `${sitePath(site)}/${kind}/${encodeURIComponent(id)}`;
}

function funnelPath(site: string, funnel: string): string {
  return `${sitePath(site)}/funnels/${encodeURIComponent(funnel)}`;
}

/* Where a site's own servers tell of events; `origin` is the collector's. */
export function eventsUrl(origin: string): string {
  return `${origin}${BASE}/events`;
}

/* A site's own address in the API; `origin` is the dashboard's. */
export function apiUrl(origin: string, site: string): string {
  return origin + BASE + sitePath(site);
}

/* The table behind a share link, for spreadsheets. */
export function csvUrl(token: string): string {
  return `${BASE}/share/${encodeURIComponent(token)}.csv`;
}

export const api = {
  session: () => call<Session>("/session"),
  signIn: (email: string, password: string) =>
    call<Session>("/session", { method: "POST", body: { email, password } }),
  signOut: () => call<null>("/session", { method: "DELETE" }),
  setUp: (token: string, email: string, password: string) =>
    call<Session>("/setup", { method: "POST", body: { token, email, password } }),
  sessions: (signal?: AbortSignal) =>
    call<{ sessions: OwnSession[] }>("/sessions", { signal }).then((a) => a.sessions),
  endSession: (id: string) => call<null>(`/sessions/${encodeURIComponent(id)}`, { method: "DELETE" }),
  invitation: (token: string) =>
    call<OpenInvitation>("/invitation", { method: "POST", body: { token } }),
  acceptInvitation: (token: string, password: string) =>
    call<Session>("/invitation/accept", { method: "POST", body: { token, password } }),
  shared: (token: string, signal?: AbortSignal) =>
    call<Shared>(`/share/${encodeURIComponent(token)}`, { signal }),

  people: (site: string, signal?: AbortSignal) =>
    call<People>(`${sitePath(site)}/people`, { signal }),
  setRole: (site: string, email: string, role: Role) =>
    call<null>(onePath(site, "people", email), { method: "PATCH", body: { role } }),
  removePerson: (site: string, email: string) =>
    call<null>(onePath(site, "people", email), { method: "DELETE" }),
  invite: (site: string, email: string, role: Role) =>
    call<NewInvitation>(`${sitePath(site)}/invitations`, { method: "POST", body: { email, role } }),
  withdraw: (site: string, id: number) =>
    call<null>(onePath(site, "invitations", id), { method: "DELETE" }),
  keys: (site: string, signal?: AbortSignal) =>
    call<{ keys: ApiKey[] }>(`${sitePath(site)}/keys`, { signal }).then((a) => a.keys),
  addKey: (site: string, name: string, scopes: KeyScope[]) =>
    call<NewKey>(`${sitePath(site)}/keys`, { method: "POST", body: { name, scopes } }),
  removeKey: (site: string, id: number) =>
    call<null>(onePath(site, "keys", id), { method: "DELETE" }),
  shares: (site: string, signal?: AbortSignal) =>
    call<{ shares: Share[] }>(`${sitePath(site)}/shares`, { signal }).then((a) => a.shares),
  addShare: (site: string, wish: ShareWish) =>
    call<NewShare>(`${sitePath(site)}/shares`, { method: "POST", body: wish }),
  removeShare: (site: string, id: number) =>
    call<null>(onePath(site, "shares", id), { method: "DELETE" }),
  redirects: (site: string, signal?: AbortSignal) =>
    call<{ links: Redirect[] }>(`${sitePath(site)}/links`, { signal }).then((a) => a.links),
  addRedirect: (site: string, slug: string, target: string) =>
    call<Redirect>(`${sitePath(site)}/links`, { method: "POST", body: { slug, target } }),
  removeRedirect: (site: string, slug: string) =>
    call<null>(onePath(site, "links", slug), { method: "DELETE" }),
  renewSecret: (site: string) =>
    call<{ secret_key: string }>(`${sitePath(site)}/secret`, { method: "POST", body: {} }).then(
      (a) => a.secret_key,
    ),
  erase: (site: string, visitor: string) =>
    call<Erased>(`${sitePath(site)}/erase`, { method: "POST", body: { visitor } }),
  audit: (site: string, before: string | null, signal?: AbortSignal) => {
    const query = before === null ? "" : `?${new URLSearchParams({ before })}`;
    return call<Audit>(`${sitePath(site)}/audit${query}`, { signal });
  },

  sites: (signal?: AbortSignal) => call<{ sites: Site[] }>("/sites", { signal }).then((a) => a.sites),
  addSite: (site: NewSite) => call<CreatedSite>("/sites", { method: "POST", body: site }),
  site: (name: string, signal?: AbortSignal) => call<Site>(sitePath(name), { signal }),
  changeSite: (name: string, change: SiteChange) =>
    call<Site>(sitePath(name), { method: "PATCH", body: change }),
  timezones: () => call<{ timezones: string[] }>("/timezones").then((a) => a.timezones),
  currencies: () => call<{ currencies: string[] }>("/currencies").then((a) => a.currencies),

  count: (site: string, request: CountRequest, signal?: AbortSignal) =>
    call<Count>(`${sitePath(site)}/count`, { method: "POST", body: request, signal }),
  /* The newest events; `value` is null where nothing has changed since the answer with that tag. */
  liveEvents: async (
    site: string,
    { funnel, limit }: { funnel: string; limit: number },
    etag: string | null,
    signal: AbortSignal,
  ) => {
    const query = new URLSearchParams({ limit: String(limit), ...(funnel === "" ? {} : { funnel }) });
    const answer = await callTagged(`${sitePath(site)}/live?${query}`, etag, signal);
    return { value: answer.value as LiveAnswer | null, etag: answer.etag };
  },
  health: async (site: string, etag: string | null, signal: AbortSignal) => {
    const answer = await callTagged(`${sitePath(site)}/health`, etag, signal);
    return { value: answer.value as Health | null, etag: answer.etag };
  },
  reconcile: (site: string, request: ReconcileRequest, signal?: AbortSignal) =>
    call<Reconciliation>(`${sitePath(site)}/reconcile`, { method: "POST", body: request, signal }),
  catalogue: (site: string, request: CatalogueRequest, signal?: AbortSignal) =>
    call<Catalogue>(`${sitePath(site)}/catalogue`, { method: "POST", body: request, signal }),
  search: (site: string, request: SearchRequest, signal?: AbortSignal) =>
    call<Search>(`${sitePath(site)}/search`, { method: "POST", body: request, signal }),
  journey: (site: string, request: JourneyRequest, signal?: AbortSignal) =>
    call<Journey>(`${sitePath(site)}/journey`, { method: "POST", body: request, signal }),

  attributes: (site: string) =>
    call<{ attributes: Attribute[] }>(`${sitePath(site)}/attributes`).then((a) => a.attributes),
  values: (site: string, attribute: string, prefix: string, limit: number, signal?: AbortSignal) => {
    const query = new URLSearchParams({ attribute, prefix, limit: String(limit) });
    return call<{ values: AttributeValue[] }>(`${sitePath(site)}/values?${query}`, { signal }).then(
      (a) => a.values,
    );
  },

  /* As a report counts: people, in a range, filtered. */
  countValues: (site: string, request: CountValuesRequest, signal?: AbortSignal) =>
    call<CountValues>(`${sitePath(site)}/values`, { method: "POST", body: request, signal }),

  funnels: (site: string, signal?: AbortSignal) =>
    call<{ funnels: SavedFunnel[] }>(`${sitePath(site)}/funnels`, { signal }).then((a) => a.funnels),
  funnel: (site: string, name: string, signal?: AbortSignal) =>
    call<SavedFunnel>(funnelPath(site, name), { signal }),
  /* Saves under `name`; a funnel saved as `name` that the definition names otherwise is renamed. */
  saveFunnel: (site: string, name: string, definition: FunnelDefinition, { basedOn = null, note = "" }: SaveWords = {}) => {
    const query = new URLSearchParams();
    if (definition.name !== name) query.set("rename_to", definition.name);
    if (note !== "") query.set("note", note);
    const headers: Record<string, string> = {};
    if (basedOn === 0) headers["If-None-Match"] = "*";
    else if (basedOn !== null) headers["If-Match"] = `"${basedOn}"`;
    const asked = query.toString();
    const path = funnelPath(site, name) + (asked === "" ? "" : `?${asked}`);
    return call<SavedFunnel>(path, { method: "PUT", body: definition, headers });
  },
  funnelVersions: (site: string, name: string, signal?: AbortSignal) =>
    call<{ versions: FunnelVersion[] }>(`${funnelPath(site, name)}/versions`, { signal }).then((a) => a.versions),
  funnelVersion: (site: string, name: string, version: number, signal?: AbortSignal) =>
    call<SavedFunnel>(`${funnelPath(site, name)}?version=${version}`, { signal }),
  removeFunnel: (site: string, name: string) =>
    call<null>(funnelPath(site, name), { method: "DELETE" }),

  savedFilters: (site: string, signal?: AbortSignal) =>
    call<{ filters: SavedFilter[] }>(`${sitePath(site)}/filters`, { signal }).then((a) => a.filters),
  saveFilters: (site: string, name: string, filters: Filter[]) =>
    call<SavedFilter>(`${sitePath(site)}/filters/${encodeURIComponent(name)}`, { method: "PUT", body: { filters } }),
  removeFilters: (site: string, name: string) =>
    call<null>(`${sitePath(site)}/filters/${encodeURIComponent(name)}`, { method: "DELETE" }),

  /* Stops this account's queries of that id. */
  stopQuery: (queryId: string) =>
    call<null>(`/queries/${encodeURIComponent(queryId)}`, { method: "DELETE" }),

  dropoff: (site: string, request: DropoffRequest, signal?: AbortSignal) =>
    call<Dropoff>(`${sitePath(site)}/dropoff`, { method: "POST", body: request, signal }),
  next: (site: string, request: NextRequest, signal?: AbortSignal) =>
    call<Next>(`${sitePath(site)}/next`, { method: "POST", body: request, signal }),
  live: (site: string, { limit, after, funnel }: LiveRequest, signal?: AbortSignal) => {
    const query = new URLSearchParams({ limit: String(limit) });
    if (after !== undefined) query.set("after", after);
    if (funnel !== undefined) query.set("funnel", funnel);
    return call<Live>(`${sitePath(site)}/live?${query}`, { signal });
  },
  visitors: (site: string, request: VisitorListRequest, signal?: AbortSignal) =>
    call<VisitorList>(`${sitePath(site)}/visitors`, { method: "POST", body: request, signal }),
  /* A table of a report, or the whole list behind a figure. */
  exportFile: (site: string, request: ExportRequest) => callFile(`${sitePath(site)}/export`, request),
  report: (site: string, request: ReportRequest, signal?: AbortSignal) =>
    call<Report>(`${sitePath(site)}/report`, { method: "POST", body: request, signal }),
};
