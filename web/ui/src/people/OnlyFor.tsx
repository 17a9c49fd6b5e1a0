/* A page for some roles: the others get a line that says for whom it is. */
import type { ComponentChildren } from "preact";
import type { Role, Site } from "../api-types";
import { text } from "../text";
import { isAtLeast } from "./rights";

export function OnlyFor({ site, role, children }: { site: Site; role: Role; children: ComponentChildren }) {
  const words = text.access;
  if (isAtLeast(site, role)) return <>{children}</>;
  return (
    <p class="empty">
      {words.onlyFor[role]} {words.yourRole(words.roles[site.role])}
    </p>
  );
}
