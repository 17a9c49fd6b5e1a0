/* The list of visitors, or one of them where the address names him. */
import { NotFound } from "../parts/NotFound";
import { isAtLeast } from "../people/rights";
import type { ScreenProps } from "../screens";
import { words } from "../words/journeys";
import { JourneyPage } from "./JourneyPage";
import { JourneysPage } from "./JourneysPage";

export function JourneysScreen({ site, rest, query }: ScreenProps) {
  const [visitor, ...more] = rest;
  if (more.length > 0) return <NotFound />;
  if (!site.may_see_visitors) return <p class="empty">{words.notForViewers}</p>;
  if (visitor === undefined) return <JourneysPage site={site} query={query} />;
  return (
    <JourneyPage
      key={visitor}
      site={site}
      visitor={visitor}
      query={query}
      canErase={isAtLeast(site, "owner")}
    />
  );
}
