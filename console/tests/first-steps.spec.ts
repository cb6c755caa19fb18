// Somebody new: what the first page shows is typed as it stands, and ends with a device that updated itself.
import { expect, test } from "@playwright/test";
import { watch } from "./watch";
import { World } from "./world";

test("the first steps lead from an empty server to a device that updated itself", async ({ page }) => {
  const world = await World.start(1);
  const seen = watch(page, world.url);
  try {
    await page.goto(`${world.url}/console/#/start`);
    await page.getByLabel("Token").fill(world.adminToken());
    await page.keyboard.press("Enter");
    const shell = await page.locator("main pre").first().innerText();
    const steps = page.locator("main ol > li");
    await expect(steps).toHaveCount(5);
    seen.errors.length = 0; // The browser says that the first question was answered with 401.
    for (let at = 0; at < 5; at++) {
      const step = steps.nth(at);
      await expect(step.locator(".mark")).toHaveText("Next");
      world.shell(`${shell}\n${await step.locator("pre").innerText()}`);
      await expect(step.locator(".mark")).toHaveText("Done", { timeout: 60_000 });
    }
    await expect(steps.last()).toContainText("dev-1 now runs 1.1.0");
    await steps.last().getByRole("link", { name: "dev-1" }).click();
    await expect(page.locator("li.good").first()).toContainText("1.1.0");
    expect(seen.errors).toEqual([]);
  } catch (error) {
    console.log(world.said());
    throw error;
  } finally {
    await world.end();
  }
});
