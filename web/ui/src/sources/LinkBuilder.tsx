/* A campaign's link, put together in the browser; what is done with it is the children's. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { Site } from "../api-types";
import { CopyBox, Field } from "../parts/basic";
import { words } from "../words/content";
import { campaignLink, type CampaignLink } from "./campaignLink";
import { QrToggle } from "./QrToggle";

const say = words.builder;

interface Props {
  site: Site;
  /* gets the link, null while there is none */
  children: (made: string | null) => ComponentChildren;
}

export function LinkBuilder({ site, children }: Props) {
  const [parts, setParts] = useState<CampaignLink>({
    target: `https://${site.domain}/`,
    source: "",
    medium: "",
    campaign: "",
    term: "",
    content: "",
  });
  const made = campaignLink(parts);
  const fields: [keyof CampaignLink, string, string][] = [
    ["source", say.source, say.sourceHint],
    ["medium", say.medium, say.mediumHint],
    ["campaign", say.campaign, say.campaignHint],
    ["term", say.term, say.termHint],
    ["content", say.content, say.contentHint],
  ];
  return (
    <section class="panel stack" aria-labelledby="builder-title">
      <h2 id="builder-title">{say.title}</h2>
      <p class="hint">{say.lead}</p>
      <Field label={say.target} hint={say.targetHint} error={made === null ? say.targetBad : null}>
        {(ids) => (
          <input
            {...ids}
            type="url"
            spellcheck={false}
            value={parts.target}
            onInput={(event) => setParts({ ...parts, target: event.currentTarget.value })}
          />
        )}
      </Field>
      <div class="field-grid">
        {fields.map(([key, label, hint]) => (
          <Field key={key} label={label} hint={hint}>
            {(ids) => (
              <input
                {...ids}
                autocomplete="off"
                spellcheck={false}
                value={parts[key]}
                onInput={(event) => setParts({ ...parts, [key]: event.currentTarget.value })}
              />
            )}
          </Field>
        ))}
      </div>
      {made !== null && <CopyBox label={say.result} value={made} rows={2} />}
      {made !== null && (
        <div class="actions">
          <QrToggle address={made} name={parts.campaign === "" ? site.name : parts.campaign} />
        </div>
      )}
      {children(made)}
    </section>
  );
}
