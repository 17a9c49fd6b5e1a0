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
    /* what is said is a file of its own: one a language, with a budget of its own (scripts/size.mjs) */
    rollupOptions: {
      output: {
        manualChunks: (id) => (/\/src\/(text\.ts|words\/)/.test(id) ? "language" : undefined),
      },
    },
  },
});
