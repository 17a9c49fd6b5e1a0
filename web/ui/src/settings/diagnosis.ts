/* What stands between a site's pages and its figures, as far as settings and clock tell it. Pure. */
import type { Site } from "../api-types";

/* What the browser that looks at the dashboard says about its own wishes. */
export interface BrowserWishes {
  gpc: boolean;
  dnt: boolean;
}

export interface Collector {
  origin: string;
  host: string;
  script: string;
}

export type Finding =
  | { kind: "good"; code: "receiving"; age_ms: number }
  | { kind: "problem"; code: "quiet"; age_ms: number }
  | { kind: "problem"; code: "nothing" }
  | { kind: "problem"; code: "localCollector" | "plainHttp" }
  | { kind: "note"; code: "otherHost" | "consent" | "gpcHere" | "dntHere" };

const QUIET_MS = 24 * 3600 * 1000;

/* Where the tag loads its script from, null where that cannot be read. */
export function collectorOf(snippet: string): Collector | null {
  const source = /\bsrc="([^"]+)"/.exec(snippet)?.[1];
  if (source === undefined) return null;
  try {
    const url = new URL(source.replaceAll("&amp;", "&"));
    return { origin: url.origin, host: url.hostname, script: url.pathname.split("/").at(-1) ?? "" };
  } catch {
    return null;
  }
}

function isLocal(host: string): boolean {
  return host === "localhost" || host.startsWith("127.") || host === "[::1]";
}

function isUnder(host: string, domain: string): boolean {
  const bare = domain.replace(/^www\./, "");
  return host === bare || host.endsWith(`.${bare}`);
}

export function diagnose(
  site: Pick<Site, "events" | "last_event" | "domain" | "snippet" | "consent" | "gpc" | "dnt" | "demo">,
  browser: BrowserWishes,
  now: number,
): Finding[] {
  const found: Finding[] = [];
  const age = site.last_event === null ? null : Math.max(0, now - Date.parse(site.last_event));
  if (site.events === 0 || age === null) found.push({ kind: "problem", code: "nothing" });
  else if (age > QUIET_MS && !site.demo) found.push({ kind: "problem", code: "quiet", age_ms: age });
  else found.push({ kind: "good", code: "receiving", age_ms: age });

  const collector = collectorOf(site.snippet);
  if (collector !== null && !site.demo && !isLocal(site.domain)) {
    if (isLocal(collector.host)) found.push({ kind: "problem", code: "localCollector" });
    else {
      if (collector.origin.startsWith("http:")) found.push({ kind: "problem", code: "plainHttp" });
      if (!isUnder(collector.host, site.domain)) found.push({ kind: "note", code: "otherHost" });
    }
  }
  if (site.consent === "required") found.push({ kind: "note", code: "consent" });
  if (site.gpc === "respect" && browser.gpc) found.push({ kind: "note", code: "gpcHere" });
  if (site.dnt === "respect" && browser.dnt) found.push({ kind: "note", code: "dntHere" });
  return found;
}

export function browserWishes(): BrowserWishes {
  const asked = navigator as Navigator & { globalPrivacyControl?: boolean };
  return { gpc: asked.globalPrivacyControl === true, dnt: asked.doNotTrack === "1" };
}
