/* The catalogue of what the dashboard says, web/text/<language>.json, made into TypeScript: one module a language and
 * section in src/words/<language>/, and src/words/<section>.ts, which loads the one of the language that is shown.
 *
 * A text is an ICU message: {name}, {count, number}, {count, plural, one {# day} other {# days}} and
 * {what, select, empty {nothing} other {{what}}}, where "empty" is the empty text. A key with parameters is a function:
 * "moved(name, place)": "{name} is now stage {place, number}". A key that ends in [] is asked by names that are only
 * known when it runs. Every language has the keys of en.json and the parameters of its texts; anything else ends this
 * program with the list of what is wrong. */
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parse, TYPE } from "@formatjs/icu-messageformat-parser";

const CATALOGUE = fileURLToPath(new URL("../../text/", import.meta.url));
const MODULES = fileURLToPath(new URL("../src/words/", import.meta.url));
const SOURCE = "en";

/* "moved(name, place)" -> its name and parameters; "reasons[]" -> a map */
function keyParts(key) {
  const [, name, , parameters, map] = /^(.*?)(\(([\w, ]*)\))?(\[\])?$/.exec(key);
  return { name, parameters: parameters === undefined ? null : parameters.split(", "), isMap: map !== undefined };
}

/* Each argument of a message, with the kind of value it takes. */
function argumentsOf(elements, found = new Map()) {
  for (const element of elements) {
    if (element.type === TYPE.argument || element.type === TYPE.select) {
      if (!found.has(element.value)) found.set(element.value, "string");
    } else if (element.type === TYPE.number || element.type === TYPE.plural) {
      found.set(element.value, "number");
    } else if (element.type !== TYPE.literal && element.type !== TYPE.pound) {
      throw new Error("only text, {name}, number, plural and select are known");
    }
    for (const option of Object.values(element.options ?? {})) argumentsOf(option.value, found);
  }
  return found;
}

/* The inside of a template literal; `used` collects the helpers it calls. */
function templateOf(elements, used, counted) {
  return elements
    .map((element) => {
      switch (element.type) {
        case TYPE.literal:
          return element.value.replace(/[`\\]|\$\{/g, "\\$&");
        case TYPE.argument:
          return `\${${element.value}}`;
        case TYPE.number:
          used.add("n");
          return `\${n(${element.value})}`;
        case TYPE.pound:
          used.add("n");
          return `\${n(${counted})}`;
        case TYPE.plural:
          return pluralOf(element, used);
        default:
          return selectOf(element, used, counted);
      }
    })
    .join("");
}

function pluralOf({ value, options }, used) {
  const forms = Object.entries(options).map(([form, { value: elements }]) => [form, templateOf(elements, used, value)]);
  if (forms.length === 1) return forms[0][1];
  used.add("choose");
  return `\${choose(${value}, { ${forms.map(([form, text]) => `${JSON.stringify(form)}: \`${text}\``).join(", ")} })}`;
}

function selectOf({ value, options }, used, counted) {
  const text = ({ value: elements }) => `\`${templateOf(elements, used, counted)}\``;
  const { other, ...named } = options;
  const tests = Object.entries(named).map(
    ([word, option]) => `${value} === ${JSON.stringify(word === "empty" ? "" : word)} ? ${text(option)} : `,
  );
  return `\${${tests.join("")}${text(other)}}`;
}

/* One language's catalogue. Problems are collected, so that a translator sees all of them at once. */
class Language {
  constructor(folder, name, source) {
    this.name = name;
    this.source = source; // null: this is the source
    this.root = JSON.parse(readFileSync(`${folder}${name}.json`, "utf8"));
    this.problems = [];
    this.forms = new Intl.PluralRules(name).resolvedOptions().pluralCategories;
  }

  wrong(path, what) {
    this.problems.push(`web/text/${this.name}.json: ${path.join(".")}: ${what}`);
  }

  message(text, path) {
    try {
      const elements = parse(text, { ignoreTag: true });
      return { elements, kinds: argumentsOf(elements) };
    } catch (error) {
      this.wrong(path, error.message);
      return { elements: [], kinds: new Map() };
    }
  }

  checkForms(elements, path) {
    for (const element of elements) {
      for (const option of Object.values(element.options ?? {})) this.checkForms(option.value, path);
      if (element.type !== TYPE.plural) continue;
      const given = Object.keys(element.options);
      const missing = this.forms.filter((form) => !given.includes(form));
      const odd = given.filter((form) => !form.startsWith("=") && !this.forms.includes(form));
      if (missing.length > 0) this.wrong(path, `the plural lacks ${missing.join(", ")}`);
      if (odd.length > 0) this.wrong(path, `the language has no plural ${odd.join(", ")}`);
    }
  }

  code(value, source, path, parameters, used, kinds) {
    if (typeof value !== typeof source || Array.isArray(value) !== Array.isArray(source)) {
      this.wrong(path, "is of another kind than in the source");
      return "``";
    }
    if (typeof value === "string") {
      const { elements, kinds: own } = this.message(value, path);
      this.checkForms(elements, path);
      const meant = this.message(source, path).kinds;
      if (value.trim() === "" && source.trim() !== "") this.wrong(path, "is empty");
      for (const [name, kind] of meant) kinds.set(name, kind === "number" ? kind : kinds.get(name) ?? kind);
      for (const name of own.keys())
        if (!(parameters ?? []).includes(name)) this.wrong(path, `{${name}} is no parameter of the key`);
        else if (meant.has(name) && own.get(name) !== meant.get(name))
          this.wrong(path, `{${name}} is a ${meant.get(name)}`);
      for (const name of meant.keys()) if (!own.has(name)) this.wrong(path, `{${name}} is missing`);
      const template = templateOf(elements, used);
      return template.includes("${") ? `\`${template}\`` : JSON.stringify(elements.map((e) => e.value).join(""));
    }
    if (Array.isArray(value)) {
      if (value.length !== source.length) this.wrong(path, `has ${value.length} texts, not ${source.length}`);
      const parts = source.map((from, i) => this.code(value[i] ?? "", from, [...path, i], parameters, used, kinds));
      const isTuple = source.every((part) => typeof part === "string");
      return `[${parts.join(", ")}]${isTuple ? ` as [${source.map(() => "string").join(", ")}]` : ""}`;
    }
    return this.object(value, source, path, used);
  }

  object(value, source, path, used) {
    for (const key of Object.keys(value)) if (!(key in source)) this.wrong([...path, key], "is not in the source");
    const members = Object.entries(source).map(([key, from]) => {
      const { name, parameters, isMap } = keyParts(key);
      const kinds = new Map();
      if (!(key in value)) {
        this.wrong([...path, key], "is missing");
        return "";
      }
      const code = this.code(value[key], from, [...path, key], parameters, used, kinds);
      const typed = (parameters ?? []).map(
        (parameter) => `${kinds.has(parameter) ? "" : "_"}${parameter}: ${kinds.get(parameter) ?? "string"}`,
      );
      const result = typeof from === "string" ? ": string" : "";
      const said = parameters === null ? code : `(${typed.join(", ")})${result} => ${code}`;
      if (isMap) used.add("open");
      return `${JSON.stringify(name)}: ${isMap ? `open(${said})` : said}`;
    });
    return `{\n${members.join(",\n")}\n}`;
  }

  section(name) {
    const used = new Set();
    const code = this.object(this.root[name] ?? {}, this.source?.root[name] ?? this.root[name], [name], used);
    const helpers = [...used].sort().join(", ");
    return (
      `/* Made of web/text/${this.name}.json by scripts/words.mjs. */\n` +
      (helpers === "" ? "" : 'import type { Say } from "../../say";\n\n') +
      `export const words = (${helpers === "" ? "" : `{ ${helpers} }: Say`}) => (${code});\n`
    );
  }
}

const loaderOf = (section, languages) => `/* Made by scripts/words.mjs: this section in the language that is shown. */
import { language, say } from "../say";
import type { words as source } from "./${SOURCE}/${section}";

const modules: Record<typeof language, () => Promise<{ words: typeof source }>> = {
${languages.map((name) => `  ${name}: () => import("./${name}/${section}"),`).join("\n")}
};
export const words = (await modules[language]()).words(say);
`;

/* Writes all modules anew; returns what is wrong with the catalogue, nothing where it is right. */
export function makeWords(catalogue = CATALOGUE, modules = MODULES) {
  const names = readdirSync(catalogue).filter((file) => file.endsWith(".json")).map((file) => file.slice(0, -".json".length));
  const source = new Language(catalogue, SOURCE, null);
  const languages = names.map((name) => (name === SOURCE ? source : new Language(catalogue, name, source)));
  const sections = Object.keys(source.root);
  rmSync(modules, { recursive: true, force: true });
  for (const language of languages) {
    mkdirSync(`${modules}${language.name}`, { recursive: true });
    for (const section of Object.keys(language.root))
      if (!sections.includes(section)) language.wrong([section], "is not in the source");
    for (const section of sections) writeFileSync(`${modules}${language.name}/${section}.ts`, language.section(section));
  }
  for (const section of sections) writeFileSync(`${modules}${section}.ts`, loaderOf(section, names));
  return [...new Set(languages.flatMap((language) => language.problems))];
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const problems = makeWords(...process.argv.slice(2));
  for (const problem of problems) console.error(problem);
  process.exit(problems.length > 0 ? 1 : 0);
}
