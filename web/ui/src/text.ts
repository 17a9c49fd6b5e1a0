/* What every screen says; a screen's own words are in the section of its name, words/<section>. All of it is made of
 * the catalogue, web/text/*.json, by scripts/words.mjs. */
export { LOCALE } from "./say";
export { words as text } from "./words/text";
