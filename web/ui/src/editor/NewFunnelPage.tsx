import { api } from "../api";
import type { Site } from "../api-types";
import { Await } from "../parts/basic";
import { useLoaded, useTitle } from "../parts/hooks";
import { text } from "../text";
import { FunnelForm } from "./FunnelForm";
import { freeName, fromTemplate, TEMPLATES, type Template } from "./templates";

const EVENT_NAMES_MAX = 500;

function findTemplate(id: string | null): Template | undefined {
  return TEMPLATES.find((template) => template.id === id) ?? TEMPLATES.at(-1);
}

export function NewFunnelPage({ site, template: id }: { site: Site; template: string | null }) {
  const template = findTemplate(id);
  useTitle(text.editor.newTitle);
  const loaded = useLoaded(
    async (signal) => {
      const [events, attributes, all] = await Promise.all([
        api.values(site.name, "event", "", EVENT_NAMES_MAX, signal),
        api.attributes(site.name),
        api.funnels(site.name, signal),
      ]);
      return { sent: events.map((one) => one.value), attributes, taken: all.map((one) => one.name) };
    },
    `${site.name}/${id ?? ""}`,
  );
  return (
    <>
      <header class="page-head">
        <h1>{text.editor.newTitle}</h1>
      </header>
      <Await loaded={loaded}>
        {({ sent, attributes, taken }) =>
          template !== undefined && (
            <FunnelForm
              site={site}
              attributes={attributes}
              initial={fromTemplate(
                template,
                freeName(text.templates[template.id].title, taken),
                sent,
              )}
              savedAs={null}
              taken={taken}
            />
          )
        }
      </Await>
    </>
  );
}
