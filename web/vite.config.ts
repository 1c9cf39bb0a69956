import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vitest/config";

const gateway = process.env.HOTLINE_GATEWAY ?? "http://127.0.0.1:8000";

export default defineConfig(({ mode }) => ({
  plugins: [vue()],
  build: {
    outDir: "dist",
    // Built one after the other, so that the citizen's page has a Vue without what Element Plus needs of it.
    emptyOutDir: mode !== "staff",
    rollupOptions: { input: mode === "staff" ? ["desk.html", "orders.html", "insights.html"] : "index.html" },
    assetsDir: "assets",
    // Every asset stays a file of the same origin, so that a strict content security policy holds.
    assetsInlineLimit: 0,
    target: "es2022",
  },
  worker: { format: "es" },
  server: { proxy: { "/api": { target: gateway, ws: true } } },
  test: { environment: "happy-dom", include: ["tests/**/*.test.ts"] },
}));
