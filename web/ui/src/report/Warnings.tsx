/* What the server warns of: figures that say less than they seem to. */
import type { Warning } from "../api-types";
import { formatShare } from "../format";
import { Notice } from "../parts/basic";
import { text } from "../text";

export function Warnings({ warnings }: { warnings: Warning[] }) {
  if (warnings.length === 0) return null;
  return (
    <Notice kind="info">
      <strong>{text.report.warnings}</strong>
      <ul class="warnings">
        {warnings.map(({ code, message, share }) => (
          <li key={code}>
            {message}
            {share !== undefined && ` (${text.report.warningShare(formatShare(share))})`}
          </li>
        ))}
      </ul>
    </Notice>
  );
}
