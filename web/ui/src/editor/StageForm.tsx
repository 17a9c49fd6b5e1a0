/* One stage: its name, its kind, what counts as it and what that matches, whether it is required, and
 * its place. */
import type { ApiError } from "../api";
import type { Attribute, StageKind } from "../api-types";
import { Field } from "../parts/basic";
import { messageOf } from "../parts/hooks";
import { NameField } from "../parts/NameField";
import { text } from "../text";
import { words } from "../words/editor";
import { othersOf } from "./asking";
import { Matches, type MatchScope } from "./Matches";
import { isFilled, isRequired, ruleOf, STAGES_MAX, STAGES_MIN, type Draft, type DraftStage } from "./model";
import { RuleForm } from "./RuleForm";

interface Props {
  site: string;
  attributes: Attribute[];
  draft: Draft;
  index: number;
  stage: DraftStage;
  error: ApiError | null;
  scope: MatchScope;
  /* its rule is being worked at */
  isActive: boolean;
  /* units that did it, by the draft's report; null where there is none */
  seen: number | null;
  /* how it looks while a stage is being dragged */
  dropped: string;
  onChange: (change: Partial<DraftStage>) => void;
  onKind: (kind: StageKind) => void;
  onRequired: () => void;
  onMove: (by: -1 | 1) => void;
  onDrag: (event: PointerEvent) => void;
  onAdd: () => void;
  onRemove: () => void;
  onActive: () => void;
}

const KINDS: StageKind[] = ["trace", "response", "engagement", "sale", "custom"];

export function StageForm(props: Props) {
  const { site, attributes, draft, index, stage, error, onChange } = props;
  const field = `stages[${index}]`;
  const at = (name: string) =>
    error?.field === `${field}.${name}` ? messageOf(error) : null;
  const onKeyDown = (event: KeyboardEvent) => {
    if (!event.altKey || (event.key !== "ArrowUp" && event.key !== "ArrowDown")) return;
    event.preventDefault();
    props.onMove(event.key === "ArrowUp" ? -1 : 1);
  };
  return (
    <fieldset
      class={`stage${props.dropped}`}
      data-card
      onKeyDown={onKeyDown}
      onFocusIn={props.onActive}
      onPointerDown={props.onActive}
    >
      <legend class="visually-hidden">{words.stage(index + 1)}</legend>
      <StageHead {...props} />
      {error?.field === field && <p class="field-error">{messageOf(error)}</p>}
      <div class="stage-fields">
        <NameField
          label={words.stageName}
          error={at("name")}
          max={100}
          value={stage.name}
          onChange={(name) => onChange({ name })}
        />
        <Field label={words.kind} error={at("kind")}>
          {(ids) => (
            <select
              {...ids}
              value={stage.kind}
              onChange={(event) => {
                const kind = KINDS.find((one) => one === event.currentTarget.value);
                if (kind !== undefined) props.onKind(kind);
              }}
            >
              {KINDS.map((kind) => (
                <option key={kind} value={kind}>
                  {text.kinds[kind]}
                </option>
              ))}
            </select>
          )}
        </Field>
        <RequiredSwitch {...props} />
      </div>
      <p class="rule-title">{words.rule}</p>
      <RuleForm
        site={site}
        attributes={attributes}
        rule={stage.rule}
        field={`${field}.rule`}
        error={error}
        onChange={(rule) => onChange({ rule })}
      />
      <Matches
        scope={props.scope}
        rule={isFilled(stage.rule) ? ruleOf(stage.rule) : null}
        others={othersOf(draft, index)}
        isActive={props.isActive}
        seen={props.seen === null ? "" : seenWords(draft, props.seen)}
      />
    </fieldset>
  );
}

function seenWords(draft: Draft, seen: number): string {
  return draft.count === "sessions" ? words.seenSessions(seen) : words.seenVisitors(seen);
}

function StageHead({ draft, index, stage, onMove, onDrag, onAdd, onRemove }: Props) {
  const name = stage.name === "" ? words.stage(index + 1) : stage.name;
  const isFirst = index === 0;
  const isLast = index === draft.stages.length - 1;
  /* aria-disabled, not disabled: a button that is disabled under the keyboard loses its place */
  const button = (label: string, sign: string, isOff: boolean, act: () => void) => (
    <button
      type="button"
      class="button is-icon"
      aria-label={label}
      title={label}
      aria-disabled={isOff}
      onClick={() => {
        if (!isOff) act();
      }}
    >
      {sign}
    </button>
  );
  return (
    <div class="stage-head">
      <span class="stage-handle" title={words.dragHandle} aria-hidden="true" onPointerDown={onDrag}>
        ⠿
      </span>
      <span class="card-number" aria-hidden="true">
        {index + 1}
      </span>
      <span class="stage-title">{name}</span>
      <span class="stage-buttons">
        {button(words.moveUp(name), "↑", isFirst, () => onMove(-1))}
        {button(words.moveDown(name), "↓", isLast, () => onMove(1))}
        {button(words.addStageHere, "+", draft.stages.length >= STAGES_MAX, onAdd)}
        {button(words.removeStage(name), "×", draft.stages.length <= STAGES_MIN, onRemove)}
      </span>
    </div>
  );
}

function RequiredSwitch({ draft, index, stage, onRequired }: Props) {
  return (
    <label class="check" title={words.requiredHint}>
      <input
        type="checkbox"
        role="switch"
        checked={isRequired(draft, index)}
        onChange={onRequired}
      />
      <span>
        {words.required}
        {stage.required === null && <span class="hint"> {words.requiredByPreset}</span>}
      </span>
    </label>
  );
}
