// The console without a mouse: everything is reached, seen to be reached, and left again.
import { expect, type Page } from "@playwright/test";

const CONTROLS = "a[href], button:not(:disabled), input:not(:disabled), select:not(:disabled), textarea:not(:disabled), summary";

/** Were there more controls than this, Tab would never come round. */
const PRESSES_MAX = 1000;
/** The page is live: what appears behind the focus has its turn in the next round. */
const ROUNDS_MAX = 3;

/** Presses Tab through a page: every control has its turn, and shows that it has. Says how many there are. */
export async function reached(page: Page, where: string): Promise<number> {
  const unseen: string[] = [];
  const missed = () =>
    page.evaluate((controls) => {
      const there = [...document.querySelectorAll<HTMLElement>(controls)].filter((one) => one.checkVisibility({ visibilityProperty: true }));
      return { count: there.length, missed: there.filter((one) => !one.dataset["round"]).map((one) => one.outerHTML.slice(0, 120)) };
    }, CONTROLS);
  let { count, missed: left } = await missed();
  for (let round = 1; round <= ROUNDS_MAX && left.length > 0; round++) {
    for (let press = 0; ; press++) {
      expect(press, `Tab never comes round on ${where}`).toBeLessThan(PRESSES_MAX);
      await page.keyboard.press("Tab");
      const at = await page.evaluate((round) => {
        const one = document.activeElement as HTMLElement | null;
        // The browser's own bar comes between the last control and the first.
        if (!one || one === document.body) return { again: false, shows: true, html: "" };
        const again = one.dataset["round"] === round;
        one.dataset["round"] = round;
        const { outlineStyle, outlineWidth } = getComputedStyle(one);
        const box = one.getBoundingClientRect();
        const shows = outlineStyle !== "none" && parseFloat(outlineWidth) >= 2 && box.bottom > 0 && box.top < innerHeight;
        return { again, shows, html: one.outerHTML.slice(0, 120) };
      }, String(round));
      if (!at.shows) unseen.push(at.html);
      if (at.again) break;
    }
    ({ count, missed: left } = await missed());
  }
  expect(left, `never reached by Tab on ${where}`).toEqual([]);
  expect(unseen, `focus that cannot be seen on ${where}`).toEqual([]);
  return count;
}

/** Opens a dialog by a key, walks round in it, and leaves it by Escape: focus stays in it, then goes back. */
export async function trapped(page: Page, opener: string, key: "Enter" | "Space"): Promise<void> {
  const button = page.getByRole("button", { name: opener, exact: true }).first();
  await button.focus();
  await page.keyboard.press(key);
  const dialog = page.getByRole("dialog");
  await expect(dialog, opener).toBeVisible();
  const controls = await dialog.locator(CONTROLS).count();
  for (let press = 0; press < 2 * controls + 2; press++) {
    await page.keyboard.press("Tab");
    // The browser's own bar comes between the last control and the first.
    const inside = await page.evaluate(() => document.activeElement === document.body || document.activeElement?.closest("dialog") !== null);
    expect(inside, `focus left the dialog of ${opener}`).toBe(true);
  }
  await page.keyboard.press("Escape");
  await expect(dialog, opener).toHaveCount(0);
  await expect(button, "focus is back where it was").toBeFocused();
}
