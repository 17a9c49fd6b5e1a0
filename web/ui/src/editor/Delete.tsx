/* Forgetting a funnel. */
import { useState } from "preact/hooks";
import { api, type ApiError } from "../api";
import type { Site } from "../api-types";
import { asApiError } from "../parts/hooks";
import { text } from "../text";
import { words } from "../words/editor";

/* Asks once more in place: a browser's own dialog would stop everything else. */
export function Delete({
  site,
  name,
  onGone,
  onError,
}: {
  site: Site;
  name: string;
  onGone: () => void;
  onError: (error: ApiError) => void;
}) {
  const [isAsking, setAsking] = useState(false);
  const remove = () => {
    api.removeFunnel(site.name, name).then(onGone, (reason: unknown) => onError(asApiError(reason)));
  };
  if (!isAsking)
    return (
      <button type="button" class="button is-danger" onClick={() => setAsking(true)}>
        {words.delete}
      </button>
    );
  return (
    <span class="confirm" role="alertdialog" aria-label={words.deleteConfirm(name)}>
      {words.deleteConfirm(name)}{" "}
      <button type="button" class="button is-danger" onClick={remove}>
        {words.deleteYes}
      </button>{" "}
      <button type="button" class="button" onClick={() => setAsking(false)}>
        {text.common.cancel}
      </button>
    </span>
  );
}
