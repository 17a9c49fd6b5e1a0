/* All settings of a site, one part below the other, each saved by itself. */
import { useState } from "preact/hooks";
import { eventsUrl } from "../api";
import type { Site } from "../api-types";
import { CopyBox } from "../parts/basic";
import { useTitle } from "../parts/hooks";
import { words } from "../words/settings";
import { collectorOf } from "./diagnosis";
import { GroupsPart } from "./GroupsPart";
import { BotsPart, SourcesPart, ViewersPart } from "./MoreParts";
import { PrivacyPart } from "./PrivacyPart";
import { RetentionPart } from "./RetentionPart";
import { Part } from "./SettingsForm";
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
    ["keys", words.keys.title],
  ];
  return (
    <article class="settings">
      <header class="page-head">
        <div>
          <h1>{words.title}</h1>
          <p class="lead">{words.lead}</p>
        </div>
      </header>
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
        <KeysPart site={site} />
      </div>
    </article>
  );
}

function KeysPart({ site }: { site: Site }) {
  const call = `curl ${eventsUrl(collectorOf(site.snippet)?.origin ?? "")} \\\n  -H 'Authorization: Bearer secret_...' \\\n  -d '{"visitor":"u123","time":"${new Date().toISOString()}","event":"sale","order":"1077","value":12.50}'`;
  return (
    <Part id="keys" title={words.keys.title} lead={words.keys.lead}>
      <div class="stack">
        <CopyBox label={words.keys.key} value={site.key} />
        <div>
          <h3>{words.keys.secret}</h3>
          <p class="hint">{words.keys.secretLead}</p>
        </div>
        <CopyBox label={words.keys.server} value={call} rows={4} />
      </div>
    </Part>
  );
}
