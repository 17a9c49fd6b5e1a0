/* The funnel as JSON: to read, to copy, to change, to save as a file and to open from one. */
import { useRef, useState } from "preact/hooks";
import { CopyBox, Field } from "../parts/basic";
import { download } from "../parts/download";
import { words } from "../words/editor";
import { definitionOf, draftOf, type Draft } from "./model";
import { FunnelError, parseFunnel } from "./parse";

interface Props {
  draft: Draft;
  onChange: (draft: Draft) => void;
}

function fileName(name: string): string {
  const plain = name.replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-+|-+$/g, "");
  return `${plain === "" ? "funnel" : plain}.json`;
}

export function JsonPanel({ draft, onChange }: Props) {
  const json = `${JSON.stringify(definitionOf(draft), null, 2)}\n`;
  /* what a person typed, null while the box shows the draft */
  const [typed, setTyped] = useState<string | null>(null);
  const [error, setError] = useState<string | null>(null);
  const box = useRef<HTMLTextAreaElement>(null);

  /* Brings the eye to the line that is wrong. */
  const show = (source: string, at: number) => {
    const area = box.current;
    if (area === null) return;
    const end = source.indexOf("\n", at);
    area.value = source;
    area.focus();
    area.setSelectionRange(at, end < 0 ? source.length : end);
  };
  const apply = (source: string) => {
    try {
      onChange(draftOf(parseFunnel(source)));
      setTyped(null);
      setError(null);
    } catch (reason) {
      setTyped(source);
      setError(words.jsonBad(reason instanceof Error ? reason.message : String(reason)));
      if (reason instanceof FunnelError) show(source, reason.at);
    }
  };
  const open = async (input: HTMLInputElement) => {
    const file = input.files?.item(0);
    if (file) apply(await file.text());
    input.value = "";
  };
  return (
    <details class="panel json">
      <summary>{words.json}</summary>
      <Field label={words.json} hint={words.jsonHint} error={error}>
        {(ids) => (
          <textarea
            {...ids}
            ref={box}
            class="code"
            rows={18}
            spellcheck={false}
            value={typed ?? json}
            onInput={(event) => setTyped(event.currentTarget.value)}
          />
        )}
      </Field>
      <p class="actions">
        <button
          type="button"
          class="button"
          disabled={typed === null}
          onClick={() => apply(typed ?? json)}
        >
          {words.jsonApply}
        </button>
        <button type="button" class="button" onClick={() => download(fileName(draft.name), json, "application/json")}>
          {words.jsonDownload}
        </button>
        <label class="button">
          {words.jsonOpen}
          <input
            class="visually-hidden"
            type="file"
            accept=".json,application/json"
            onChange={(event) => void open(event.currentTarget)}
          />
        </label>
      </p>
      <CopyBox label={words.json} value={json} rows={1} />
    </details>
  );
}
