import { defineConfig } from "vite";

/* The built files are served under a policy without inline anything (script, style, data URL), so
 * nothing may be inlined and no polyfill may be injected. */
export default defineConfig({
  esbuild: { jsx: "automatic", jsxImportSource: "preact" },
  build: {
    target: "es2021",
    outDir: "dist",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    modulePreload: { polyfill: false },
    sourcemap: false,
    /* what is said is in files of its own, with a budget of their own (scripts/size.mjs): what text.ts
     * puts together, and the words of screens that are loaded when they are opened */
    rollupOptions: {
      output: {
        manualChunks: (id) => {
          if (/\/src\/(text\.ts|words\/(numbers|shell|report|overview|dropoff)\.ts)/.test(id)) return "language";
          if (/\/src\/words\/health\.ts/.test(id)) return "language-health";
          if (/\/src\/words\/(people|start)\.ts/.test(id)) return "language-people";
          return /\/src\/words\//.test(id) ? "language-more" : undefined;
        },
      },
    },
  },
});
