/* A campaign's link, made in the browser; nothing of it is sent. */
import { useState } from "preact/hooks";
import type { Site } from "../api-types";
import { CopyBox, Field } from "../parts/basic";
import { words } from "../words/content";
import { campaignLink, shellWord, type CampaignLink } from "./campaignLink";

const say = words.builder;

export function LinkBuilder({ site }: { site: Site }) {
  const [parts, setParts] = useState<CampaignLink>({
    target: `https://${site.domain}/`,
    source: "",
    medium: "",
    campaign: "",
    term: "",
    content: "",
  });
  const [slug, setSlug] = useState("");
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
        <Field label={say.slug} hint={say.slugHint}>
          {(ids) => (
            <input
              {...ids}
              autocomplete="off"
              spellcheck={false}
              value={slug}
              onInput={(event) => setSlug(event.currentTarget.value.replace(/[^A-Za-z0-9_-]/g, ""))}
            />
          )}
        </Field>
      </div>
      {made !== null && <CopyBox label={say.result} value={made} rows={2} />}
      {made !== null && slug !== "" && (
        <CopyBox label={say.short} value={`corong link add ${site.name} ${slug} ${shellWord(made)}`} rows={2} />
      )}
    </section>
  );
}
