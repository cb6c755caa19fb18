// The management API, as its description has it. Paths are relative to the page: any prefix will do.
import type { components, paths } from "./schema";
import { t } from "./texts";

export type Schemas = components["schemas"];
type Json<T> = { content: { "application/json": T } };
type Has<M extends string, R> = { [K in M]: { responses: R } };

/** Paths that are read as JSON. */
export type Read = { [P in keyof paths]: paths[P] extends Has<"get", { 200: Json<unknown> }> ? P : never }[keyof paths];
export type Answer<P extends Read> = paths[P] extends Has<"get", { 200: Json<infer T> }> ? T : never;
/** Paths that take commands. */
export type Write = {
  [P in keyof paths]: paths[P] extends { post: object } | { put: object } | { delete: object } ? P : never;
}[keyof paths];
type Verb = "POST" | "PUT" | "DELETE";
type Words = Record<string, string | number | boolean | undefined>;

/** What the server would not do, in its words. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly advice?: string,
    /** Where in what was sent, as a JSON pointer. */
    readonly pointer?: string,
  ) {
    super(message);
  }
}

/** An answer, and the tag of what was read. */
export interface Told<T> {
  data: T;
  tag: string;
}

export function url(path: string, inPath: Words = {}, query: Words = {}): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(inPath[name])));
  const words = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  const search = new URLSearchParams(words.map(([name, value]) => [name, String(value)])).toString();
  return `..${filled}${search ? `?${search}` : ""}`;
}

/** Whoever must know that the session is over. */
export const onSignedOut = { call: () => {} };

export async function send(target: string, init: RequestInit): Promise<Response> {
  const headers = { "Lapwing-Console": "1", ...init.headers };
  let answer: Response;
  try {
    answer = await fetch(target, { cache: "no-cache", credentials: "same-origin", ...init, headers });
  } catch {
    throw new Refusal(0, "unreachable", t.unreachable);
  }
  if (answer.ok) return answer;
  const said = (await answer.json().catch(() => ({}))) as Partial<Schemas["Problem"]>;
  if (answer.status === 401) onSignedOut.call();
  const code = said.type?.replace("urn:lapwing:problem:", "") ?? "unknown";
  throw new Refusal(answer.status, code, said.detail ?? t.answered(answer.status), said.advice, said.pointer);
}

export async function read<P extends Read>(path: P, inPath: Words = {}, query: Words = {}): Promise<Told<Answer<P>>> {
  const answer = await send(url(path, inPath, query), { headers: { Accept: "application/json" } });
  return { data: (await answer.json()) as Answer<P>, tag: answer.headers.get("ETag") ?? "" };
}

interface Order {
  path?: Words;
  query?: Words;
  body?: unknown;
  tag?: string;
  reason?: string;
}

/** Gives a command once, and says what came of it. */
export async function tell<T>(verb: Verb, path: Write, order: Order = {}): Promise<T> {
  const headers: Record<string, string> = {};
  if (order.body !== undefined) headers["Content-Type"] = "application/json";
  if (order.tag) headers["If-Match"] = order.tag;
  // Headers carry bytes; the server reads UTF-8.
  if (order.reason) headers["Lapwing-Reason"] = String.fromCharCode(...new TextEncoder().encode(order.reason));
  const body = order.body === undefined ? undefined : JSON.stringify(order.body);
  const answer = await send(url(path, order.path, order.query), { method: verb, headers, body });
  const text = await answer.text();
  return (text ? JSON.parse(text) : undefined) as T;
}

/** All pages of a list, at most so many rows. */
export async function all<P extends Read, K extends keyof Answer<P>>(
  path: P,
  rows: K,
  query: Words = {},
  most = 2000,
): Promise<Extract<Answer<P>[K], unknown[]>> {
  const found: unknown[] = [];
  let cursor: string | undefined;
  do {
    const { data } = await read(path, {}, { ...query, cursor });
    found.push(...(data[rows] as unknown[]));
    cursor = (data as { cursor?: string | null }).cursor ?? undefined;
  } while (cursor && found.length < most);
  return found as Extract<Answer<P>[K], unknown[]>;
}

