/* All settings of a site, one part below the other, each saved by itself. */
import { useState } from "preact/hooks";
import type { Site } from "../api-types";
import { Notice } from "../parts/basic";
import { useTitle } from "../parts/hooks";
import { PageHead } from "../parts/PageHead";
import { isAtLeast } from "../people/rights";
import { words } from "../words/settings";
import { GroupsPart } from "./GroupsPart";
import { BotsPart, SourcesPart, ViewersPart } from "./MoreParts";
import { PrivacyPart } from "./PrivacyPart";
import { RetentionPart } from "./RetentionPart";
import { SitePart } from "./SitePart";
import { SnippetPart } from "./SnippetPart";

export function SettingsPage({ site: loaded }: { site: Site }) {
  const [site, setSite] = useState(loaded);
  useTitle(words.of(site.name));
  const parts: [string, string][] = [
    ["snippet", words.snippet.title],
    ["site", words.site.title],
    ["sources", words.sources.title],
    ["groups", words.groups.title],
    ["privacy", words.privacy.title],
    ["bots", words.bots.title],
    ["retention", words.retention.title],
    ["viewers", words.people.title],
  ];
  return (
    <article class="settings">
      <PageHead title={words.title} lead={words.lead} />
      {!isAtLeast(site, "editor") && <Notice kind="info">{words.readOnly}</Notice>}
      <nav aria-label={words.sections} class="settings-nav">
        <ul>
          {parts.map(([id, title]) => (
            <li key={id}>
              <a href={`#${id}`}>{title}</a>
            </li>
          ))}
        </ul>
      </nav>
      <div class="settings-parts">
        <SnippetPart site={site} onArrival={setSite} />
        <SitePart site={site} onSaved={setSite} />
        <SourcesPart site={site} onSaved={setSite} />
        <GroupsPart site={site} onSaved={setSite} />
        <PrivacyPart site={site} onSaved={setSite} />
        <BotsPart site={site} onSaved={setSite} />
        <RetentionPart site={site} onSaved={setSite} />
        <ViewersPart site={site} onSaved={setSite} />
      </div>
    </article>
  );
}
