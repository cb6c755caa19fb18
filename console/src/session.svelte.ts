// Who is signed in. The token itself is nowhere in the page: the server keeps it behind a cookie.
import { onSignedOut, read, tell, type Schemas } from "./api";
import { follow, unfollow } from "./live.svelte";

export type Role = Schemas["Role"];
const ROLES: Role[] = ["viewer", "operator", "release-manager", "admin"];

let caller = $state.raw<Schemas["Caller"] | null>();

export const session = {
  /** Undefined until it is known, null for nobody. */
  get caller() {
    return caller;
  },
  may(role: Role): boolean {
    return !!caller && ROLES.indexOf(caller.role) >= ROLES.indexOf(role);
  },
};

function signed(who: Schemas["Caller"] | null): void {
  caller = who;
  if (who) follow();
  else unfollow();
}

onSignedOut.call = () => signed(null);

export async function begin(): Promise<void> {
  try {
    signed((await read("/api/v1/caller")).data);
  } catch {
    signed(null);
  }
}

export async function signIn(token: string): Promise<void> {
  signed(await tell<Schemas["Caller"]>("POST", "/api/v1/session", { body: { token } }));
}

export async function signOut(): Promise<void> {
  await tell("DELETE", "/api/v1/session").catch(() => {});
  signed(null);
}
