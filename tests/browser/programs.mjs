// Starts the real programs for the browser test: free ports, one directory for data and logs (kept when a test fails), addresses from the
// ready lines, and children that die with this process.

import { spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const PROGRAMS = process.env.WEIR_PROGRAMS ?? "build/bin";
export const DEADLINE_MS = 30000; // generous: sanitizers, a busy machine

// Calls look() until it returns something true; a failure says what came last.
export async function waitFor(look, what, deadlineMs = DEADLINE_MS) {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const last = await look();
    if (last) return last;
    if (performance.now() > end) throw new Error(`no ${what} within ${deadlineMs} ms; last: ${JSON.stringify(last)}`);
    await pause(20);
  }
}

class Program {
  constructor(name, args, log, env) {
    this.name = name;
    this.log = log;
    const file = openSync(log, "a");
    this.from = readFileSync(log).length;
    this.child = spawn("setpriv", ["--pdeathsig", "KILL", join(PROGRAMS, name), ...args], {
      stdio: ["ignore", file, file],
      env: { ...process.env, ...env },
    });
    closeSync(file);
    this.ended = new Promise((resolve) => this.child.on("exit", (code, signal) => resolve((this.exit = { code, signal }))));
  }

  lines() {
    return readFileSync(this.log).subarray(this.from).toString().split("\n");
  }

  // The first line that `match` likes (it gets the line and returns something true).
  async said(match, what) {
    return waitFor(() => {
      for (const line of this.lines()) {
        const found = match(line);
        if (found) return found;
      }
      if (this.exit) throw new Error(`${this.name} ended with ${JSON.stringify(this.exit)} before ${what}: ${this.lines().slice(-6).join("\n")}`);
      return null;
    }, `${what} of ${this.name}`);
  }

  ready() {
    return this.said((line) => {
      if (!line.startsWith("{")) return null;
      const fields = JSON.parse(line);
      return fields.event === "ready" ? fields : null;
    }, "its ready line");
  }

  async stop(signal = "SIGTERM") {
    if (!this.exit) this.child.kill(signal);
    await waitFor(() => this.exit, `end of ${this.name}`);
    return this.exit;
  }
}

// A coordinator, a gateway and a summarizer worker.
export class Weir {
  constructor() {
    this.directory = mkdtempSync(join(tmpdir(), "weir-browser-"));
    this.programs = [];
    this.address = "127.0.0.1:0";
  }

  start(name, args, env) {
    const program = new Program(name, args, join(this.directory, `${name.replace("/", "-")}.log`), env);
    this.programs.unshift(program);
    return program;
  }

  async startAll() {
    const coordinator = this.start("weir-coordinator", ["--dev", "--data", join(this.directory, "data"), "--listen", "tcp://127.0.0.1:0",
      "--http", "127.0.0.1:0", "--log-format", "json"]);
    this.endpoint = (await coordinator.ready()).listen;
    await this.startGateway();
    await this.startWorker();
  }

  // A second gateway, of another address, that lets nobody in without this token.
  async startLockedGateway(token) {
    const tokens = join(this.directory, "tokens");
    writeFileSync(tokens, `${token} dev ada\n`, { mode: 0o600 });
    const gateway = this.start("weir-gateway", ["--listen", "127.0.0.1:0", "--coordinator", this.endpoint, "--log-format", "json", "--tokens", tokens]);
    return (await gateway.ready()).listen;
  }

  // A second one takes the address of the first.
  async startGateway() {
    this.gateway = this.start("weir-gateway", ["--dev", "--listen", this.address, "--coordinator", this.endpoint, "--log-format", "json"]);
    this.address = (await this.gateway.ready()).listen;
  }

  async startWorker() {
    this.worker = this.start("samples/summarize_worker", [], { WEIR_ENDPOINT: this.endpoint, WEIR_TENANT: "dev" });
    await this.worker.said((line) => line.includes("connected"), "its connection");
  }

  // Ends everything; the directory stays if something went wrong.
  async stop(failed) {
    for (const program of this.programs) await program.stop();
    if (failed) console.error(`logs and data are kept in ${this.directory}`);
    else rmSync(this.directory, { recursive: true });
  }
}
