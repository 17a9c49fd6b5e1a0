/* Which of a site's funnels a screen shows. Pure. */
import type { SavedFunnel, Site } from "../api-types";

/* Does it end with a sale, and does everybody count who comes in anywhere? */
function isOfSales({ definition }: SavedFunnel): boolean {
  const { stages, preset } = definition;
  return stages.length > 2 && stages.at(-1)?.kind === "sale" && preset !== "closed";
}

/* The one asked for, else the site's chosen one, else one that ends with a sale, else the first;
 * null where there is none, or none is asked for (""). */
export function chosenFunnel(
  asked: string | null,
  site: Pick<Site, "funnel">,
  funnels: SavedFunnel[],
): SavedFunnel | null {
  if (asked === "") return null;
  const named = (name: string | null) => funnels.find((funnel) => funnel.name === name);
  return named(asked) ?? named(site.funnel) ?? funnels.find(isOfSales) ?? funnels[0] ?? null;
}
