/* Which hosts are a site's own: its domain, the further ones, and all below them. Pure. */
import type { Site } from "../api-types";

export function isForeign(host: string, site: Pick<Site, "domain" | "hosts">): boolean {
  return ![site.domain, ...site.hosts].some((own) => host === own || host.endsWith(`.${own}`));
}
