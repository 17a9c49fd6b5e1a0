/* Makes a link that shows the report on the screen to whoever has it. */
import { useState } from "preact/hooks";
import { api, csvUrl } from "../api";
import type { NewShare, ReportRequest, Site } from "../api-types";
import type { Question } from "../ask/question";
import { addDays, type Range } from "../ask/range";
import { rangeName } from "../ask/words";
import { CopyBox, Field, Notice } from "../parts/basic";
import { Dialog } from "../parts/Dialog";
import { messageOf, useAction } from "../parts/hooks";
import { NameField } from "../parts/NameField";
import { link } from "../router";
import { text } from "../text";
import { words } from "../words/people";
import { sharedQuestion } from "./sharedQuestion";

const say = words.share;
const ENDS = [7, 30, 90, 365];
const USUAL_END = 90;

interface Props {
  site: Site;
  name: string;
  /* what is on the screen */
  request: ReportRequest;
  question: Question;
  onClose: () => void;
}

/* The days that are on the screen, whatever they are called today. */
function fixedWords({ from, to }: ReportRequest): string {
  const until = typeof to === "string" ? addDays(to, -1) : null;
  const range: Range = { kind: "dates", from: from ?? null, until };
  return rangeName(range.from === null && until === null ? { kind: "all" } : range);
}

export function ShareDialog(props: Props) {
  const [made, setMade] = useState<NewShare | null>(null);
  return (
    <Dialog title={say.title} onClose={props.onClose}>
      {made === null ? <Form {...props} onMade={setMade} /> : <Made {...props} made={made} />}
    </Dialog>
  );
}

function Form({ site, name: funnel, request, question, onMade, onClose }: Props & { onMade: (made: NewShare) => void }) {
  const { range } = question;
  const canRoll = range.kind === "days";
  const [name, setName] = useState(funnel);
  const [isRolling, setRolling] = useState(canRoll);
  const [ends, setEnds] = useState(String(USUAL_END));
  const action = useAction();
  const { error } = action;
  const submit = async () =>
    onMade(
      await api.addShare(site.name, {
        name: name.trim(),
        question: sharedQuestion(request, isRolling),
        days: isRolling && canRoll ? range.days : 0,
        expires_days: ends === "" ? null : Number(ends),
      }),
    );
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        void action.run(submit);
      }}
    >
      <p>{say.lead}</p>
      {error !== null && error.field !== "name" && <Notice kind="error">{messageOf(error)}</Notice>}
      <NameField
        label={say.name}
        error={error?.field === "name" ? messageOf(error) : null}
        max={120}
        value={name}
        onChange={setName}
      />
      {canRoll && (
        <Field label={say.days}>
          {({ id }) => (
            <select
              id={id}
              value={isRolling ? "rolling" : "fixed"}
              onChange={(event) => setRolling(event.currentTarget.value === "rolling")}
            >
              <option value="rolling">{say.rolling(range.days)}</option>
              <option value="fixed">{say.fixed(fixedWords(request))}</option>
            </select>
          )}
        </Field>
      )}
      {!canRoll && <p class="hint">{say.fixed(fixedWords(request))}</p>}
      <Field label={say.ends}>
        {({ id }) => (
          <select id={id} value={ends} onChange={(event) => setEnds(event.currentTarget.value)}>
            {ENDS.map((days) => (
              <option key={days} value={String(days)}>
                {say.after(days)}
              </option>
            ))}
            <option value="">{say.never}</option>
          </select>
        )}
      </Field>
      {(request.breakdown?.length ?? 0) > 1 && <p class="hint">{say.oneRow}</p>}
      <p class="actions">
        <button type="submit" class="button is-primary" disabled={action.isBusy}>
          {say.create}
        </button>
        <button type="button" class="button" onClick={onClose}>
          {text.common.cancel}
        </button>
      </p>
    </form>
  );
}

function Made({ site, made, onClose }: Props & { made: NewShare }) {
  const { origin } = window.location;
  return (
    <div class="stack">
      <CopyBox label={say.link} value={origin + made.path} rows={2} />
      <CopyBox label={say.csv} value={origin + csvUrl(made.token)} rows={2} />
      <p class="hint">{words.once}</p>
      <p class="actions">
        <button type="button" class="button is-primary" onClick={onClose}>
          {say.done}
        </button>
        <a class="button is-quiet" href={link.settings(site.name, "shares")} onClick={onClose}>
          {say.list}
        </a>
      </p>
    </div>
  );
}
