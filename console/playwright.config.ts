// The console in a real browser, against the real server and a swarm of devices.
import { defineConfig } from "@playwright/test";

export default defineConfig({
  testDir: "tests",
  // One story, told in order, on one server.
  workers: 1,
  fullyParallel: false,
  maxFailures: 1,
  timeout: 600_000,
  expect: { timeout: 30_000 },
  reporter: [["list"]],
  use: {
    browserName: "chromium",
    launchOptions: { executablePath: process.env["LAPWING_CHROMIUM"] ?? "/usr/bin/chromium", args: ["--no-sandbox"] },
    locale: "en-GB",
    timezoneId: "Europe/Berlin",
    actionTimeout: 20_000,
    navigationTimeout: 30_000,
    viewport: { width: 1360, height: 900 },
  },
});
