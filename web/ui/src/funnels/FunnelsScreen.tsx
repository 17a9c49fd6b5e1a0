/* The funnels of a site: the list, one's report, its editor. What the list does not need is loaded
 * when it is opened. */
import { NotFound } from "../parts/NotFound";
import { OnlyFor } from "../people/OnlyFor";
import type { ScreenProps } from "../screens";
import { lazy } from "../shell/lazy";
import { FunnelsPage } from "./FunnelsPage";

const ReportPage = lazy(() => import("../report/ReportPage").then((module) => module.ReportPage));
const EditorPage = lazy(() => import("../editor/EditorPage").then((module) => module.EditorPage));
const NewFunnelPage = lazy(() => import("../editor/NewFunnelPage").then((module) => module.NewFunnelPage));

export function FunnelsScreen({ site, session, rest, query }: ScreenProps) {
  const [funnel, edit, ...more] = rest;
  if (funnel === undefined) {
    const template = new URLSearchParams(query).get("new");
    if (template !== null)
      return (
        <OnlyFor site={site} role="editor">
          <NewFunnelPage key={template} site={site} template={template} query={query} />
        </OnlyFor>
      );
    return <FunnelsPage site={site} query={query} />;
  }
  if (more.length > 0 || (edit !== undefined && edit !== "edit")) return <NotFound />;
  if (edit === "edit")
    return (
      <OnlyFor site={site} role="editor">
        <EditorPage key={funnel} site={site} funnel={funnel} query={query} />
      </OnlyFor>
    );
  return <ReportPage key={funnel} site={site} funnel={funnel} query={query} session={session} />;
}
