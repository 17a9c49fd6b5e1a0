/* The funnel's stages: added by kind, removed, moved by drag, by buttons and by the keyboard. */
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { ApiError } from "../api";
import type { Attribute, Report, StageKind } from "../api-types";
import { Menu } from "../parts/Menu";
import { text } from "../text";
import { words } from "../words/editor";
import type { MatchScope } from "./Matches";
import { addStage, changeKind, changeStage, moveStage, removeStage, STAGES_MAX, toggleRequired, type Draft } from "./model";
import { StageForm } from "./StageForm";
import { isChosenName, stageOfKind } from "./templates";
import { dropClass, useDrag } from "./useDrag";

interface Props {
  attributes: Attribute[];
  /* event names that the site sent */
  sent: string[];
  draft: Draft;
  report: Report | null;
  error: ApiError | null;
  scope: MatchScope;
  active: number | null;
  onActive: (id: number) => void;
  onChange: (draft: Draft) => void;
  announce: (words: string) => void;
}

const KINDS: StageKind[] = ["trace", "response", "engagement", "sale", "custom"];

export function StageList({ attributes, sent, draft, report, error, scope, active, onActive, onChange, announce }: Props) {
  const keepFocus = useFocusKeeper();
  const { stages } = draft;
  const move = (from: number, to: number) => {
    const next = moveStage(draft, from, to);
    if (next === draft) return;
    keepFocus();
    onChange(next);
    announce(words.moved(stages[from]?.name ?? "", to + 1));
  };
  const add = (after: number, kind: StageKind) =>
    onChange(addStage(draft, after, stageOfKind(kind, stages.length + 1, sent)));
  const { list, drag, start } = useDrag(move);
  return (
    <section aria-labelledby="stages-title">
      <h2 id="stages-title">{words.stages}</h2>
      <p class="hint">{words.moveKeys}</p>
      <div ref={list}>
        {stages.map((stage, index) => (
          <StageForm
            key={stage.id}
            site={scope.site.name}
            attributes={attributes}
            draft={draft}
            index={index}
            stage={stage}
            error={error}
            scope={scope}
            isActive={active === stage.id}
            seen={report?.stages[index]?.seen ?? null}
            dropped={dropClass(drag, index)}
            onChange={(part) => onChange(changeStage(draft, stage.id, part))}
            onKind={(kind) => onChange(changeKind(draft, stage.id, stageOfKind(kind, index + 1, sent), isChosenName))}
            onRequired={() => onChange(toggleRequired(draft, index))}
            onMove={(by) => move(index, index + by)}
            onDrag={(event) => start(event, index)}
            onAdd={() => add(index, "custom")}
            onRemove={() => onChange(removeStage(draft, index))}
            onActive={() => onActive(stage.id)}
          />
        ))}
      </div>
      {stages.length < STAGES_MAX && <AddStage onAdd={(kind) => add(stages.length - 1, kind)} />}
    </section>
  );
}

function AddStage({ onAdd }: { onAdd: (kind: StageKind) => void }) {
  return (
    <Menu label={`+ ${words.addStage}`} name={words.addStage}>
      {(close) => (
        <ul class="pick">
          {KINDS.map((kind) => (
            <li key={kind}>
              <button
                type="button"
                class="pick-row"
                onClick={() => {
                  close();
                  onAdd(kind);
                }}
              >
                <span>
                  <strong>{text.kinds[kind]}</strong> <span class="hint">{words.kindHints[kind]}</span>
                </span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </Menu>
  );
}

/* Moving an element in the document takes the keyboard's focus from it; this gives it back. */
function useFocusKeeper(): () => void {
  const held = useRef<Element | null>(null);
  const [, render] = useState(0);
  useLayoutEffect(() => {
    if (held.current instanceof HTMLElement && document.activeElement !== held.current) held.current.focus();
    held.current = null;
  });
  return () => {
    held.current = document.activeElement;
    render((count) => count + 1);
  };
}
