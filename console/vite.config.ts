// How the console is built: one script, one style sheet, one font, named alike in every build.
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

export default defineConfig({
  // Relative, so that any path prefix will do.
  base: "./",
  plugins: [svelte()],
  build: {
    outDir: "build",
    target: "es2022",
    modulePreload: false,
    cssCodeSplit: false,
    assetsInlineLimit: 0,
    rollupOptions: {
      output: {
        entryFileNames: "console.js",
        assetFileNames: ({ names }) => (names[0]?.endsWith(".woff2") ? "inter.woff2" : "console.[ext]"),
      },
    },
  },
});
