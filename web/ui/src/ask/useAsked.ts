/* A screen's question, kept in its address. */
import { useMemo } from "preact/hooks";
import type { Site } from "../api-types";
import { navigate } from "../router";
import { dayIn } from "./range";
import { parseQuestion, queryText, usualQuestion, writeQuestion, type Question } from "./question";
import { isQuestionKey } from "./question";

export interface AskedHere {
  question: Question;
  usual: Question;
  /* the site's day now */
  today: string;
  /* puts another question into the address; what else stands there stays */
  ask: (question: Question) => void;
  /* the address of this screen with another question, for links */
  hrefOf: (question: Question) => string;
}

export function useAsked(site: Site, query: string): AskedHere {
  const today = dayIn(site.timezone, Date.now());
  const usual = useMemo(() => usualQuestion(site, Date.now()), [site, today]);
  const question = useMemo(() => parseQuestion(query, usual), [query, usual]);
  const hrefOf = (next: Question) => {
    const params = new URLSearchParams();
    writeQuestion(next, usual, params);
    for (const [name, value] of new URLSearchParams(query))
      if (!isQuestionKey(name)) params.append(name, value);
    return window.location.pathname + queryText(params);
  };
  return { question, usual, today, hrefOf, ask: (next) => navigate(hrefOf(next)) };
}
