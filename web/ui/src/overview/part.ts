/* What every part of the overview is given. */
import type { Report, SavedFunnel, Site } from "../api-types";
import type { AskedHere } from "../ask/useAsked";

export interface Part {
  site: Site;
  funnel: SavedFunnel;
  here: AskedHere;
  report: Report;
}
