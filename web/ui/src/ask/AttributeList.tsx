/* Every attribute that the site has sent, by search. */
import { useState } from "preact/hooks";
import { api } from "../api";
import type { Attribute, AttributeClass } from "../api-types";
import { formatCount } from "../format";
import { Await } from "../parts/basic";
import { useLoaded } from "../parts/hooks";
import { attributeName } from "../ruleWords";
import { text } from "../text";
import { byUse } from "./filter";
import { capital } from "./words";

const CLASSES: AttributeClass[] = ["driver", "surroundings", "event"];

interface Props {
  site: string;
  onChoose: (attribute: string) => void;
}

export function AttributeList({ site, onChoose }: Props) {
  const loaded = useLoaded(() => api.attributes(site), site);
  return <Await loaded={loaded}>{(attributes) => <Searched attributes={attributes} onChoose={onChoose} />}</Await>;
}

function Searched({ attributes, onChoose }: { attributes: Attribute[]; onChoose: Props["onChoose"] }) {
  const [typed, setTyped] = useState("");
  const wanted = typed.trim().toLowerCase();
  const found = byUse(attributes).filter(({ name }) =>
    `${name} ${attributeName(name)}`.toLowerCase().includes(wanted),
  );
  return (
    <div class="pick">
      <input
        type="search"
        aria-label={text.ask.searchAttribute}
        placeholder={text.ask.searchAttribute}
        value={typed}
        onInput={(event) => setTyped(event.currentTarget.value)}
      />
      <div class="pick-list">
        {CLASSES.map((group) => {
          const members = found.filter((attribute) => attribute.class === group);
          return (
            members.length > 0 && (
              <section key={group} aria-label={text.rule.classes[group]}>
                <p class="pick-title">{text.rule.classes[group]}</p>
                <ul>
                  {members.map(({ name, seen }) => (
                    <li key={name}>
                      <button type="button" class="pick-row" onClick={() => onChoose(name)}>
                        <span>{capital(attributeName(name))}</span>
                        <span class="pick-count">{formatCount(seen)}</span>
                      </button>
                    </li>
                  ))}
                </ul>
              </section>
            )
          );
        })}
      </div>
    </div>
  );
}
