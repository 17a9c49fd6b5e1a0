/* Events that end a path between two stages. */
import { useState } from "preact/hooks";
import type { ApiError } from "../api";
import type { Attribute } from "../api-types";
import { messageOf } from "../parts/hooks";
import { text } from "../text";
import { words } from "../words/editor";
import { othersOf } from "./asking";
import { Matches, type MatchScope } from "./Matches";
import {
  addExclusion,
  changeExclusion,
  isFilled,
  removeExclusion,
  ruleOf,
  type Draft,
  type DraftExclusion,
} from "./model";
import { RuleForm } from "./RuleForm";

interface Props {
  site: string;
  attributes: Attribute[];
  draft: Draft;
  error: ApiError | null;
  scope: MatchScope;
  onChange: (draft: Draft) => void;
}

export function Exclusions({ site, attributes, draft, error, scope, onChange }: Props) {
  const [active, setActive] = useState<number | null>(null);
  return (
    <section aria-labelledby="exclusions-title">
      <h2 id="exclusions-title">{words.exclusions}</h2>
      <p class="hint">{words.exclusionsLead}</p>
      {draft.exclusions.map((exclusion, index) => {
        const field = `exclusions[${index}]`;
        const isOwn = error?.field === `${field}.from` || error?.field === `${field}.to`;
        return (
          <fieldset key={exclusion.id} class="stage" onFocusIn={() => setActive(exclusion.id)}>
            <legend class="visually-hidden">
              {words.exclusions} {index + 1}
            </legend>
            <Bounds
              draft={draft}
              exclusion={exclusion}
              onChange={(change) => onChange(changeExclusion(draft, exclusion.id, change))}
              onRemove={() => onChange(removeExclusion(draft, exclusion.id))}
            />
            {error !== null && (isOwn || error.field === field) && (
              <p class="field-error">{messageOf(error)}</p>
            )}
            <RuleForm
              site={site}
              attributes={attributes}
              rule={exclusion.rule}
              field={`${field}.rule`}
              error={error}
              onChange={(rule) => onChange(changeExclusion(draft, exclusion.id, { rule }))}
            />
            <Matches
              scope={scope}
              rule={isFilled(exclusion.rule) ? ruleOf(exclusion.rule) : null}
              others={othersOf(draft, -1)}
              isActive={active === exclusion.id}
              seen=""
            />
          </fieldset>
        );
      })}
      <button type="button" class="button" onClick={() => onChange(addExclusion(draft))}>
        + {words.addExclusion}
      </button>
    </section>
  );
}

function Bounds({
  draft,
  exclusion,
  onChange,
  onRemove,
}: {
  draft: Draft;
  exclusion: DraftExclusion;
  onChange: (change: Partial<DraftExclusion>) => void;
  onRemove: () => void;
}) {
  const select = (label: string, id: number | null, fallback: number, set: (id: number) => void) => (
    <label class="inline-field">
      {label}
      <select
        value={String(id ?? draft.stages[fallback]?.id ?? "")}
        onChange={(event) => set(Number(event.currentTarget.value))}
      >
        {draft.stages.map((stage, index) => (
          <option key={stage.id} value={String(stage.id)}>
            {text.report.stageNumber(index + 1, stage.name)}
          </option>
        ))}
      </select>
    </label>
  );
  return (
    <div class="stage-head">
      {select(words.exclusionFrom, exclusion.from, 0, (from) => onChange({ from }))}
      {select(words.exclusionTo, exclusion.to, draft.stages.length - 1, (to) => onChange({ to }))}
      <span class="stage-buttons">
        <button
          type="button"
          class="button is-icon"
          aria-label={words.removeExclusion}
          title={words.removeExclusion}
          onClick={onRemove}
        >
          ×
        </button>
      </span>
    </div>
  );
}
