// The lower left card: what is stored, newest first. Neighbours of one topic share a line, so that a burst is one line and not a flood.

const HISTORY = 100; // events asked for at the start
const LINES_MAX = 200;
const AGAIN_MS = 1000; // after the subscription has ended
const FILTER = "docs.>";

const $ = (id) => document.getElementById(id);
const number = new Intl.NumberFormat("en");
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3 });

export class EventList {
  constructor(connection, onError) {
    this.connection = connection;
    this.onError = onError;
    this.waiting = [];
    this.lines = []; // newest first
    this.total = 0;
    this.cursor = "";
    connection.addEventListener("ready", () => this.subscribe());
    connection.addEventListener("notice", ({ detail }) => this.notice(detail));
    connection.addEventListener("event", ({ detail }) => this.take(detail));
  }

  // The first time with some history, later from where the connection broke.
  async subscribe() {
    const message = { type: "subscribe", topic: FILTER };
    if (this.cursor) message.since = this.cursor;
    else message.last = HISTORY;
    try {
      const { cursor, gap } = await this.connection.call(message);
      this.cursor ||= cursor ?? "";
      if (gap) this.take({ gap: true, topic: "events in between have left the window" });
    } catch (error) {
      if (error.code !== "connection_lost") this.onError(error);
    }
  }

  // The subscription ended, or this page is too slow to be pushed to: go on from the last event that came.
  notice(message) {
    if (message.topic !== FILTER || (message.type !== "error" && message.type !== "poll")) return;
    if (message.type === "error" && !message.ended) {
      this.take({ gap: true, topic: "events in between have left the window" });
      return;
    }
    if (message.type === "error") this.onError(message);
    if (message.cursor) this.cursor = message.cursor; // what is before it has left the window
    setTimeout(() => this.connection.isOpen && this.subscribe(), AGAIN_MS);
  }

  take(event) {
    if (!event.gap && !event.topic.startsWith("docs.")) return;
    if (event.event) this.cursor = event.event;
    this.waiting.push(event);
    if (this.waiting.length === 1) requestAnimationFrame(() => this.render());
  }

  render() {
    const fresh = this.waiting;
    this.waiting = [];
    for (const event of fresh) this.add(event);
    for (const line of this.lines) if (line.changed) this.write(line);
    while (this.lines.length > LINES_MAX) this.lines.pop().node.remove();
    $("events-empty").hidden = this.lines.length > 0;
    $("events-count").textContent = `${number.format(this.total)} seen`;
  }

  add(event) {
    if (!event.gap) this.total++;
    const newest = this.lines[0];
    if (newest && !event.gap && newest.last.topic === event.topic) {
      newest.last = event;
      newest.count++;
      newest.changed = true;
      return;
    }
    const line = { first: event, last: event, count: 1, changed: true, node: document.createElement("li") };
    if (event.gap) {
      line.node.className = "gap";
      line.node.textContent = event.topic;
      line.changed = false;
    } else {
      line.summary = document.createElement("button");
      line.summary.type = "button";
      line.summary.setAttribute("aria-expanded", "false");
      line.summary.addEventListener("click", () => this.toggle(line));
      line.node.append(line.summary);
    }
    this.lines.unshift(line);
    $("events").prepend(line.node);
  }

  write(line) {
    const { first, last, count } = line;
    line.changed = false;
    const cells = [
      ["seq", count > 1 ? `${first.seq}–${String(last.seq)}` : String(last.seq)],
      ["topic", last.topic],
      ["time", clock.format(new Date(last.time))],
      ["bytes", number.format(sizeOf(last))],
    ].map(([name, text]) => {
      const cell = document.createElement("span");
      cell.className = name;
      cell.textContent = text;
      return cell;
    });
    if (count > 1) {
      const times = document.createElement("b");
      times.textContent = `${number.format(count)}×`;
      cells[1].append(times);
    }
    line.summary.replaceChildren(...cells);
    if (line.detail) this.writeDetail(line);
  }

  toggle(line) {
    if (line.detail) {
      line.detail.remove();
      line.detail = null;
    } else {
      line.detail = document.createElement("div");
      line.detail.className = "detail";
      this.writeDetail(line);
      line.node.append(line.detail);
    }
    line.summary.setAttribute("aria-expanded", String(Boolean(line.detail)));
  }

  writeDetail(line) {
    const { data, data_base64, type, topic, ...rest } = line.last;
    const facts = document.createElement("p");
    facts.textContent = Object.entries(rest)
      .filter(([name]) => ["event", "key", "session", "token", "event_type", "cause"].includes(name))
      .map(([name, value]) => `${name} ${typeof value === "string" ? value : JSON.stringify(value)}`)
      .join("   ");
    const body = document.createElement("pre");
    body.tabIndex = 0;
    body.textContent = data_base64 !== undefined ? data_base64 : JSON.stringify(data, null, 2);
    line.detail.replaceChildren(facts, body);
  }
}

function sizeOf(event) {
  if (event.data_base64 !== undefined) return Math.floor((event.data_base64.length * 3) / 4);
  return new TextEncoder().encode(JSON.stringify(event.data ?? null)).length;
}
