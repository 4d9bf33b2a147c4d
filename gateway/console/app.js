// Puts the page together: one connection, four cards, and the line at the top that says how the connection is.

import { Connection } from "/console/connection.js";
import { explain } from "/console/errors.js";
import { Summarizer, milliseconds } from "/console/summarize.js";
import { EventList } from "/console/events.js";
import { Burst } from "/console/burst.js";

const $ = (id) => document.getElementById(id);

const url = new URL("/v1/ws", location.href);
url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
const connection = new Connection(url.href);

let retryTimer;

function showState({ detail }) {
  clearInterval(retryTimer);
  const words = { connecting: "Connecting", open: "Connected", waiting: "Disconnected", ended: "Refused" };
  $("link").dataset.state = detail.state;
  $("link-text").textContent = words[detail.state];
  $("link-detail").textContent = "";
  if (detail.state === "waiting") {
    const tick = () => {
      $("link-detail").textContent = `again in ${Math.max(0, Math.ceil((detail.retryAt - performance.now()) / 1000))} s`;
    };
    tick();
    retryTimer = setInterval(tick, 500);
  }
  if (detail.state === "ended") showEnd(detail);
}

// The gateway does not want this page as it is: mostly a credential is missing.
function showEnd({ code, reason }) {
  const words = { 4401: "unauthorized", 4403: "forbidden" }[code];
  const replaced = code === 4409;
  if (replaced) showNotice({ title: "Another page took over this connection", text: "Reload this one to take it back." });
  else showNotice(explain({ code: words ?? "bad_version", message: reason }));
  $("credential-form").hidden = words === undefined;
  if (words) $("credential").focus();
}

function showNotice(notice) {
  $("notice").hidden = notice === null;
  $("credential-form").hidden = true;
  $("notice-action").hidden = notice === null;
  if (notice === null) return;
  $("notice-title").textContent = notice.title;
  $("notice-text").textContent = notice.text;
}

function showError(error) {
  if (error !== null && !error?.code) console.error(error);
  showNotice(error === null ? null : explain({ code: error.code ?? "internal", message: error.message, retryMs: error.retryMs ?? error.retry_ms }));
  $("credential-form").hidden = error?.code !== "unauthorized";
}

$("notice-action").textContent = "Dismiss";
$("notice-action").addEventListener("click", () => showNotice(null));
$("credential-form").addEventListener("submit", (event) => {
  event.preventDefault();
  showNotice(null);
  connection.login($("credential").value).catch(showError);
});

connection.addEventListener("state", showState);
connection.addEventListener("ready", ({ detail }) => {
  $("server").textContent = detail.server ?? "";
});
connection.addEventListener("latency", ({ detail }) => {
  if (connection.isOpen) $("link-detail").textContent = milliseconds(detail);
});

const summarizer = new Summarizer(connection, showError);
new EventList(connection, showError);
new Burst(connection, showError);
connection.open();
summarizer.loadList().catch(showError);
