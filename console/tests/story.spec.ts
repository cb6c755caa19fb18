// The life of an operator: an empty server, a good release, a bad one that halts, and what can be seen and done.
import { expect, test, type BrowserContext, type Page } from "@playwright/test";
import { mkdirSync } from "node:fs";
import { resolve } from "node:path";
import { reached, trapped } from "./keyboard";
import { followed, numbersHold } from "./links";
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
  await page.evaluate(() => scrollTo(0, 0));
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
  await expect(page.getByRole("heading", { name: "2 Push a first release" })).toBeVisible();
  await picture("first-steps");
  world.lapwing("key", "enroll");
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
  // It starts nowhere: of the few that go first, half might all be among those on which it does.
  world.release("1.2.0", "dies=1000", "--hold", "--note", "Faster strokes. <img src=x onerror=alert(1)>");
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
  await expect(page.locator("ol.line li .mark").first(), "nor does its phase go on").toHaveText("Halted");
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
  await expect(page).toHaveURL(/counted=rolled-back/);
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
  // It may halt by itself in the same instant, and the browser notes that it was too late for a pause.
  await page.getByRole("button", { name: "Halt" }).click({ timeout: 5_000 }).catch(() => undefined);
  await expect(page.locator("h1 ~ p .mark", { hasText: /Paused|Halted/ })).toBeVisible();
  seen.errors = seen.errors.filter((error) => !error.includes("409"));
  await page.getByRole("button", { name: "Cancel rollout" }).click();
  await page.getByLabel("Reason").fill("it goes back to the workshop");
  await page.getByRole("dialog").getByRole("button", { name: "Cancel rollout" }).click();
  await expect(page.locator("h1 ~ p .mark", { hasText: "Cancelled" })).toBeVisible();
  const numbers = await numbersHold(page, base, "rollouts/1");
  console.log(`${numbers} numbers of the rollout lead to as many devices`);
  expect(numbers).toBeGreaterThan(10);
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

test("a plan is changed by its form, and what is wrong is said at its phase", async () => {
  await open("plans");
  await page.getByRole("link", { name: "Change gentle" }).click();
  await expect(page.getByLabel("Name").first()).toHaveValue("my-gentle");
  await page.getByRole("button", { name: "Add a phase" }).click();
  const phases = page.getByRole("group", { name: /^Phase \d+$/ });
  await expect(phases).toHaveCount(7);
  await phases.nth(5).getByLabel("Name").fill("half-again");
  await page.getByRole("button", { name: /Earlier.*half-again/ }).click();
  await expect(phases.nth(4).getByLabel("Name")).toHaveValue("half-again");
  await phases.nth(1).getByLabel("How many").fill("0.5");
  await expect(page.getByRole("list", { name: "Schedule of plan my-gentle" }).getByRole("listitem").nth(1)).toContainText("0.5 %");
  await picture("plan");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(phases.nth(1).getByRole("alert")).toContainText("phase 2 opens less than one before it");
  await expect(phases.nth(1)).toBeFocused();
  seen.errors = seen.errors.filter((error) => !error.includes("400"));
  await phases.nth(1).getByLabel("How many").fill("5");
  await page.getByRole("button", { name: /Remove.*half-again/ }).click();
  await page.getByRole("button", { name: "As text" }).click();
  const text = page.getByRole("textbox", { name: "Plan" });
  await text.fill((await text.inputValue()).replace('"rate_per_minute": 2000', '"rate_per_minute": 1234'));
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("heading", { name: "my-gentle revision 1" })).toBeVisible();
  await expect(page.getByText("1,234 offers a minute at most.")).toBeVisible();
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

const LISTS = ["", "start", "rollouts", "rollouts/new", "devices", "releases", "groups", "plans", "keys", "audit", "settings"];
const SCREENS_ALL = [...LISTS, "rollouts/1", "rollouts/2", "devices/swarm-00001", "releases/1.1.0", "plans/my-gentle"];

test("a keyboard is enough", async () => {
  let controls = 0;
  for (const path of SCREENS_ALL) {
    // A page of a hundred devices is as good as one of eight.
    await open(path === "devices" ? "devices?filter=device ^= swarm-0000" : path);
    controls += await reached(page, path || "fleet");
  }
  console.log(`${controls} controls on ${SCREENS_ALL.length} screens are reached by Tab`);
  for (const [path, opener, key] of [["settings", "New token", "Enter"], ["settings", "New claim token", "Space"], ["settings", "New webhook", "Enter"], ["groups", "New group", "Space"], ["devices/swarm-00001", "Forget", "Enter"], ["releases/1.1.0", "Withdraw", "Enter"]] as const) {
    await open(path);
    await trapped(page, opener, key);
  }
  await page.setViewportSize({ width: 390, height: 844 });
  await open("rollouts");
  const menu = page.getByRole("button", { name: "Menu" });
  for (const [key, expanded] of [["Enter", "true"], ["Space", "false"], ["Enter", "true"]] as const) {
    await menu.press(key);
    await expect(menu).toHaveAttribute("aria-expanded", expanded);
  }
  await page.getByRole("link", { name: "Devices" }).press("Enter");
  await expect(page.getByRole("heading", { name: "Devices" })).toBeVisible();
  await expect(menu).toHaveAttribute("aria-expanded", "false");
  await page.setViewportSize({ width: 1360, height: 900 });
});

test("no link is dead, and none leads out", async () => {
  console.log(`${await followed(page, base)} pages lead to nowhere else`);
});

test("what a device and its users really write is shown as text, or refused", async () => {
  const HOSTILE = `"><img src=x onerror=alert(3)>`;
  // Facts are the only words of a device: ids, components and versions have letters that no page minds, causes and
  // states are numbers on the wire.
  world.release("1.4.0", "", "--hold", "--note", HOSTILE);
  world.device("evil-1", { model: HOSTILE, region: `' onload=alert(4) ${"x".repeat(20)}` });
  await world.until<{ devices: unknown[] }>("/api/v1/devices?filter=device%20==%20evil-1", (said) => said.devices.length === 1);
  for (const [path, order] of [
    [`/api/v1/groups/${encodeURIComponent(HOSTILE)}`, { filter: "region == eu", purpose: "testing" }],
    ["/api/v1/groups/odd", { devices: [HOSTILE], purpose: "testing" }],
    ["/api/v1/tokens", { name: HOSTILE, role: "viewer" }],
    ["/api/v1/webhooks", { name: HOSTILE, url: "http://127.0.0.1:9/" }],
    [`/api/v1/plans/${encodeURIComponent(HOSTILE)}`, { name: HOSTILE }],
  ] as const) {
    await expect(world.ask(path, { method: path.endsWith("s") ? "POST" : "PUT", body: JSON.stringify(order) }), path).rejects.toThrow(/: 4\d\d /);
  }
  expect(() => world.release(HOSTILE.replaceAll("/", ""), "")).toThrow();
  await world.ask("/api/v1/webhooks", { method: "POST", body: JSON.stringify({ name: "odd", url: `http://127.0.0.1:9/?${encodeURI(HOSTILE)}`, events: ["nothing"] }) });
  await world.ask("/api/v1/devices/evil-1/facts", { method: "POST", body: JSON.stringify({ facts: { owner: HOSTILE } }) });
  for (const [path, shown] of [["devices/evil-1", HOSTILE], ["releases/1.4.0", HOSTILE], ["releases", HOSTILE], ["audit", HOSTILE], ["settings", "127.0.0.1:9"]] as const) {
    await page.setViewportSize({ width: 320, height: 640 });
    await open(path);
    await expect(page.locator("main")).toContainText(shown);
    expect(await page.locator("img, main script, [onerror], [onload]").count(), path).toBe(0);
    await fits(page, `${path} at 320 px, hostile`);
  }
  await page.setViewportSize({ width: 1360, height: 900 });
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
  await expect(page.locator("main.stale")).toBeVisible();
  await expect(page.getByRole("alert"), "and it is said once").toHaveCount(1);
  await accessible(page, "lost");
  await page.setViewportSize({ width: 1360, height: 900 });
  await page.screenshot({ path: `${SCREENS}/lost-light.jpg`, type: "jpeg", quality: 80 });
  await world.mendProxy();
  // It may have come back by itself by now.
  await page.getByRole("button", { name: "Try now" }).click({ timeout: 5_000 }).catch(() => undefined);
  await expect(page.locator(".link")).toHaveText("Live");
  await expect(page.getByRole("alert")).toHaveCount(0);
  seen.errors.length = 0; // The browser names every question that nobody answered.
});
