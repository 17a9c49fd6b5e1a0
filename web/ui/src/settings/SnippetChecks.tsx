/* Whether a site's events arrive, and what to look at where they do not. */
import type { Site } from "../api-types";
import { formatDuration } from "../format";
import { words } from "../words/settings";
import { browserWishes, collectorOf, diagnose, type Finding } from "./diagnosis";

const say = words.snippet;

/* `isWaited`: that nothing has come is said already. */
export function Findings({ site, isWaited = false }: { site: Site; isWaited?: boolean }) {
  const all = diagnose(site, browserWishes(), Date.now());
  return (
    <ul class="findings" aria-live="polite">
      {all.filter(({ code }) => !isWaited || code !== "nothing").map((finding) => (
        <li key={finding.code} class={`finding is-${finding.kind}`}>
          <span class="finding-kind">{say[finding.kind]}</span> {sentence(finding, site)}
        </li>
      ))}
    </ul>
  );
}

export function Checks({ site, isOpen }: { site: Site; isOpen: boolean }) {
  const collector = collectorOf(site.snippet);
  return (
    <details open={isOpen}>
      <summary>{say.ifNothing}</summary>
      <ol class="checks">
        {say.checks(collector?.origin ?? "", collector?.script ?? "", site.domain).map(([title, what]) => (
          <li key={title}>
            <strong>{title}.</strong> {what}
          </li>
        ))}
      </ol>
    </details>
  );
}

function sentence(finding: Finding, site: Site): string {
  const collector = collectorOf(site.snippet);
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
