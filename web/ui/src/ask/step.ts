/* Points over time that fit on a screen: days for a season, weeks for two years, then months. Pure. */
import type { Site } from "../api-types";
import type { Question } from "./question";
import { boundsOf } from "./range";

export type Step = "day" | "week" | "month";

const DAY_MS = 86_400_000;
const DAYS_AS_DAYS = 100;
const DAYS_AS_WEEKS = 700;

export function pointsStep(question: Question, today: string, site: Site): Step {
  const { from, to } = boundsOf(question.range, today);
  const begin = Date.parse(from ?? site.first_event ?? today);
  const end = Date.parse(to ?? today);
  const days = (end - begin) / DAY_MS;
  return days <= DAYS_AS_DAYS ? "day" : days <= DAYS_AS_WEEKS ? "week" : "month";
}
