/* The screens of a site, in the order of the navigation. A screen stands here or is not reachable:
 * adding one is adding a line. The first one is what a site's own address shows.
 *
 * `path` is the part of the address after the site's name; what follows it comes as `rest`.
 */
import type { ComponentType } from "preact";
import type { Session, Site } from "./api-types";
import { FunnelsScreen } from "./funnels/FunnelsScreen";
import { OverviewPage } from "./overview/OverviewPage";
import { lazy } from "./shell/lazy";
import { text } from "./text";

export interface ScreenProps {
  site: Site;
  session: Session;
  /* the parts of the address after the screen's own, decoded */
  rest: string[];
  /* the address's query: "" or "?..." */
  query: string;
}

export interface SiteScreen {
  path: string;
  name: string;
  show: ComponentType<ScreenProps>;
}

export const SCREENS: SiteScreen[] = [
  { path: "overview", name: text.screens.overview, show: OverviewPage },
  { path: "funnels", name: text.screens.funnels, show: FunnelsScreen },
  {
    path: "journeys",
    name: text.screens.journeys,
    show: lazy(() => import("./journeys/JourneysScreen").then((file) => file.JourneysScreen)),
  },
  {
    path: "content",
    name: text.screens.content,
    show: lazy(() => import("./sources/ContentPage").then((file) => file.ContentPage)),
  },
  {
    path: "dropoff",
    name: text.screens.dropoff,
    show: lazy(() => import("./dropoff/DropoffPage").then((file) => file.DropoffPage)),
  },
  {
    path: "live",
    name: text.screens.live,
    show: lazy(() => import("./live/LivePage").then((file) => file.LivePage)),
  },
  {
    path: "health",
    name: text.screens.health,
    show: lazy(() => import("./health/HealthPage").then((file) => file.HealthPage)),
  },
  {
    path: "settings",
    name: text.screens.settings,
    show: lazy(() => import("./settings/SettingsScreen").then((file) => file.SettingsScreen)),
  },
];

export function screenOf(path: string): SiteScreen | undefined {
  return path === "" ? SCREENS[0] : SCREENS.find((screen) => screen.path === path);
}
