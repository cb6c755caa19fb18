// What happens, as it happens: one stream of server-sent events, and whether it is there.
import { send, url } from "./api";

export type Link = "connecting" | "live" | "lost";

const WAIT_MS_MAX = 15_000;
/** The server says something every ten seconds. */
const SILENCE_MS_MAX = 25_000;

let link = $state<Link>("connecting");
let lostAt = $state(0);
const listeners = new Set<() => void>();
let stop: AbortController | undefined;

export const live = {
  get link(): Link {
    return link;
  },
  /** When it was lost, seconds. */
  get lostAt(): number {
    return lostAt;
  },
};

/** Calls `listener` after anything happened; gives back what ends it. */
export function onChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function follow(): void {
  stop?.abort();
  stop = new AbortController();
  void keep(stop.signal);
}

export function unfollow(): void {
  stop?.abort();
  link = "connecting";
}

let wake = () => {};

/** Does not wait any longer before it tries again. */
export function retry(): void {
  wake();
}

async function keep(ended: AbortSignal): Promise<void> {
  let last = "";
  let wait_ms = 500;
  while (!ended.aborted) {
    try {
      for await (const id of events(last, ended)) {
        if (link !== "live") {
          // Whatever happened meanwhile is asked for anew.
          link = "live";
          tellAll();
        }
        wait_ms = 500;
        if (id) {
          last = id;
          tellAll();
        }
      }
    } catch {
      // It is tried again; the state says so.
    }
    if (ended.aborted) return;
    if (link !== "lost") lostAt = Math.floor(Date.now() / 1000);
    link = "lost";
    await new Promise<void>((resolve) => {
      wake = resolve;
      setTimeout(resolve, wait_ms);
    });
    wait_ms = Math.min(wait_ms * 2, WAIT_MS_MAX);
  }
}

function tellAll(): void {
  for (const listener of listeners) listener();
}

/** The ids of events as they come; an empty one for a sign of life. */
async function* events(last: string, ended: AbortSignal): AsyncGenerator<string> {
  const silence = new AbortController();
  let alarm = setTimeout(() => silence.abort(), SILENCE_MS_MAX);
  try {
    const headers: Record<string, string> = last ? { "Last-Event-ID": last } : {};
    const answer = await send(url("/api/v1/changes"), { headers, signal: AbortSignal.any([ended, silence.signal]) });
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    while (reader) {
      const { value, done } = await reader.read();
      if (done) return;
      clearTimeout(alarm);
      alarm = setTimeout(() => silence.abort(), SILENCE_MS_MAX);
      const lines = (rest + value).split("\n");
      rest = lines.pop() ?? "";
      // Only the newest matters: whoever listens asks for what it shows.
      const ids = lines.filter((line) => line.startsWith("id: "));
      yield ids.at(-1)?.slice(4) ?? "";
    }
  } finally {
    clearTimeout(alarm);
  }
}
