import type { Site } from "../api-types";
import { Await } from "../parts/basic";
import { useLoaded, useTitle } from "../parts/hooks";
import { words } from "../words/editor";
import { FunnelForm } from "./FunnelForm";
import { loadNames } from "./names";
import { freeName, fromTemplate, TEMPLATES, type Template } from "./templates";

function findTemplate(id: string | null): Template | undefined {
  return TEMPLATES.find((template) => template.id === id) ?? TEMPLATES.at(-1);
}

export function NewFunnelPage({ site, template: id, query }: { site: Site; template: string | null; query: string }) {
  const template = findTemplate(id);
  useTitle(words.newTitle);
  const loaded = useLoaded((signal) => loadNames(site, signal), `${site.name}/${id ?? ""}`);
  return (
    <>
      <header class="page-head">
        <h1>{words.newTitle}</h1>
      </header>
      <Await loaded={loaded}>
        {(names) =>
          template !== undefined && (
            <FunnelForm
              site={site}
              {...names}
              query={query}
              initial={fromTemplate(template, freeName(words.templates[template.id].title, names.taken), names.sent)}
              saved={null}
            />
          )
        }
      </Await>
    </>
  );
}
