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

/** States of attempts as they are counted together, as the list of devices takes them. */
export const ATTEMPTS = {
  under_way: "offered,downloading,downloaded,waiting-window,installing,rebooting,trial",
  confirmed: "confirmed",
  rolled_back: "rolled-back",
  failed: "failed,timed-out",
};

const STAGE: Record<string, Tone> = { passed: "good", admitting: "busy", soaking: "busy", gating: "busy" };

export function stageTone(stage: string): Tone {
  return STAGE[stage] ?? "idle";
}

/** A state's word, as people read it. */
export function word(state: string): string {
  return t.states[state] ?? state.replaceAll("-", " ");
}

/** Whether nothing goes on by itself at the moment. */
export function isStopped(state: string): boolean {
  return ["halted", "held", "paused"].includes(state) || isOver(state);
}

/** Whether nothing is to come any more. */
export function isOver(state: string): boolean {
  return ["completed", "cancelled", "superseded", "recalled"].includes(state);
}

/** The tones of versions in a chart, the most frequent first. */
export const SERIES = ["accent", "quiet", "warn", "bad", "line-strong"];
