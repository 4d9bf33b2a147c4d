// The lower right card: sends a number of events at a rate, counts what becomes of them and how long it takes. Every event has its time by
// the clock, and its latency counts from there, not from when it could be sent (open loop): waiting does not hide. A gateway takes only so
// many messages of one connection before their answers, so at most WINDOW are on their way. It heeds slow_down.

import { Latencies } from "/console/stats.js";
import { drawChart } from "/console/chart.js";

const TICK_MS = 10;
const BATCH_MAX = 64; // publishes in one frame
const BATCH_BYTES_MAX = 32 * 1024;
const WINDOW = 128;
const PAUSE_MS = 500; // after a slow_down that says neither rate nor time
const QUIET_MS = 5000; // nothing came for so long: what is missing is not coming
const SLICES = 60; // points of the chart, if the run keeps its rate
const SLICE_MS_MIN = 20;

const $ = (id) => document.getElementById(id);
const number = new Intl.NumberFormat("en");

export class Burst {
  constructor(connection, onError) {
    this.connection = connection;
    this.onError = onError;
    $("burst-form").addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.running) this.stop("stopped");
      else this.begin(Number($("burst-count").value), Number($("burst-rate").value), Number($("burst-size").value));
    });
    connection.addEventListener("event", ({ detail }) => this.received(detail));
    connection.addEventListener("notice", ({ detail }) => this.notice(detail));
    this.draw();
  }

  begin(count, rate, size) {
    const id = Math.random().toString(36).slice(2, 8);
    this.topic = `docs.burst-${id}.tick`;
    Object.assign(this, { id, count, rate, size, sent: 0, ok: 0, refused: 0, got: 0, codes: new Map(), slowed: 0, pausedUntil: 0, paced: 0 });
    this.dueAt = new Float64Array(count);
    this.seen = new Uint8Array(count);
    const sliceMs = Math.max(SLICE_MS_MIN, ((count / rate) * 1000) / SLICES);
    this.stored = new Latencies(sliceMs);
    this.arrived = new Latencies(sliceMs);
    this.running = true;
    this.start = this.last = this.tickAt = performance.now();
    this.onError(null);
    $("burst-send").textContent = "Stop";
    $("burst-state").textContent = "sending";
    this.ticker = setInterval(() => this.tick(), TICK_MS);
    this.painter = setInterval(() => this.draw(), 200);
  }

  tick() {
    const now = performance.now();
    const rate = this.slowed || this.rate;
    const due = Math.min(this.count, this.paced + ((now - this.tickAt) * rate) / 1000);
    for (let n = Math.floor(this.paced); n < Math.floor(due); n++) this.dueAt[n] = this.tickAt + ((n + 1 - this.paced) * 1000) / rate;
    this.paced = due;
    this.tickAt = now;
    this.batch = Math.max(1, Math.min(BATCH_MAX, Math.floor(BATCH_BYTES_MAX / this.size)));
    this.sendDue(now);
    const answered = this.ok + this.refused === this.sent;
    if (this.sent === this.count && answered && this.got >= this.ok) this.stop("done");
    else if (now - this.last > QUIET_MS) this.stop("nothing more came");
  }

  // Sends what is due, as far as the window allows; called by the clock and by each answer that makes room.
  sendDue(now) {
    while (this.running && now >= this.pausedUntil) {
      const room = WINDOW - (this.sent - this.ok - this.refused);
      const count = Math.min(this.batch, room, Math.floor(this.paced) - this.sent);
      if (count <= 0) return;
      this.sendSome(count);
    }
  }

  sendSome(count) {
    const first = this.sent;
    const messages = [];
    for (let n = first; n < first + count; n++) {
      const data = { burst: this.id, n, fill: "" };
      data.fill = "~".repeat(Math.max(0, this.size - JSON.stringify(data).length));
      messages.push({ type: "publish", topic: this.topic, key: `tick-${n % 16}`, data });
    }
    this.sent += count;
    this.connection.sendAll(messages, (answer, place) => this.answered(answer, first + place));
  }

  answered(answer, n) {
    const now = performance.now();
    this.last = now;
    if (answer.type === "ok") {
      this.ok++;
      this.stored.add(this.dueAt[n] - this.start, now - this.dueAt[n]);
      if (this.sent - this.ok - this.refused <= WINDOW / 2) this.sendDue(now);
      return;
    }
    this.refused++;
    this.codes.set(answer.code, (this.codes.get(answer.code) ?? 0) + 1);
    if (this.refused === 1) this.onError(answer);
    if (answer.code === "connection_lost" || answer.code === "not_connected") this.stop("connection lost");
  }

  received(event) {
    if (!this.topic || event.topic !== this.topic) return;
    const n = event.data?.n;
    if (!Number.isInteger(n) || n >= this.count || this.seen[n]) return;
    const now = performance.now();
    this.last = now;
    this.seen[n] = 1;
    this.got++;
    this.arrived.add(this.dueAt[n] - this.start, now - this.dueAt[n]);
    if (!this.running) this.draw();
  }

  notice(message) {
    if (!this.running) return;
    if (message.type === "slow_down") {
      this.slowed = message.max_rate ?? 0;
      this.pausedUntil = message.max_rate ? 0 : performance.now() + (message.retry_ms ?? PAUSE_MS);
      $("burst-state").textContent = message.max_rate ? `slowed down to ${number.format(message.max_rate)} per second` : "told to slow down";
    } else if (message.type === "speed_up") {
      this.slowed = this.pausedUntil = 0;
      $("burst-state").textContent = "sending";
    }
  }

  stop(why) {
    if (!this.running) return;
    this.running = false;
    clearInterval(this.ticker);
    clearInterval(this.painter);
    const seconds = (this.last - this.start) / 1000;
    const refused = [...this.codes].map(([code, count]) => `, ${number.format(count)} ${code}`).join("");
    $("burst-send").textContent = "Send";
    $("burst-state").textContent = `${why} after ${seconds.toFixed(2)} s${refused}`;
    this.draw();
  }

  draw() {
    for (const [id, value] of [["sent", this.sent], ["ok", this.ok], ["refused", this.refused], ["received", this.got]])
      $(`burst-${id}`).textContent = number.format(value ?? 0);
    $("burst-refused").classList.toggle("wrong", this.refused > 0);
    writeLatency($("latency-ok"), this.stored);
    writeLatency($("latency-event"), this.arrived);
    const last = Math.floor(this.paced ?? 0) - 1;
    const until = Math.max(1000, last >= 0 ? this.dueAt[last] - this.start : 0); // the time axis is when events were due
    drawChart($("chart"), [
      { name: "received", points: this.arrived?.slices() ?? [] },
      { name: "stored", points: this.stored?.slices() ?? [] },
    ], until);
  }
}

function writeLatency(row, latencies) {
  const values = latencies?.percentiles([50, 90, 99, 100]);
  [...row.querySelectorAll("td")].forEach((cell, i) => {
    cell.textContent = values ? values[i].toFixed(values[i] < 100 ? 1 : 0) : "–";
  });
}
