// Every link of the console, followed: none leads nowhere, and none leads out.
import { expect, type Page } from "@playwright/test";

/** Pages that are alike but for whom they are of; so many of each are looked at. */
const ALIKE_MAX = 4;
/** And so many in all: were there more, one of them would lead to ever new ones. */
const PAGES_MAX = 400;

/** What an address is one of: devices differ by their id, lists by what they are narrowed by. */
function kind(address: string): string {
  const [path = "", query = ""] = address.split("?");
  const words = [...new URLSearchParams(query).keys()].sort().join(" ");
  return `${path.replace(/(devices|releases|plans|rollouts)\/(?!new).+/, "$1/…")} ${words}`;
}

/** Follows what begins at the first screen; says how many pages were seen. */
export async function followed(page: Page, base: string): Promise<number> {
  const seen = new Map<string, number>();
  const known = new Set<string>(["#/"]);
  const open = ["#/"];
  let pages = 0;
  for (let address = open.shift(); address !== undefined; address = open.shift()) {
    expect(++pages, "links lead to ever new pages").toBeLessThanOrEqual(PAGES_MAX);
    await page.goto(`${base}/console/${address}`);
    await expect(page.locator("main h1, main h2").first(), address).toBeVisible();
    await expect(page.locator("[aria-busy=true]"), address).toHaveCount(0);
    await expect(page.getByText("There is nothing at this address"), address).toHaveCount(0);
    await expect(page.locator("[role=alert]"), address).toHaveCount(0);
    const hrefs = await page.locator("a[href]").evaluateAll((links) => links.map((link) => link.getAttribute("href") ?? ""));
    for (const href of hrefs) {
      expect(href, `a link of ${address} leads out of the console`).toMatch(/^#(\/|main$)/);
      if (!href.startsWith("#/") || known.has(href)) continue;
      known.add(href);
      const like = kind(href);
      const before = seen.get(like) ?? 0;
      seen.set(like, before + 1);
      if (before < ALIKE_MAX) open.push(href);
    }
  }
  return pages;
}

/** The numbers of a page that lead to devices; what devices say of their health changes too often to be counted. */
async function numbers(page: Page, base: string, path: string): Promise<Map<string, number>> {
  await page.goto(`${base}/console/#/${path}`);
  await expect(page.locator("main h1").first()).toBeVisible();
  await expect(page.locator("[aria-busy=true]")).toHaveCount(0);
  const links = await page.locator('main a[href^="#/devices?"]').evaluateAll((found) =>
    found.map((link) => ({ href: link.getAttribute("href") ?? "", text: (link.querySelector(".figure")?.firstChild ?? link).textContent?.trim() ?? "" })),
  );
  return new Map(links.filter(({ href, text }) => /^\d+$/.test(text) && !href.includes("standing=")).map(({ href, text }) => [href, Number(text)]));
}

/** Each number of a page leads to as many devices, at the latest when nothing moves any more. Says how many do. */
export async function numbersHold(page: Page, base: string, path: string): Promise<number> {
  const found = await numbers(page, base, path);
  for (const [href, number] of found) {
    let expected: number | undefined = number;
    await expect(async () => {
      // By way of another screen, so that no list before this one is counted.
      for (const [address, heading] of [["#/groups", "Groups"], [href, "Devices"]] as const) {
        await page.goto(`${base}/console/${address}`);
        await expect(page.getByRole("heading", { name: heading, exact: true })).toBeVisible();
        await expect(page.locator("[aria-busy=true]")).toHaveCount(0);
      }
      const rows = await page.locator("tbody tr").count();
      // A number that has gone leads nowhere.
      if (rows !== expected) expected = (await numbers(page, base, path)).get(href);
      expect(expected ?? rows, href).toBe(rows);
    }).toPass({ timeout: 120_000, intervals: [1_000] });
  }
  return found.size;
}
