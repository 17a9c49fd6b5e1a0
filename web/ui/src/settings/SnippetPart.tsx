/* The tag to paste, whether it works, and what to look at where it does not. */
import { useEffect } from "preact/hooks";
import { api } from "../api";
import type { Site } from "../api-types";
import { formatDuration } from "../format";
import { CopyBox } from "../parts/basic";
import { words } from "../words/settings";
import { browserWishes, collectorOf, diagnose, type Finding } from "./diagnosis";
import { Part } from "./SettingsForm";

const WAIT_MS = 2000;
const SALE = `corong('sale', {order: '1001', value: 12.50, currency: 'USD'})`;

export function SnippetPart({ site, onArrival }: { site: Site; onArrival: (site: Site) => void }) {
  const isWaiting = site.events === 0;
  useEffect(() => {
    if (!isWaiting) return undefined;
    const timer = window.setInterval(() => {
      if (document.hidden) return;
      api.site(site.name).then(
        (next) => (next.events > 0 ? onArrival(next) : undefined),
        () => undefined,
      );
    }, WAIT_MS);
    return () => window.clearInterval(timer);
  }, [isWaiting, site.name, onArrival]);

  const collector = collectorOf(site.snippet);
  const findings = diagnose(site, browserWishes(), Date.now());
  return (
    <Part id="snippet" title={words.snippet.title} lead={words.snippet.lead}>
      <div class="stack">
        <CopyBox label={words.snippet.label} value={site.snippet} rows={3} />
        <div>
          <h3>{words.snippet.diagnosis}</h3>
          <ul class="findings" aria-live="polite">
            {findings.map((finding) => (
              <li key={finding.code} class={`finding is-${finding.kind}`}>
                <span class="finding-kind">{words.snippet[finding.kind]}</span>{" "}
                {sentence(finding, site)}
              </li>
            ))}
          </ul>
        </div>
        <details open={isWaiting}>
          <summary>{words.snippet.ifNothing}</summary>
          <ol class="checks">
            {words.snippet
              .checks(collector?.origin ?? "", collector?.script ?? "", site.domain)
              .map(([title, what]) => (
                <li key={title}>
                  <strong>{title}.</strong> {what}
                </li>
              ))}
          </ol>
        </details>
        <details>
          <summary>{words.snippet.guides}</summary>
          <p class="hint">{words.snippet.guide}</p>
          <CopyBox label={words.snippet.guideLabel} value={SALE} />
        </details>
      </div>
    </Part>
  );
}

function sentence(finding: Finding, site: Site): string {
  const collector = collectorOf(site.snippet);
  const say = words.snippet;
  switch (finding.code) {
    case "receiving":
      return say.receiving(formatDuration(finding.age_ms), site.events);
    case "quiet":
      return say.quiet(formatDuration(finding.age_ms));
    case "localCollector":
      return say.localCollector(collector?.host ?? "");
    case "plainHttp":
      return say.plainHttp(collector?.origin ?? "");
    case "otherHost":
      return say.otherHost(collector?.host ?? "", site.domain);
    default:
      return say[finding.code];
  }
}
