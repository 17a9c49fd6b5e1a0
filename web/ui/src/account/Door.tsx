/* The frame of the screens before one is signed in. */
import type { ComponentChildren } from "preact";
import { useTitle } from "../parts/hooks";
import { LanguageChoice } from "./LanguageChoice";
import { text } from "../text";

export function Door({ title, children }: { title: string; children: ComponentChildren }) {
  useTitle(title);
  return (
    <main class="door">
      <p class="door-brand">
        <svg width="30" height="30" viewBox="0 0 32 32" aria-hidden="true">
          <rect width="32" height="32" rx="7" fill="#2f54d0" />
          <path d="M7 8h18l-6.5 8.5V25l-5-3v-5.500z" fill="#fff" />
        </svg>
        {text.product}
      </p>
      <div class="panel">
        <h1>{title}</h1>
        {children}
      </div>
      <LanguageChoice />
    </main>
  );
}
