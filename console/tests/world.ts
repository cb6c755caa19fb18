// A server, a fleet's keys and a swarm: real programs in a temporary folder, on ports of the system's choice.
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const TARGET = resolve(process.env["LAPWING_PROGRAMS"] ?? "../target/ci");
const SAID_CHARS_MAX = 4000;
const IMAGE_BYTES = 24 * 1024;
/** The devices' clocks run so many times as fast as ours. */
const PACE = 60;
/** Below which a proxy of the tests serves the console, as somebody's own might. */
export const PREFIX = "/ops/lapwing";

export class World {
  readonly dir = mkdtempSync(join(tmpdir(), "lapwing-console-"));
  url = "";
  #children: ChildProcess[] = [];
  /** Each with all that it started in a group of its own. */
  #shells: ChildProcess[] = [];
  #said = "";
  #proxy: Server | undefined;
  #port = 0;

  /** A server for so many devices: all together they ask some five hundred times a second. */
  static async start(devices: number): Promise<World> {
    const world = new World();
    const interval_s = Math.max(PACE, Math.ceil((devices * PACE) / 500));
    writeFileSync(join(world.dir, "server.toml"), `data_dir = "lapwing-data"\ndevice_listen = "127.0.0.1:0"\nmanagement_listen = "127.0.0.1:0"\ncheck_in_interval_s = ${interval_s}\ndelta_ask_again_s = 1\n`);
    const server = world.#spawn("lapwing", ["serve", "--config", "server.toml", "--json"]);
    const said = await new Promise<string>((done, failed) => {
      server.stdout?.once("data", (line: Buffer) => done(line.toString()));
      server.once("exit", () => failed(new Error("the server ended")));
    });
    world.url = (JSON.parse(said) as { management: string }).management;
    return world;
  }

  #spawn(program: string, args: string[]): ChildProcess {
    const child = spawn(join(TARGET, program), args, { cwd: this.dir, stdio: ["ignore", "pipe", "ignore"] });
    this.#children.push(child);
    return child;
  }

  /** Types something into a shell, as somebody new would; what it starts goes on. */
  shell(text: string): void {
    const child = spawn("bash", ["-c", text], { cwd: this.dir, env: { ...process.env, PATH: `${TARGET}:${process.env["PATH"] ?? ""}` }, stdio: ["ignore", "pipe", "pipe"], detached: true });
    for (const stream of [child.stdout, child.stderr]) stream?.on("data", (bytes: Buffer) => (this.#said = `${this.#said}${bytes.toString()}`.slice(-SAID_CHARS_MAX)));
    this.#shells.push(child);
  }

  /** The end of what shells said. */
  said(): string {
    return this.#said;
  }

  /** Runs the operators' tool; gives back what it says. */
  lapwing(...args: string[]): string {
    return execFileSync(join(TARGET, "lapwing"), args, { cwd: this.dir, env: { ...process.env, LAPWING_SERVER: this.url }, stdio: ["ignore", "pipe", "pipe"] }).toString();
  }

  adminToken(): string {
    return readFileSync(join(this.dir, "lapwing-data/admin-token"), "utf8").trim();
  }

  token(name: string, role: string): string {
    return (JSON.parse(this.lapwing("--json", "token", "make", "--role", role, "--name", name)) as { token: string }).token;
  }

  /** Makes an image that does to devices what `does` says, signs it and pushes it. */
  release(version: string, does: string, ...push: string[]): void {
    let bytes = Buffer.from(`lapwing-swarm: ${does}\nversion ${version}\n`);
    // The same everywhere but for the beginning, as versions of one program are.
    for (let block = 0; bytes.length < IMAGE_BYTES; block++) {
      bytes = Buffer.concat([bytes, createHash("sha256").update(`block ${block}`).digest()]);
    }
    writeFileSync(join(this.dir, `app-${version}`), bytes);
    this.lapwing("release", "create", "--image", `app-${version}`, "--hardware", "example.com/pump", "--release-version", version, "--sign");
    this.lapwing("release", "push", `app-${version}.release`, "--image", `app-${version}`, ...push);
  }

  /** Releases an image again under a higher version, held: what a recall brings. */
  again(image: string, version: string): void {
    this.lapwing("release", "create", "--image", `app-${image}`, "--hardware", "example.com/pump", "--release-version", version, "--sign");
    this.lapwing("release", "push", `app-${version}.release`, "--hold");
  }

  swarm(devices: number): void {
    const token = (JSON.parse(this.lapwing("--json", "device", "token", "make", "--count", String(devices))) as { token: string }).token;
    this.lapwing("device", "provision", "--out", "like", "--id", "like-0", "--hardware", "example.com/pump", "--image", "app-1.0.0", "--claim-token", token);
    this.#spawn("lapwing-sim", ["--swarm", String(devices), "--like", "like", "--pace", String(PACE)]).stdout?.resume();
  }

  /** A real agent that says such things of itself, beside a program that does nothing. */
  device(id: string, facts: Record<string, string>): void {
    const quick = `[talking]\nboot_spread_ms = 100\n[restart]\nhow = "child"\nlauncher = ${JSON.stringify(join(TARGET, "lapwing-launcher"))}\n`;
    const said = Object.entries(facts).map(([name, value]) => `${name} = ${JSON.stringify(value)}\n`);
    writeFileSync(join(this.dir, `${id}.toml`), `${quick}[facts]\n${said.join("")}`);
    writeFileSync(join(this.dir, "idle"), "#!/bin/sh\nexec sleep 100000\n", { mode: 0o755 });
    this.lapwing("device", "provision", "--out", id, "--id", id, "--hardware", "example.com/odd", "--image", "idle", "--image-version", "0.1.0", "--agent-config", `${id}.toml`);
    this.shell(`exec lapwing-agent run --config ${id}/agent.toml`);
  }

  /** Asks the API as a program does. */
  async ask<T>(path: string, init: RequestInit = {}): Promise<T> {
    const answer = await fetch(`${this.url}${path}`, { ...init, headers: { Authorization: `Bearer ${this.adminToken()}`, "Content-Type": "application/json" } });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return (answer.status === 204 ? undefined : await answer.json()) as T;
  }

  /** Waits until what the API says is as wanted. */
  async until<T>(path: string, wanted: (said: T) => boolean, patience_s = 180): Promise<T> {
    const end = Date.now() + patience_s * 1000;
    for (;;) {
      const said = await this.ask<T>(path);
      if (wanted(said)) return said;
      if (Date.now() > end) throw new Error(`${path} never came to it: ${JSON.stringify(said).slice(0, 2000)}`);
      await new Promise((again) => setTimeout(again, 500));
    }
  }

  /** A proxy that takes a prefix away, and can be cut. */
  async proxied(): Promise<string> {
    const server = createServer((asked, answer) => {
      const path = asked.url ?? "";
      if (!path.startsWith(`${PREFIX}/`)) {
        answer.writeHead(404).end();
        return;
      }
      const on = request(`${this.url}${path.slice(PREFIX.length)}`, { method: asked.method, headers: asked.headers }, (said) => {
        answer.writeHead(said.statusCode ?? 502, said.headers);
        said.pipe(answer);
      });
      on.on("error", () => answer.destroy());
      answer.on("close", () => on.destroy());
      asked.pipe(on);
    });
    this.#proxy = server;
    await this.mendProxy();
    return `http://127.0.0.1:${this.#port}${PREFIX}`;
  }

  /** Listens, again where it did before. */
  async mendProxy(): Promise<void> {
    await new Promise<void>((up) => this.#proxy?.listen(this.#port, "127.0.0.1", up));
    const address = this.#proxy?.address();
    if (typeof address === "object" && address) this.#port = address.port;
  }

  cutProxy(): void {
    this.#proxy?.closeAllConnections();
    this.#proxy?.close();
  }

  async end(): Promise<void> {
    this.cutProxy();
    for (const { pid } of this.#shells) {
      try {
        if (pid) process.kill(-pid);
      } catch {
        // Nothing of it is left.
      }
    }
    for (const child of this.#children.reverse()) {
      const ended = new Promise((done) => child.once("exit", done));
      if (child.exitCode === null && child.kill()) await ended;
    }
    rmSync(this.dir, { recursive: true, force: true });
  }
}
