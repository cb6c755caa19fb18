// Where in the console somebody is: behind the `#`, so that a link works below any prefix.
interface Place {
  path: string[];
  query: URLSearchParams;
}

function here(): Place {
  const [path = "", query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  return { path: path.split("/").filter(Boolean).map(decodeURIComponent), query: new URLSearchParams(query) };
}

let place = $state.raw(here());
window.addEventListener("hashchange", () => {
  place = here();
  window.scrollTo(0, 0);
});

export const route = {
  get path(): string[] {
    return place.path;
  },
  get query(): URLSearchParams {
    return place.query;
  },
};

type Words = Record<string, string | number | undefined | null>;

/** The address of a screen. */
export function to(path: (string | number)[], query: Words = {}): string {
  const words = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const search = new URLSearchParams(words.map(([name, value]) => [name, String(value)])).toString();
  return `#/${path.map((part) => encodeURIComponent(part)).join("/")}${search ? `?${search}` : ""}`;
}

export function go(address: string): void {
  location.hash = address;
}

/** A value as the filter language quotes it, which knows no way to write a quotation mark. */
export function quoted(value: string): string {
  const isWord = /^[A-Za-z0-9._\-+~/:@]+$/.test(value) && !/^(and|or|not|in|has)$/.test(value);
  return isWord ? value : `"${value.replaceAll('"', "")}"`;
}
