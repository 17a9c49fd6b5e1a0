/* The list of visitors, or one of them where the address names him. */
import { NotFound } from "../parts/NotFound";
import type { ScreenProps } from "../screens";
import { JourneyPage } from "./JourneyPage";
import { JourneysPage } from "./JourneysPage";

export function JourneysScreen({ site, session, rest, query }: ScreenProps) {
  const [visitor, ...more] = rest;
  if (more.length > 0) return <NotFound />;
  if (visitor === undefined) return <JourneysPage site={site} query={query} />;
  return (
    <JourneyPage
      key={visitor}
      site={site}
      visitor={visitor}
      query={query}
      canErase={session.account?.role !== "viewer"}
    />
  );
}
