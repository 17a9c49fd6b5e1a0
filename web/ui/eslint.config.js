import { fileURLToPath } from "node:url";
import js from "@eslint/js";
import tseslint from "typescript-eslint";

/* Text reaches the page through the framework's escaping only: these sinks would pass it as HTML or
 * as code, and the page's policy (trusted-types 'none') would refuse them at run time anyway. */
const htmlSinks = [
  ["innerHTML", "text goes in by textContent or the framework"],
  ["outerHTML", "text goes in by textContent or the framework"],
  ["insertAdjacentHTML", "text goes in by textContent or the framework"],
  ["createContextualFragment", "text goes in by textContent or the framework"],
  ["parseFromString", "text goes in by textContent or the framework"],
  ["srcdoc", "no documents made of text"],
].map(([property, message]) => ({ property, message }));

const bannedSyntax = [
  {
    selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']",
    message: "text goes in by the framework's escaping",
  },
  { selector: "JSXAttribute[name.name='style']", message: "style-src 'self': use a class" },
  {
    selector: "JSXAttribute[name.name=/^on[a-z]/]",
    message: "handlers are functions named onClick, onInput, ...",
  },
  {
    selector: "Property[key.name='dangerouslySetInnerHTML']",
    message: "text goes in by the framework's escaping",
  },
  {
    selector: "CallExpression[callee.object.name='document'][callee.property.name=/^write/]",
    message: "no document.write",
  },
];

export default tseslint.config(
  { ignores: ["src/words", "dist/", "node_modules/", ".test/"] },
  js.configs.recommended,
  {
    files: ["**/*.ts", "**/*.tsx"],
    extends: [...tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: { project: "./tsconfig.json", tsconfigRootDir: fileURLToPath(new URL(".", import.meta.url)) },
    },
    rules: {
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: false }],
    },
  },
  {
    /* node:test's test() answers a promise which the runner itself waits for */
    files: ["tests/**/*.ts", "tests/**/*.tsx"],
    rules: {
      "@typescript-eslint/no-floating-promises": "off",
      "@typescript-eslint/no-non-null-assertion": "off",
    },
  },
  {
    files: ["**/*.mjs", "eslint.config.js"],
    languageOptions: {
      globals: {
        process: "readonly",
        console: "readonly",
        URL: "readonly",
        Buffer: "readonly",
        setTimeout: "readonly",
        clearTimeout: "readonly",
        document: "readonly",
        window: "readonly",
        fetch: "readonly",
        location: "readonly",
        structuredClone: "readonly",
      },
    },
  },
  {
    rules: {
      "no-eval": "error",
      "no-implied-eval": "off",
      "no-new-func": "error",
      "no-restricted-properties": ["error", ...htmlSinks],
      "no-restricted-syntax": ["error", ...bannedSyntax],
    },
  },
);
