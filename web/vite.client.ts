/** Builds the package: the client and the worker, as modules with fixed names. */

import { defineConfig } from "vite";

export default defineConfig({
  publicDir: false,
  build: {
    target: "es2022",
    outDir: "dist/client",
    emptyOutDir: true,
    minify: false,
    lib: {
      entry: { index: "src/client/index.ts", worker: "src/client/worker.ts" },
      formats: ["es"],
    },
  },
});
