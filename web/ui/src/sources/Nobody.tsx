import { words } from "../words/content";

export function Nobody() {
  return (
    <div class="empty">
      <p>
        <strong>{words.none}</strong>
      </p>
      <p>{words.noneHint}</p>
    </div>
  );
}
