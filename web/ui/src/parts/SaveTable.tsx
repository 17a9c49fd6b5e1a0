/* A table, whole, as a file: CSV or Excel, made by the server from the same figures. */
import type { ExportFormat } from "../api-types";
import { text } from "../text";
import { Failed } from "./basic";
import { downloadBlob } from "./download";
import { useAction } from "./hooks";

const FORMATS: ExportFormat[] = ["csv", "xlsx"];

interface Props {
  /* what table it is */
  label: string;
  /* said before the buttons; none where the table's own title is enough */
  hint?: string;
  /* of which the file's name is made */
  file: string[];
  take: (format: ExportFormat) => Promise<Blob>;
}

export function SaveTable({ label, hint, file, take }: Props) {
  const action = useAction();
  const words = text.report.export;
  const name = file.map((part) => part.replace(/[^\p{L}\p{N}]+/gu, "-")).join("-");
  const save = (format: ExportFormat) =>
    action.run(async () => downloadBlob(`${name}.${format}`, await take(format)));
  return (
    <div class="export-table">
      {hint !== undefined && <span class="hint">{hint}</span>}
      {FORMATS.map((format) => (
        <button
          key={format}
          type="button"
          class="button is-quiet"
          aria-label={words.name(label, words.formats[format])}
          disabled={action.isBusy}
          onClick={() => void save(format)}
        >
          {words.formats[format]}
        </button>
      ))}
      {action.error !== null && <Failed error={action.error} />}
    </div>
  );
}
