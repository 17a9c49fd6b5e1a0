/* The report to take away: its JSON, and the command that prints the same. */
import type { Report } from "../api-types";
import { useState } from "preact/hooks";
import { CopyBox } from "../parts/basic";
import { download } from "../parts/download";
import { Menu } from "../parts/Menu";
import { isAtLeast } from "../people/rights";
import { lazy } from "../shell/lazy";
import { text } from "../text";
import { commandOf } from "./command";
import { shownRequest } from "./useReport";
import type { View } from "./view";

const ShareDialog = lazy(() => import("../share/ShareDialog").then((file) => file.ShareDialog));

export function ReportActions({ view, report }: { view: View; report: Report }) {
  const { site, saved, state, question, today } = view;
  const words = text.report;
  const [isSharing, setSharing] = useState(false);
  const request = shownRequest(saved.definition, state, question, today, site);
  const isAsSaved = request.funnel === saved.definition;
  const command = commandOf(site.name, request, isAsSaved ? saved.name : null, report.as_of);
  const save = () => {
    const name = `${saved.name.replace(/[^\p{L}\p{N}]+/gu, "-")}-${today}.json`;
    download(name, `${JSON.stringify({ command, report }, null, 2)}\n`, "application/json");
  };
  return (
    <>
      <Menu
        label={
          <>
            {words.take} <span aria-hidden="true">▾</span>
          </>
        }
        name={words.take}
      >
        {(close) => (
          <div class="pick">
            <button
              type="button"
              class="pick-row"
              onClick={() => {
                close();
                save();
              }}
            >
              {words.takeJson}
            </button>
            <button
              type="button"
              class="pick-row"
              onClick={() => {
                close();
                window.print();
              }}
            >
              {words.print}
            </button>
            {isAtLeast(site, "editor") && (
              <button
                type="button"
                class="pick-row"
                onClick={() => {
                  close();
                  setSharing(true);
                }}
              >
                {words.share}
              </button>
            )}
            <CopyBox label={words.command} value={command} rows={4} />
          </div>
        )}
      </Menu>
      {isSharing && (
        <ShareDialog
          site={site}
          name={saved.name}
          request={request}
          question={question}
          onClose={() => setSharing(false)}
        />
      )}
    </>
  );
}
