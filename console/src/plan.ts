// A plan, as its file has it; the API's description leaves its shape to docs/guides/roll-out-a-release.md.
export interface PlanPhase {
  name: string;
  who: string | { tier: string } | { filter: string };
  how_many: { share_basis_points?: number; count?: number };
  soak_s: number;
  excludes_ppm: number;
  longest_s: number;
}

export interface PlanShape {
  name: string;
  revision: number;
  brakes: string;
  approvals: number;
  rate_per_minute: number;
  priority: string;
  phases: PlanPhase[];
}

/** Plans that cannot be changed. */
export const BUILT_IN = ["delivery", "canary", "tiers", "gentle", "security"];

/** Whether it is enough of a plan to be drawn; whether it makes sense the server says. */
export function isPlan(read: unknown): read is PlanShape {
  const { name, phases } = (read ?? {}) as Partial<PlanShape>;
  return typeof name === "string" && Array.isArray(phases) && phases.every((phase) => phase.who && phase.how_many && phase.soak_s >= 0);
}
