// The life of an operator: an empty server, a good release, a bad one that halts, and what can be seen and done.
import { expect, test, type BrowserContext, type Page } from "@playwright/test";
import { mkdirSync } from "node:fs";
import { resolve } from "node:path";
import { accessible, fits, watch, type Watched } from "./watch";
import { World } from "./world";

const DEVICES = Number(process.env["LAPWING_SWARM"] ?? 500);
/** Where pictures go: into the documents when asked to. */
const SCREENS = process.env["LAPWING_SCREENS"] ? resolve("../docs/screens") : resolve("test-results/screens");
const WEIGHT_MAX = 150 * 1024;

let world: World;
let base: string;
let context: BrowserContext;
let page: Page;
let seen: Watched;

interface Counted {
  devices: number;
  versions: { version: string | null; devices: number }[];
}
interface Rolling {
  id: number;
  state: string;
  counts: { rolled_back: number; granted: number } | null;
}
const running = (said: Counted, version: string): number => said.versions.find((one) => one.version === version)?.devices ?? 0;

test.describe.configure({ mode: "serial" });

test.beforeAll(async ({ browser }) => {
  mkdirSync(SCREENS, { recursive: true });
  world = await World.start(DEVICES);
  base = await world.proxied();
  context = await browser.newContext();
  page = await context.newPage();
  seen = watch(page, base);
});

test.afterAll(async () => {
  await context?.close();
  await world?.end();
});

test.afterEach(() => {
  expect(seen.errors, "nothing goes wrong in the page").toEqual([]);
});

async function open(path: string): Promise<void> {
  await page.goto(`${base}/console/#/${path}`);
  await expect(page.locator("main h1").first()).toBeVisible();
  await expect(page.locator("[aria-busy=true]")).toHaveCount(0);
}

/** A screen in light, dark and on a phone, held to what must hold everywhere. */
async function picture(name: string): Promise<void> {
  await page.waitForTimeout(300);
  for (const [mode, width, height] of [["light", 1360, 900], ["dark", 1360, 900], ["phone", 390, 844]] as const) {
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme: mode === "dark" ? "dark" : "light", reducedMotion: "reduce" });
    await page.waitForTimeout(250);
    await page.screenshot({ path: `${SCREENS}/${name}-${mode}.jpg`, type: "jpeg", quality: 80, fullPage: mode === "phone" });
    await accessible(page, `${name} ${mode}`);
    await fits(page, `${name} ${mode}`);
  }
  await page.setViewportSize({ width: 320, height: 640 });
  await fits(page, `${name} at 320 px`);
  await page.setViewportSize({ width: 1360, height: 900 });
  await page.emulateMedia({ colorScheme: "light" });
}

test("nobody sees anything without a token, and a wrong one is refused", async () => {
  await page.goto(`${base}/console/`);
  await expect(page.getByRole("heading", { name: "Sign in to Lapwing" })).toBeVisible();
  seen.errors.length = 0; // The browser says that the first question was answered with 401.
  await picture("sign-in");
  await page.getByLabel("Token").fill("not a token");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("alert")).toContainText("unknown, expired or was revoked");
  seen.errors.length = 0;
  await page.getByLabel("Token").fill(world.adminToken());
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "Fleet", exact: true })).toBeVisible();
  const stored = await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }) + document.cookie);
  expect(stored).not.toContain(world.adminToken().slice(0, 8));
  const [cookie] = await context.cookies(`${base}/api/v1/`);
  expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Strict", path: "/ops/lapwing/api/v1" });
});

test("an empty fleet leads to a first device", async () => {
  await open("");
  await expect(page.getByText("No device has checked in yet")).toBeVisible();
  await picture("fleet-empty");
  await page.getByRole("link", { name: "First steps" }).click();
  await expect(page.getByRole("heading", { name: "3 Push a first release" })).toBeVisible();
  await picture("first-steps");
});

test("a fleet comes in and takes a good release, live", async () => {
  world.release("1.0.0", "", "--note", "The image that the factory puts on.");
  world.swarm(DEVICES);
  await open("");
  await expect(page.locator(".figure").first()).toHaveText(DEVICES.toLocaleString("en-GB"), { timeout: 180_000 });
  await world.until<Counted>("/api/v1/overview?span_s=601", (said) => running(said, "1.0.0") >= DEVICES * 0.98);
  world.release("1.1.0", "", "--note", "Pumps count their strokes.");
  await open("fleet?span=900");
  const frames = page.evaluate(
    () =>
      new Promise<{ fps: number; longest_ms: number }>((done) => {
        const began = performance.now();
        let [count, last, longest_ms] = [0, began, 0];
        const frame = (now: number) => {
          count++;
          longest_ms = Math.max(longest_ms, now - last);
          last = now;
          if (now - began < 8_000) requestAnimationFrame(frame);
          else done({ fps: (count * 1000) / (now - began), longest_ms });
        };
        requestAnimationFrame(frame);
      }),
  );
  const { fps, longest_ms } = await frames;
  console.log(`${DEVICES} devices change: ${fps.toFixed(1)} frames a second, the longest took ${longest_ms.toFixed(0)} ms`);
  await world.until<Counted>("/api/v1/overview?span_s=602", (said) => running(said, "1.1.0") >= DEVICES * 0.97);
  await expect(page.getByRole("link", { name: "1.1.0" }).first()).toBeVisible();
});

test("the first screen weighs little", async ({ browser }) => {
  const fresh = await browser.newContext({ storageState: await context.storageState() });
  const first = await fresh.newPage();
  const client = await fresh.newCDPSession(first);
  await client.send("Network.enable");
  const kinds = new Map<string, string>();
  let [files_bytes, answers_bytes] = [0, 0];
  client.on("Network.requestWillBeSent", ({ requestId, request }) => kinds.set(requestId, request.url));
  client.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    if (kinds.get(requestId)?.includes("/console/")) files_bytes += encodedDataLength;
    else answers_bytes += encodedDataLength;
  });
  await first.goto(`${base}/console/`);
  await expect(first.locator(".figure").first()).toBeVisible();
  const shown_ms = await first.evaluate(() => performance.now());
  const painted_ms = await first.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0);
  console.log(`first screen: ${files_bytes} bytes of files, ${answers_bytes} of answers; first paint ${painted_ms.toFixed(0)} ms, numbers by ${shown_ms.toFixed(0)} ms`);
  expect(files_bytes).toBeLessThanOrEqual(WEIGHT_MAX);
  await fresh.close();
});

test("a rollout is made, previewed and started, and a bad release halts it", async () => {
  world.release("1.2.0", "dies=500 unhealthy=200", "--hold", "--note", "Faster strokes. <img src=x onerror=alert(1)>");
  await world.ask("/api/v1/groups/north", { method: "PUT", body: JSON.stringify({ filter: 'region == eu-north and not model == "<script>alert(1)</script>"', purpose: "production" }) });
  await world.ask("/api/v1/groups/bench", { method: "PUT", body: JSON.stringify({ devices: ["swarm-00001", "swarm-00002"], purpose: "testing" }) });
  await open("rollouts/new");
  await page.getByRole("combobox", { name: "Release", exact: true }).selectOption("1.2.0");
  await page.getByRole("combobox", { name: "Plan", exact: true }).selectOption("gentle");
  await expect(page.getByText(`Means ${DEVICES.toLocaleString("en-GB")} devices`)).toBeVisible();
  await picture("new-rollout");
  await page.getByRole("button", { name: "See the preview" }).click();
  await expect(page.getByText("Nothing is in the way of a start.")).toBeVisible();
  await picture("preview");
  await page.getByRole("button", { name: "Start" }).click();
  await expect(page.locator(".mark", { hasText: "Running" }).first()).toBeVisible();
  const { rollouts } = await world.until<{ rollouts: Rolling[] }>("/api/v1/rollouts", (said) => said.rollouts[0]?.state === "halted");
  expect(rollouts[0]?.counts?.granted).toBeLessThanOrEqual(12);
  await expect(page.locator("h1 ~ p .mark", { hasText: "Halted" })).toBeVisible();
  await expect(page.getByRole("heading", { name: "Why devices failed" })).toBeVisible();
  await page.getByText("Evidence", { exact: true }).first().click();
  await expect(page.getByText("Two of the first twenty did not come up").first()).toBeVisible();
  await picture("rollout-halted");
  await open("fleet?span=900");
  await expect(page.getByRole("region", { name: "Alarms" })).toContainText("1.2.0");
  await picture("fleet");
});

test("every number leads to its devices, and a device says why", async () => {
  await open("rollouts/1");
  await page.locator(".numbers a", { hasText: "Rolled back" }).click();
  const row = page.locator("tbody tr").first();
  await expect(row).toContainText("Rolled back");
  await picture("devices");
  await row.getByRole("link").first().click();
  await expect(page.getByRole("heading", { name: "Why it is not updating" })).toBeVisible();
  await expect(page.locator("li.bad").first()).toContainText("1.2.0");
  await picture("device");
});

test("a filter is completed by the keyboard alone", async () => {
  await open("devices");
  await page.getByRole("combobox", { name: "Filter" }).focus();
  await page.keyboard.type("reg");
  await expect(page.locator("#offers [role=option]").first()).toContainText("region");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.keyboard.type("== eu");
  await expect(page.locator("#offers [role=option]").first()).toContainText("eu-north");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/filter=region/);
  const meant = await world.ask<Counted>("/api/v1/overview?span_s=603&filter=region%20==%20eu-north");
  await expect(page.getByText(`Means ${meant.devices.toLocaleString("en-GB")} devices`)).toBeVisible();
  await page.getByRole("button", { name: "Find" }).click();
});

test("it is resumed with a reason, halted by one click, cancelled, and all of it is in the audit", async () => {
  await open("rollouts/1");
  await page.getByRole("button", { name: "Resume" }).click();
  await expect(page.getByRole("dialog").getByRole("button", { name: "Resume" })).toBeDisabled();
  await page.getByLabel("Reason").fill("a bad batch <b onmouseover=alert(1)> of modems – für Süd");
  await picture("resume");
  await page.getByRole("dialog").getByRole("button", { name: "Resume" }).click();
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(page.locator("h1 ~ p .mark")).not.toHaveText("Halted", { timeout: 10_000 });
  const halt = page.getByRole("button", { name: "Halt" });
  if (await halt.isVisible()) {
    await halt.click();
    await expect(page.locator("h1 ~ p .mark", { hasText: /Paused|Halted/ })).toBeVisible();
    // It may have halted by itself in the same instant, and the browser notes that it was too late for a pause.
    seen.errors = seen.errors.filter((error) => !error.includes("409"));
  }
  await page.getByRole("button", { name: "Cancel rollout" }).click();
  await page.getByLabel("Reason").fill("it goes back to the workshop");
  await page.getByRole("dialog").getByRole("button", { name: "Cancel rollout" }).click();
  await expect(page.locator("h1 ~ p .mark", { hasText: "Cancelled" })).toBeVisible();
  await open("audit");
  await expect(page.getByText("a bad batch <b onmouseover=alert(1)> of modems – für Süd")).toBeVisible();
  await picture("audit");
});

test("a good release goes out, and is recalled", async () => {
  world.release("1.3.0", "", "--hold");
  world.again("1.1.0", "1.3.1");
  await open("rollouts/new?version=1.3.0&plan=gentle");
  await page.getByRole("combobox", { name: "Release for a recall" }).selectOption("1.3.1");
  await page.getByRole("button", { name: "See the preview" }).click();
  await page.getByRole("button", { name: "Start" }).click();
  await world.until<Rolling>("/api/v1/rollouts/2", (said) => (said.counts?.granted ?? 0) > 0 && said.state === "running");
  await expect(page.locator("h1 ~ p .mark", { hasText: "Running" })).toBeVisible();
  await picture("rollout");
  await page.getByRole("button", { name: "Recall" }).click();
  await page.getByLabel("Reason").fill("the customer asked for the old strokes");
  await page.getByRole("dialog").getByRole("button", { name: "Recall" }).click();
  await expect(page.locator("h1 ~ p .mark", { hasText: "Recalled" })).toBeVisible();
});

test("all other screens", async () => {
  for (const [path, name] of [["rollouts", "rollouts"], ["releases", "releases"], ["releases/1.1.0", "release"], ["groups", "groups"], ["plans", "plans"], ["keys", "keys"]] as const) {
    await open(path);
    await picture(name);
  }
  await open("settings");
  await page.getByRole("button", { name: "New token", exact: true }).click();
  await page.getByLabel("Name").fill("ann");
  await page.getByRole("button", { name: "Make it" }).click();
  await expect(page.getByRole("dialog").locator("pre")).toHaveText(/^[0-9a-f]{64}$/);
  await page.keyboard.press("Escape");
  await expect(page.getByRole("cell", { name: "ann", exact: true })).toBeVisible();
  await picture("settings");
});

test("a viewer looks and changes nothing", async ({ browser }) => {
  const other = await browser.newContext();
  const looking = await other.newPage();
  await looking.goto(`${base}/console/#/rollouts/2`);
  await looking.getByLabel("Token").fill(world.token("looker", "viewer"));
  await looking.keyboard.press("Enter");
  await expect(looking.getByRole("heading", { name: "1.3.0 to everyone" })).toBeVisible();
  await looking.goto(`${base}/console/#/devices/swarm-00001`);
  await expect(looking.getByRole("button", { name: "Update now" })).toBeDisabled();
  await looking.goto(`${base}/console/#/settings`);
  await expect(looking.getByText("This needs the role Admin.").first()).toBeVisible();
  await other.close();
});

test("whatever anybody writes into any field is shown as text", async () => {
  const HOSTILE = `"><img src=x onerror=alert(1)><script>alert(2)</script>`;
  /** Words that the page must understand to show anything at all. */
  const KEPT = new Set(["state", "role", "stage", "code", "dimension", "fact", "cursor"]);
  const spoil = (value: unknown, key = ""): unknown => {
    if (typeof value === "string") return KEPT.has(key) ? value : `${value}${HOSTILE}`;
    if (Array.isArray(value)) return value.map((one) => spoil(one, key));
    if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, spoil(one, name)]));
    return value;
  };
  const api = /\/api\/v1\/(?!changes|caller)/;
  await page.route(api, async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: spoil(await answer.json()) });
  });
  for (const path of ["", "rollouts", "rollouts/1", "rollouts/2", "devices", "devices/swarm-00001", "releases", "groups", "plans", "keys", "audit", "settings"]) {
    await page.goto("about:blank");
    await open(path);
    await expect(page.locator("main")).toContainText("<img src=x");
    expect(await page.locator("img, main script, [onerror]").count(), path).toBe(0);
  }
  await page.unroute(api);
});

test("a lost connection is seen, and what was shown stays", async () => {
  await open("");
  await expect(page.locator(".link")).toHaveText("Live");
  world.cutProxy();
  await expect(page.getByRole("alert").first()).toContainText("What you see is not live.");
  await expect(page.locator(".figure").first()).toBeVisible();
  await page.waitForTimeout(500);
  await page.setViewportSize({ width: 1360, height: 900 });
  await page.screenshot({ path: `${SCREENS}/lost-light.jpg`, type: "jpeg", quality: 80 });
  seen.errors.length = 0; // The browser names every question that nobody answered.
});
