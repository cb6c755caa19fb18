// What states look like: the shape and the colour that go with their word.
import { t } from "./texts";

export type Tone = "good" | "busy" | "warn" | "bad" | "paused" | "idle";

const ROLLOUT: Record<string, Tone> = {
  running: "busy",
  completed: "good",
  halted: "bad",
  held: "warn",
  paused: "paused",
  "awaiting-approval": "warn",
  recalled: "bad",
};

export function rolloutTone(state: string): Tone {
  return ROLLOUT[state] ?? "idle";
}

const ATTEMPT: Record<string, Tone> = {
  confirmed: "good",
  "rolled-back": "bad",
  failed: "bad",
  "timed-out": "warn",
  superseded: "idle",
  offered: "idle",
};

export function attemptTone(state: string): Tone {
  return ATTEMPT[state] ?? "busy";
}

const STAGE: Record<string, Tone> = { passed: "good", admitting: "busy", soaking: "busy", gating: "busy" };

export function stageTone(stage: string): Tone {
  return STAGE[stage] ?? "idle";
}

/** A state's word, as people read it. */
export function word(state: string): string {
  return t.states[state] ?? state.replaceAll("-", " ");
}

/** What is still to come, or going on. */
export function isOver(state: string): boolean {
  return ["completed", "cancelled", "superseded", "recalled"].includes(state);
}

/** The tones of versions in a chart, the most frequent first. */
export const SERIES = ["accent", "quiet", "warn", "bad", "line-strong"];
