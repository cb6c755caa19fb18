// Light, dark, or as the system has it; the choice stays on this machine.
export type Theme = "system" | "light" | "dark";

const KEY = "lapwing-theme";
const system = window.matchMedia("(prefers-color-scheme: dark)");

function kept(): Theme {
  try {
    const said = localStorage.getItem(KEY);
    return said === "light" || said === "dark" ? said : "system";
  } catch {
    return "system";
  }
}

let chosen = $state<Theme>(kept());
let is_system_dark = $state(system.matches);
system.addEventListener("change", () => (is_system_dark = system.matches));

function show(): void {
  if (chosen === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = chosen;
}
show();

export const theme = {
  get chosen(): Theme {
    return chosen;
  },
  get dark(): boolean {
    return chosen === "dark" || (chosen === "system" && is_system_dark);
  },
  choose(next: Theme): void {
    chosen = next;
    show();
    try {
      localStorage.setItem(KEY, next);
    } catch {
      // It holds until the page is left.
    }
  },
};
