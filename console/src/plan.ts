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
