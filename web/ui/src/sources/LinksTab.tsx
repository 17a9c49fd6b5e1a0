/* Campaign links: one is put together, and kept as a short one that counts its clicks. */
import { useState } from "preact/hooks";
import { api } from "../api";
import type { Redirect, Site } from "../api-types";
import { Await, CopyBox, Field, Notice } from "../parts/basic";
import { Confirm } from "../parts/Confirm";
import { messageOf, useAction, useLoaded } from "../parts/hooks";
import { isAtLeast } from "../people/rights";
import { words } from "../words/content";
import { LinkBuilder } from "./LinkBuilder";
import { QrToggle } from "./QrToggle";

const say = words.redirects;

export function LinksTab({ site }: { site: Site }) {
  const loaded = useLoaded((signal) => api.redirects(site.name, signal), site.name);
  return <Await loaded={loaded}>{(links) => <Links site={site} initial={links} />}</Await>;
}

function Links({ site, initial }: { site: Site; initial: Redirect[] }) {
  const [links, setLinks] = useState(initial);
  const [note, setNote] = useState("");
  const canChange = isAtLeast(site, "editor");
  const add = (made: Redirect) => setLinks((old) => [...old, made]);
  const remove = async (slug: string) => {
    await api.removeRedirect(site.name, slug);
    setLinks((old) => old.filter((one) => one.slug !== slug));
    setNote(say.removed(slug));
  };
  return (
    <div class="stack">
      <LinkBuilder site={site}>
        {(made) => canChange && <ShortForm site={site} target={made} onMade={add} />}
      </LinkBuilder>
      <section class="panel stack" aria-labelledby="redirects-title">
        <h2 id="redirects-title">{say.title}</h2>
        <p class="hint">{links.length === 0 ? say.none : say.lead}</p>
        <p class="visually-hidden" role="status">
          {note}
        </p>
        <ul class="access-list">
          {links.map((link) => (
            <li key={link.slug}>
              <div class="access-main">
                <CopyBox label={link.slug} value={link.address} />
                <p class="row-sub">→ {link.target}</p>
              </div>
              <QrToggle address={link.address} name={link.slug} of={link.slug} />
              {canChange && (
                <Confirm
                  label={say.remove}
                  name={say.removeOf(link.slug)}
                  title={say.removeTitle}
                  yes={say.remove}
                  run={() => remove(link.slug)}
                >
                  <p>{say.removeLead(link.address)}</p>
                </Confirm>
              )}
            </li>
          ))}
        </ul>
      </section>
    </div>
  );
}

interface ShortProps {
  site: Site;
  /* null: there is no whole address yet */
  target: string | null;
  onMade: (made: Redirect) => void;
}

function ShortForm({ site, target, onMade }: ShortProps) {
  const text = words.builder;
  const [slug, setSlug] = useState("");
  const [made, setMade] = useState("");
  const action = useAction();
  const { error } = action;
  const submit = async () => {
    if (target === null) return;
    const next = await api.addRedirect(site.name, slug, target);
    setSlug("");
    setMade(next.address);
    onMade(next);
  };
  return (
    <form
      class="stack"
      aria-label={text.short}
      onSubmit={(event) => {
        event.preventDefault();
        void action.run(submit);
      }}
    >
      <p class="hint">{text.shortLead}</p>
      {error !== null && error.field !== "slug" && <Notice kind="error">{messageOf(error)}</Notice>}
      <div class="access-form">
        <Field label={text.slug} error={error?.field === "slug" ? messageOf(error) : null}>
          {(ids) => (
            <input
              {...ids}
              required
              maxLength={64}
              autocomplete="off"
              spellcheck={false}
              value={slug}
              onInput={(event) => setSlug(event.currentTarget.value.replace(/[^A-Za-z0-9_-]/g, ""))}
            />
          )}
        </Field>
        <button type="submit" class="button is-primary" disabled={action.isBusy || target === null}>
          {text.short}
        </button>
      </div>
      <p class="hint" role="status">
        {made === "" ? "" : text.made(made)}
      </p>
    </form>
  );
}
