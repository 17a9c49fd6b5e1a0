/* In which language the dashboard speaks, in this browser. Each stands by its own name: whoever does not read the one
 * that is shown finds his. */
import { language, LANGUAGES, speak, type Language } from "../say";
import { text } from "../text";

export function LanguageChoice() {
  return (
    <label class="language">
      {text.account.language}{" "}
      <select value={language} onChange={(event) => speak(event.currentTarget.value as Language)}>
        {Object.entries(LANGUAGES).map(([name, own]) => (
          <option key={name} value={name} lang={name}>
            {own}
          </option>
        ))}
      </select>
    </label>
  );
}
