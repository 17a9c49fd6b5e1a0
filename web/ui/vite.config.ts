import { defineConfig } from "vite";

/* of a language: by its section, the part that it is loaded with */
const parts: Record<string, string> = { text: "", health: "-health", people: "-people", start: "-people" };

/* The built files are served under a policy without inline anything (script, style, data URL), so
 * nothing may be inlined and no polyfill may be injected. */
export default defineConfig({
  esbuild: { jsx: "automatic", jsxImportSource: "preact" },
  build: {
    target: "es2022",
    outDir: "dist",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    modulePreload: { polyfill: false },
    sourcemap: false,
    /* what is said is in files of its own, with a budget of their own (scripts/size.mjs): of each language what every
     * screen needs, and the words of screens that are loaded when they are opened */
    rollupOptions: {
      output: {
        manualChunks: (id) => {
          const [, language, section = ""] = /\/src\/words\/(\w+)\/(\w+)\.ts$/.exec(id) ?? [];
          return language === undefined ? undefined : `language-${language}${parts[section] ?? "-more"}`;
        },
      },
    },
  },
});
