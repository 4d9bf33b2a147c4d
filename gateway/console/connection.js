// One WebSocket to the gateway (subprotocol weir.v1.json) that comes back by itself: after a loss it waits longer and longer, with
// chance in it, so that a thousand pages do not return at once. Close codes 44xx end it for good.
//
// Events: "state" (detail: {state, retryAt, reason}), "ready" (connected, or let in with another credential), "event", "latency" (ms of a
// ping), "notice" (slow_down, speed_up, poll, and errors that answer no message).

const BACKOFF_FIRST_MS = 500;
const BACKOFF_MAX_MS = 15000;
const PING_EVERY_MS = 10000;
const PONG_WITHIN_MS = 8000;

export class WeirError extends Error {
  constructor(code, message, retryMs) {
    super(message || code);
    this.code = code;
    this.retryMs = retryMs || 0;
  }
}

export class Connection extends EventTarget {
  constructor(url) {
    super();
    this.url = url;
    this.credential = "";
    this.state = "connecting";
    this.attempt = 0;
    this.nextId = 1;
    this.pending = new Map(); // id -> function(message), called for partials and once for the final answer
    addEventListener("online", () => this.state === "waiting" && this.open());
  }

  open() {
    clearTimeout(this.retryTimer);
    this.setState("connecting");
    const socket = new WebSocket(this.url, "weir.v1.json");
    this.socket = socket;
    socket.onopen = () => this.greet();
    socket.onmessage = (frame) => this.read(frame.data);
    socket.onclose = (close) => this.socket === socket && this.lost(close.code, close.reason);
  }

  // Shows another credential, on this connection if there is one. Rejects with what the gateway says to it.
  async login(credential) {
    this.credential = credential;
    if (!this.isOpen) return this.open();
    await this.call({ type: "auth", credential });
    this.tell("ready", this.hello);
  }

  get isOpen() {
    return this.state === "open";
  }

  // Sends one message and resolves with its final answer; an error answer rejects with a WeirError.
  call(message, onPartial) {
    return new Promise((resolve, reject) => {
      this.send(message, (answer) => {
        if (answer.type === "partial") onPartial?.(answer);
        else if (answer.type === "error") reject(new WeirError(answer.code, answer.message, answer.retry_ms));
        else resolve(answer);
      });
    });
  }

  // Sends one message; onAnswer gets every answer to it. Returns its id.
  send(message, onAnswer) {
    return this.sendAll([message], onAnswer)[0];
  }

  // Sends messages as one frame (a batch); onAnswer is told of each, with the message's place as second argument.
  sendAll(messages, onAnswer) {
    const ids = messages.map((message, place) => {
      message.id = this.nextId++;
      this.pending.set(message.id, (answer) => onAnswer(answer, place));
      return message.id;
    });
    if (this.socket?.readyState !== WebSocket.OPEN) {
      queueMicrotask(() => ids.forEach((id) => this.answer({ type: "error", id, code: "not_connected" })));
      return ids;
    }
    this.socket.send(JSON.stringify(messages.length === 1 ? messages[0] : messages));
    return ids;
  }

  // ---- inside ----

  async greet() {
    if (!this.credential) return;
    try {
      await this.call({ type: "auth", credential: this.credential });
    } catch (error) {
      this.refusal = error.message;
    }
  }

  read(data) {
    let frame;
    try {
      frame = JSON.parse(data);
    } catch {
      return;
    }
    for (const message of Array.isArray(frame) ? frame : [frame]) this.take(message);
  }

  take(message) {
    if (message.id !== undefined && this.pending.has(message.id)) return this.answer(message);
    switch (message.type) {
      case "hello":
        this.attempt = 0;
        this.hello = message;
        this.setState("open");
        this.tell("ready", message);
        this.pingTimer = setInterval(() => this.ping(), PING_EVERY_MS);
        this.ping();
        break;
      case "event":
        this.tell("event", message);
        break;
      case "drain":
        this.drainMs = message.reconnect_ms ?? 1000;
        break;
      default:
        this.tell("notice", message);
    }
  }

  answer(message) {
    const take = this.pending.get(message.id);
    if (!take) return;
    if (message.type !== "partial") this.pending.delete(message.id);
    take(message);
  }

  async ping() {
    const socket = this.socket;
    const start = performance.now();
    const late = setTimeout(() => socket.close(4000, "no pong"), PONG_WITHIN_MS);
    try {
      await this.call({ type: "ping" });
      this.tell("latency", performance.now() - start);
    } catch {
      // the loss of the connection is told by "state"
    } finally {
      clearTimeout(late);
    }
  }

  lost(code, reason) {
    clearInterval(this.pingTimer);
    this.socket = null;
    for (const id of [...this.pending.keys()]) this.answer({ type: "error", id, code: "connection_lost" });
    if (code >= 4400 && code < 4500) {
      this.setState("ended", { code, reason: this.refusal || reason });
      return;
    }
    const ceiling = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** this.attempt++);
    const wait = this.drainMs !== undefined ? Math.random() * this.drainMs : ceiling * (0.5 + Math.random() / 2);
    this.drainMs = undefined;
    this.setState("waiting", { retryAt: performance.now() + wait, code, reason });
    this.retryTimer = setTimeout(() => this.open(), wait);
  }

  setState(state, detail = {}) {
    this.state = state;
    this.tell("state", { state, ...detail });
  }

  tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
