// What must hold on every page that a test opens: no error, nobody else asked, nothing cut off, no barrier.
import { expect, type Page } from "@playwright/test";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

interface Violation {
  id: string;
  help: string;
  nodes: { html: string }[];
}

export interface Watched {
  errors: string[];
  pages_checked: number;
}

/** Notes what the page should never do. */
export function watch(page: Page, own: string): Watched {
  const seen: Watched = { errors: [], pages_checked: 0 };
  page.on("console", (said) => {
    if (said.type() === "error" || said.type() === "warning") seen.errors.push(`console: ${said.text()}`);
  });
  page.on("pageerror", (error) => seen.errors.push(`error: ${error.message}`));
  page.on("dialog", (dialog) => {
    seen.errors.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(own) && !url.startsWith("blob:") && !url.startsWith("data:")) seen.errors.push(`asked ${url}`);
  });
  return seen;
}

/** WCAG 2.2 A and AA by axe: not one violation. */
export async function accessible(page: Page, where: string): Promise<void> {
  await page.evaluate(AXE);
  const violations = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run: (context: Document, options: object) => Promise<{ violations: Violation[] }> } };
    return (await axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] })).violations;
  });
  const told = violations.map((one) => `${one.id}: ${one.help}\n  ${one.nodes.slice(0, 3).map((node) => node.html.slice(0, 200)).join("\n  ")}`);
  expect(told, `axe on ${where}`).toEqual([]);
}

/** Nothing stands out beyond the right edge, and no text is cut off by the box around it. */
export async function fits(page: Page, where: string): Promise<void> {
  const beyond = await page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    const out = [...document.querySelectorAll("body *")].filter((one) => {
      const box = one.getBoundingClientRect();
      if (box.width === 0 || one.closest(".hidden, .skip, .plot, pre") || getComputedStyle(one).clipPath !== "none" || one.closest("thead")?.clientWidth === 1) return false;
      const holds_text = [...one.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent?.trim());
      const cuts = holds_text && one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 0 && getComputedStyle(one).overflowX !== "visible";
      return box.right > width + 1 || cuts;
    });
    return out.slice(0, 5).map((one) => `${one.tagName}.${one.className} ${Math.round(one.getBoundingClientRect().right)} > ${width}: ${one.textContent?.slice(0, 60) ?? ""}`);
  });
  expect(beyond, `beyond the edge, or cut off, on ${where}`).toEqual([]);
}
