/* What was done, in words. Pure. */
import { words } from "../words/people";

/* What stands in the path where the route has its last parameter: a funnel's name, an id. */
function lastParameter(action: string, path: string): string {
  const pattern = action.slice(action.indexOf(" ") + 1);
  const at = pattern.lastIndexOf("/{");
  /* as many parts before it; a name may have slashes of its own */
  const before = pattern.slice(0, at).split("/").length;
  return path.split("/").slice(before).join("/");
}

/* "PUT .../funnels/{name}" and the path as it was -> "saved the funnel Shop"; as it is where unknown. */
export function doneWords(action: string, path: string): string {
  const say = words.audit.did[action];
  return say === undefined ? `${action.split(" ")[0] ?? ""} ${path}` : say(lastParameter(action, path));
}

/* An email address, or "key 3". */
export function whoWords(who: string): string {
  const id = /^key (\d+)$/.exec(who)?.[1];
  return id === undefined ? who : words.audit.key(id);
}
