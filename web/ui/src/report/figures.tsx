/* Every figure of a report is a link to the list behind it. */
import { createContext, type ComponentChildren } from "preact";
import { useContext } from "preact/hooks";
import type { Figure } from "../api-types";
import { formatCount } from "../format";

export interface FigureLinks {
  /* the list of a figure of the report (stage null) or of a stage, counted from 1 */
  list: (figure: Figure, stage: number | null) => string;
}

export const Figures = createContext<FigureLinks | null>(null);

interface Props {
  figure: Figure;
  stage?: number | null;
  count: number;
  children?: ComponentChildren;
}

/* The count as a link; nothing is behind a 0, and nothing where nobody may see lists. */
export function FigureLink({ figure, stage = null, count, children }: Props) {
  const links = useContext(Figures);
  const words = children ?? formatCount(count);
  if (links === null || count === 0) return <>{words}</>;
  return (
    <a class="figure-link" href={links.list(figure, stage)}>
      {words}
    </a>
  );
}
