/* Who is looked for, as the address says it. Pure. */
import type { Figure, SearchRequest } from "../api-types";

export interface Finding {
  by: "id" | "order";
  text: string;
  /* null: the site's chosen funnel; "": none */
  funnel: string | null;
  /* those behind a figure of the funnel's report */
  figure: Figure | null;
  stage: number | null;
}

const FIGURES: Figure[] = [
  "entered",
  "began_before",
  "after_range",
  "converted",
  "reached",
  "skipped",
  "throughput",
  "entries",
  "exits",
  "dropoff",
  "open",
  "onward",
  "seen",
];

export function parseFinding(query: string): Finding {
  const params = new URLSearchParams(query);
  const order = params.get("order");
  const stage = Number(params.get("stage") ?? "");
  return {
    by: order === null ? "id" : "order",
    text: order ?? params.get("id") ?? "",
    funnel: params.get("funnel"),
    figure: FIGURES.find((figure) => figure === params.get("figure")) ?? null,
    stage: Number.isInteger(stage) && stage >= 1 ? stage : null,
  };
}

/* The members of an address that parseFinding reads; null: not to be there. */
export function findingKeys(finding: Finding): Record<string, string | null> {
  const text = finding.text.trim();
  return {
    id: finding.by === "id" && text !== "" ? text : null,
    order: finding.by === "order" && text !== "" ? text : null,
    funnel: finding.funnel,
    figure: finding.figure,
    stage: finding.stage === null ? null : String(finding.stage),
  };
}

/* `funnel`: the name of the one whose stages are shown, "" for none */
export function searchOf(finding: Finding, funnel: string): SearchRequest {
  const request: SearchRequest = {};
  const text = finding.text.trim();
  if (text !== "") request[finding.by] = text;
  if (funnel === "") return request;
  request.funnel = funnel;
  if (finding.figure !== null) request.figure = finding.figure;
  if (finding.stage !== null) request.stage = finding.stage;
  return request;
}
