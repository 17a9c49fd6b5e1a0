/* A screen's name, what it is for, and what can be done with all of it. */
import type { ComponentChildren } from "preact";

interface Props {
  title: string;
  lead?: ComponentChildren;
  /* buttons */
  children?: ComponentChildren;
}

export function PageHead({ title, lead, children }: Props) {
  return (
    <header class="page-head">
      <div>
        <h1>{title}</h1>
        {lead !== undefined && <p class="lead">{lead}</p>}
      </div>
      {children !== undefined && <div class="page-actions">{children}</div>}
    </header>
  );
}
