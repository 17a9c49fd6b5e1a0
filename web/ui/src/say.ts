/* In which language, and how numbers stand in its sentences. What is said is in web/text/*.json. */

const LOCALES = { en: "en-GB", id: "id", ms: "ms", zh: "zh-Hans", pl: "pl" } as const;

export type Language = keyof typeof LOCALES;

export const LANGUAGES: Record<Language, string> = {
  en: "English",
  id: "Bahasa Indonesia",
  ms: "Bahasa Melayu",
  zh: "简体中文",
  pl: "Polski",
};

const KEPT = "corong.language";

function isLanguage(word: string | null | undefined): word is Language {
  return word !== null && word !== undefined && Object.hasOwn(LOCALES, word);
}

/* The one that was chosen here, else the first of the browser's that there is. */
function chosen(): Language {
  try {
    const kept = localStorage.getItem(KEPT);
    if (isLanguage(kept)) return kept;
  } catch {
    // storage is closed to pages: the browser's own language then
  }
  const wished = typeof navigator === "undefined" ? [] : navigator.languages;
  return wished.map((tag) => tag.split("-")[0]).find(isLanguage) ?? "en";
}

export const language = chosen();
export const LOCALE = LOCALES[language];

/* From now on in this language: the page is opened anew, in it. */
export function speak(next: Language): void {
  localStorage.setItem(KEPT, next);
  location.reload();
}

const integers = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0 });
const rules = new Intl.PluralRules(LOCALE);

export const say = {
  n: (count: number): string => integers.format(count),
  /* of a plural's forms the one that fits: "=1" before "one" */
  choose: (count: number, forms: Record<string, string>): string =>
    forms[`=${count}`] ?? forms[rules.select(count)] ?? forms["other"] ?? "",
  /* asked by names that are only known now */
  open: <T>(map: Record<string, T>): Record<string, T> => map,
};
export type Say = typeof say;
