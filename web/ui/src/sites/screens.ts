/* The screens of a site whose code loads when they are first opened. */
import type { ComponentType } from "preact";
import type { Session, Site } from "../api-types";
import { lazy } from "../shell/lazy";
import { text } from "../text";

export interface ScreenProps {
  site: Site;
  session: Session;
  /* the parts of the address after the screen's own, decoded */
  rest: string[];
  /* the address's query: "" or "?..." */
  query: string;
}

export interface SitePart {
  path: string;
  name: string;
  show: ComponentType<ScreenProps>;
}

export const PARTS: SitePart[] = [
  {
    path: "settings",
    name: text.site.settings,
    show: lazy<ScreenProps>(() => import("../settings/SettingsPage").then((file) => file.SettingsPage)),
  },
];
