/* What every part of a report's page needs to know of it. */
import type { SavedFunnel, Site } from "../api-types";
import type { Question } from "../ask/question";
import type { ReportState } from "./state";

export interface View {
  site: Site;
  saved: SavedFunnel;
  state: ReportState;
  question: Question;
  usual: Question;
  today: string;
  /* the address of this report with something else shown, or something else asked */
  hrefOf: (change: Partial<ReportState>, question?: Question) => string;
}
