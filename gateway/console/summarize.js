// The left and right upper cards: choose or paste a document, ask a worker for its summary, show each partial answer as it arrives.

import { DocumentView } from "/console/document.js";

const REQUEST_BYTES_MAX = 60 * 1024; // an event carries 64 KiB, its own fields included
const TIMEOUT_MS = 30000;

const $ = (id) => document.getElementById(id);
const number = new Intl.NumberFormat("en");

export class Summarizer {
  constructor(connection, onError) {
    this.connection = connection;
    this.onError = onError;
    this.view = new DocumentView($("article"));
    this.slug = "pasted";
    this.title = "";
    $("choice").addEventListener("change", () => this.choose($("choice").value));
    $("text").addEventListener("input", () => this.typed());
    $("edit").addEventListener("click", () => this.edit());
    $("summarize").addEventListener("click", () => (this.running ? this.cancel() : this.run()));
    $("sentences").addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (!button) return;
      $("article").scrollIntoView({ block: "nearest", behavior: "smooth" }); // on a phone it stands above
      this.view.reveal(button.dataset.sentence);
    });
  }

  async loadList() {
    this.texts = await (await fetch("/console/texts.json")).json();
    for (const text of this.texts) {
      const option = new Option(text.by ? `${text.title} · ${text.by}` : text.title, text.file);
      $("choice").append(option);
    }
    $("choice").append(new Option("Own text", ""));
    await this.choose(this.texts[0].file);
  }

  async choose(file) {
    const entry = this.texts.find((text) => text.file === file);
    const text = entry ? await (await fetch(`/console/${file}`)).text() : "";
    if ($("choice").value !== file) return; // another was chosen meanwhile
    this.slug = entry?.slug ?? "pasted";
    this.title = entry?.title ?? "";
    $("text").value = text;
    this.edit();
    if (!entry) $("text").focus();
  }

  typed() {
    if ($("choice").value !== "") {
      $("choice").value = "";
      this.slug = "pasted";
      this.title = "";
    }
    this.measure();
  }

  edit() {
    $("article").hidden = true;
    $("edit").hidden = true;
    $("text").hidden = false;
    this.measure();
  }

  // Shows the size and whether it can be sent.
  measure() {
    const text = $("text").value;
    const bytes = new TextEncoder().encode(JSON.stringify(this.document(text))).length;
    const words = (text.match(/\S+/g) ?? []).length;
    const over = bytes > REQUEST_BYTES_MAX;
    $("size").textContent = over
      ? `${Math.ceil(bytes / 1024)} KiB: at most ${REQUEST_BYTES_MAX / 1024} KiB can be sent`
      : `${number.format(words)} words, ${bytes < 1024 ? `${bytes} bytes` : `${(bytes / 1024).toFixed(1)} KiB`}`;
    $("size").classList.toggle("wrong", over);
    $("summarize").disabled = !this.running && (over || words === 0);
  }

  document(text) {
    const data = { title: this.title, text };
    if ($("count").value) data.sentences = Number($("count").value);
    return data;
  }

  async run() {
    this.clear();
    const text = $("text").value;
    this.setRunning(true);
    this.view.show(text);
    $("text").hidden = true;
    $("article").hidden = false;
    this.start = performance.now();
    const message = { type: "request", topic: `docs.${this.slug}.summarize`, key: this.slug, data: this.document(text), timeout_ms: TIMEOUT_MS };
    try {
      const answer = this.connection.call(message, (partial) => this.partial(partial));
      this.request = message.id;
      this.finish((await answer).data);
    } catch (error) {
      this.stage("stopped", error.code);
      this.onError(error);
      if ($("sentences").childElementCount === 0) {
        $("answer-empty").hidden = false;
        this.edit();
      }
    } finally {
      this.setRunning(false);
      $("edit").hidden = $("article").hidden;
    }
  }

  cancel() {
    this.connection.call({ type: "cancel", request: this.request }).catch(this.onError);
  }

  setRunning(running) {
    this.running = running;
    $("summarize").textContent = running ? "Cancel" : "Summarize";
    $("answer").setAttribute("aria-busy", String(running));
    this.measure();
  }

  clear() {
    this.attempt = 0;
    this.first = 0;
    for (const id of ["keywords", "sentences", "stages"]) $(id).replaceChildren();
    $("answer-empty").hidden = true;
    $("took").textContent = "";
    this.onError(null);
  }

  partial({ attempt, data }) {
    if (attempt < this.attempt) return;
    if (attempt > this.attempt && this.attempt > 0) this.restart(attempt);
    this.attempt = attempt;
    this.first ||= performance.now() - this.start;
    if (data.stage === "read") this.stage("read", `${number.format(data.sentences)} sentences, ${number.format(data.words)} words`);
    else if (data.stage === "ranked") this.stage("ranked", `${number.format(data.edges)} links between them`);
    else if (data.stage === "keywords") this.showKeywords(data.keywords);
    else if (data.stage === "sentence") this.showSentence(data);
  }

  // Another worker took over: what the first one said does not count any more.
  restart(attempt) {
    for (const id of ["keywords", "sentences", "stages"]) $(id).replaceChildren();
    this.view.show(this.view.text);
    this.stage("again", `attempt ${attempt}`);
  }

  stage(name, text) {
    const item = document.createElement("li");
    const time = document.createElement("time");
    time.textContent = milliseconds(performance.now() - this.start);
    const label = document.createElement("b");
    label.textContent = name;
    item.append(label, ` ${text}`, time);
    $("stages").append(item);
  }

  showKeywords(keywords) {
    $("keywords").replaceChildren();
    for (const { text, rank, count } of keywords) {
      const chip = document.createElement("li");
      chip.textContent = text;
      chip.title = `${count} times`;
      chip.dataset.weight = rank > 0.7 ? "high" : rank > 0.3 ? "middle" : "low";
      const times = document.createElement("span");
      times.textContent = count;
      chip.append(times);
      $("keywords").append(chip);
    }
  }

  // The list is kept in the order of the document, whatever the order of arrival.
  showSentence(sentence) {
    const item = document.createElement("li");
    item.dataset.sentence = sentence.sentence;
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.sentence = sentence.sentence;
    button.title = "Show it in the document";
    button.textContent = sentence.text;
    const meter = document.createElement("meter");
    meter.min = 0;
    meter.max = 1;
    meter.value = sentence.rank;
    meter.title = `rank ${sentence.rank.toFixed(2)}`;
    meter.setAttribute("aria-label", "rank");
    item.append(meter, button);
    const later = [...$("sentences").children].find((other) => Number(other.dataset.sentence) > sentence.sentence);
    $("sentences").insertBefore(item, later ?? null);
    this.view.mark(sentence);
  }

  // The reply has everything; partials that did not make it are filled in from it.
  finish(data) {
    const took = performance.now() - this.start;
    const shown = new Set([...$("sentences").children].map((item) => Number(item.dataset.sentence)));
    for (const sentence of data.summary) if (!shown.has(sentence.sentence)) this.showSentence(sentence);
    if ($("keywords").childElementCount === 0) this.showKeywords(data.keywords);
    this.stage("answered", `${data.summary.length} key sentences, ${milliseconds(data.took_ms)} of it in the worker`);
    const first = this.first ? `first piece after ${milliseconds(this.first)}, ` : "";
    $("took").textContent = `${first}all after ${milliseconds(took)}`;
    $("took").dataset.ms = took;
    if (data.summary.length > 0) this.view.reveal(data.summary[0].sentence);
  }
}

export function milliseconds(ms) {
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}
