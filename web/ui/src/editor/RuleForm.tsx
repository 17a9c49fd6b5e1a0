/* A rule as a list of conditions. */
import { useId } from "preact/hooks";
import type { ApiError } from "../api";
import type { Attribute, AttributeClass } from "../api-types";
import { formatCount } from "../format";
import { messageOf } from "../parts/hooks";
import { attributeName, operatorName, ruleWords } from "../ruleWords";
import { text } from "../text";
import { words } from "../words/editor";
import {
  addCondition,
  changeCondition,
  conditionField,
  removeCondition,
  ruleOf,
  simpleRule,
  type DraftCondition,
  type DraftRule,
} from "./model";
import { fitValues, isNumberOp, operatorsFor, typeOf, valueCount } from "./operators";
import { ValuePicker } from "./ValuePicker";

export interface RuleFormProps {
  site: string;
  attributes: Attribute[];
  rule: DraftRule;
  /* the server's name for this rule: "stages[1].rule" */
  field: string;
  error: ApiError | null;
  onChange: (rule: DraftRule) => void;
}

function isWithin(field: string | null, path: string): boolean {
  return field !== null && (field === path || field.startsWith(`${path}.`) || field.startsWith(`${path}[`));
}

export function RuleForm({ site, attributes, rule, field, error, onChange }: RuleFormProps) {
  if (rule.kind === "nested")
    return (
      <div class="rule">
        <p>{ruleWords(ruleOf(rule))}</p>
        <p class="hint">{words.advanced}</p>
        {error !== null && isWithin(error.field, field) && (
          <p class="field-error">{messageOf(error)}</p>
        )}
        <button type="button" class="button is-quiet" onClick={() => onChange(simpleRule())}>
          {words.beginSimple}
        </button>
      </div>
    );
  const paths = rule.conditions.map((_, index) => conditionField(field, rule, index));
  const isOfRule =
    error !== null &&
    isWithin(error.field, field) &&
    !paths.some((path) => isWithin(error.field, path));
  return (
    <div class="rule">
      {rule.conditions.length > 1 && (
        <label class="inline-field">
          {words.match}
          <select
            value={rule.match}
            onChange={(event) =>
              onChange({ ...rule, match: event.currentTarget.value === "any" ? "any" : "all" })
            }
          >
            <option value="all">{words.all}</option>
            <option value="any">{words.any}</option>
          </select>
        </label>
      )}
      {rule.conditions.map((condition, index) => {
        const path = paths[index] ?? field;
        return (
          <ConditionForm
            key={condition.id}
            site={site}
            attributes={attributes}
            condition={condition}
            message={error !== null && isWithin(error.field, path) ? messageOf(error) : null}
            canRemove={rule.conditions.length > 1}
            onChange={(change) => onChange(changeCondition(rule, condition.id, change))}
            onRemove={() => onChange(removeCondition(rule, condition.id))}
          />
        );
      })}
      {isOfRule && <p class="field-error">{messageOf(error)}</p>}
      <button type="button" class="button is-quiet" onClick={() => onChange(addCondition(rule))}>
        + {words.addCondition}
      </button>
    </div>
  );
}

interface ConditionProps {
  site: string;
  attributes: Attribute[];
  condition: DraftCondition;
  message: string | null;
  canRemove: boolean;
  onChange: (change: Partial<DraftCondition>) => void;
  onRemove: () => void;
}

function ConditionForm(props: ConditionProps) {
  const { attributes, condition, message, canRemove, onChange, onRemove } = props;
  const errorId = `condition${useId()}`;
  const operators = operatorsFor(condition.attribute, typeOf(condition.attribute, attributes));
  const setAttribute = (attribute: string) => {
    const fitting = operatorsFor(attribute, typeOf(attribute, attributes));
    const op = fitting.includes(condition.op) ? condition.op : (fitting[0] ?? "is");
    onChange({ attribute, op, values: fitValues(op, []) });
  };
  return (
    <div class="condition" role="group" aria-describedby={message === null ? undefined : errorId}>
      <AttributeSelect value={condition.attribute} attributes={attributes} onChange={setAttribute} />
      <select
        aria-label={words.operator}
        value={condition.op}
        onChange={(event) => {
          const op = event.currentTarget.value;
          onChange({ op, values: fitValues(op, condition.values) });
        }}
      >
        {[...new Set([...operators, condition.op])].map((op) => (
          <option key={op} value={op}>
            {operatorName(op)}
          </option>
        ))}
      </select>
      <Values {...props} />
      {canRemove && (
        <button
          type="button"
          class="button is-icon"
          aria-label={words.removeCondition}
          title={words.removeCondition}
          onClick={onRemove}
        >
          ×
        </button>
      )}
      {valueCount(condition.op) === "many" && (
        <IgnoreCase condition={condition} onChange={onChange} />
      )}
      {message !== null && (
        <p class="field-error" id={errorId} role="alert">
          {message}
        </p>
      )}
    </div>
  );
}

/* Only shown where it is on, or where a text is compared in a way that people often mean loosely. */
function IgnoreCase({
  condition,
  onChange,
}: {
  condition: DraftCondition;
  onChange: (change: Partial<DraftCondition>) => void;
}) {
  if (condition.attribute === "event" && !condition.ignoreCase) return null;
  return (
    <label class="check is-small">
      <input
        type="checkbox"
        checked={condition.ignoreCase}
        onChange={(event) => onChange({ ignoreCase: event.currentTarget.checked })}
      />
      {words.ignoreCase}
    </label>
  );
}

const CLASSES: AttributeClass[] = ["event", "surroundings", "driver"];

function AttributeSelect({
  value,
  attributes,
  onChange,
}: {
  value: string;
  attributes: Attribute[];
  onChange: (attribute: string) => void;
}) {
  const isKnown = attributes.some((attribute) => attribute.name === value);
  return (
    <select
      aria-label={words.attribute}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
    >
      {!isKnown && <option value={value}>{attributeName(value)}</option>}
      {CLASSES.map((group) => {
        const members = attributes
          .filter((attribute) => attribute.class === group)
          .sort((a, b) => Number(b.seen > 0) - Number(a.seen > 0));
        return (
          members.length > 0 && (
            <optgroup key={group} label={text.rule.classes[group]}>
              {members.map((attribute) => (
                <option key={attribute.name} value={attribute.name}>
                  {attributeName(attribute.name)} ·{" "}
                  {attribute.seen === 0 ? words.notSeen : formatCount(attribute.seen)}
                </option>
              ))}
            </optgroup>
          )
        );
      })}
    </select>
  );
}

function Values({ site, attributes, condition, message, onChange }: ConditionProps) {
  const count = valueCount(condition.op);
  if (count === 0) return <span class="condition-values" />;
  if (typeOf(condition.attribute, attributes) === "flag")
    return (
      <select
        class="condition-values"
        aria-label={words.value}
        value={condition.values[0] ?? ""}
        onChange={(event) => onChange({ values: [event.currentTarget.value] })}
      >
        <option value="">{text.sites.choose}</option>
        <option value="true">true</option>
        <option value="false">false</option>
      </select>
    );
  if (isNumberOp(condition.op)) return <Numbers condition={condition} onChange={onChange} />;
  return (
    <div class="condition-values">
      <ValuePicker
        site={site}
        attribute={condition.attribute}
        values={condition.values}
        label={words.values}
        isWrong={message !== null}
        onChange={(values) => onChange({ values })}
      />
    </div>
  );
}

function Numbers({
  condition,
  onChange,
}: {
  condition: DraftCondition;
  onChange: (change: Partial<DraftCondition>) => void;
}) {
  const labels = condition.op === "between" ? [words.low, words.high] : [words.value];
  return (
    <span class="condition-values condition-numbers">
      {labels.map((label, index) => {
        const value = condition.values[index] ?? "";
        const isWrong = value !== "" && !Number.isFinite(Number(value));
        return (
          <input
            key={label}
            inputMode="decimal"
            aria-label={label}
            aria-invalid={isWrong}
            title={isWrong ? words.numberNeeded : label}
            placeholder={label}
            value={value}
            onInput={(event) => {
              const values = labels.map((_, i) => condition.values[i] ?? "");
              values[index] = event.currentTarget.value;
              onChange({ values });
            }}
          />
        );
      })}
    </span>
  );
}
