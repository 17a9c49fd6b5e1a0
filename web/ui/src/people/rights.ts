/* Who may do what with a site, as docs/accounts.md has it; the server decides anew each time. Pure. */
import type { Role, Site } from "../api-types";

const ORDER: Role[] = ["viewer", "editor", "owner"];

export function isAtLeast(site: Pick<Site, "role">, role: Role): boolean {
  return ORDER.indexOf(site.role) >= ORDER.indexOf(role);
}
