/* The tag to paste, whether it works, and what to look at where it does not. */
import type { Site } from "../api-types";
import { CopyBox } from "../parts/basic";
import { useFirstEvent } from "../sites/arrival";
import { words } from "../words/settings";
import { Checks, Findings } from "./SnippetChecks";
import { Part } from "./SettingsForm";

const SALE = `corong('sale', {order: '1001', value: 12.50, currency: 'USD'})`;

export function SnippetPart({ site, onArrival }: { site: Site; onArrival: (site: Site) => void }) {
  const isWaiting = site.events === 0;
  useFirstEvent(site, onArrival);
  return (
    <Part id="snippet" title={words.snippet.title} lead={words.snippet.lead}>
      <div class="stack">
        <CopyBox label={words.snippet.label} value={site.snippet} rows={3} />
        <div>
          <h3>{words.snippet.diagnosis}</h3>
          <Findings site={site} />
        </div>
        <Checks site={site} isOpen={isWaiting} />
        <details>
          <summary>{words.snippet.guides}</summary>
          <p class="hint">{words.snippet.guide}</p>
          <CopyBox label={words.snippet.guideLabel} value={SALE} />
        </details>
      </div>
    </Part>
  );
}
