// What each error code of the protocol means to somebody who looks at the page, and what can be done. The gateway's own message is shown
// after it.

const WORDS = {
  bad_frame: ["The gateway could not read the frame", "This page and the gateway may be of different versions; reload the page."],
  bad_request: ["The request is not allowed as it stands", "See the message for what is wrong with it."],
  bad_version: ["The versions do not fit", "Reload the page; it may be older than the gateway."],
  unauthorized: ["A credential is needed", "Give one that this gateway knows, or start it with --dev."],
  forbidden: ["The credential does not allow this", "Ask whoever runs the gateway."],
  not_found: ["It is not there", "It may have left the window of stored events."],
  too_large: ["This is too large", "An event carries at most 64 KiB. Shorten the text."],
  throttled: ["Too fast for now", "It may be sent again in a moment."],
  overloaded: ["The coordinator is full for now", "It may be sent again in a moment."],
  no_worker: ["No worker serves this topic", "Start one: build/bin/samples/summarize_worker"],
  timeout: ["No answer came in time", "Is the worker busy or stopped? See: weir workers"],
  cancelled: ["Cancelled", "The worker was told to stop."],
  expired: ["The event expired before a worker took it", "Send it again."],
  stale: ["The worker's lease had ended", "The event goes to another worker."],
  conflict: ["It conflicts with what is there", "See the message."],
  credit_exceeded: ["More was sent than was agreed", "Wait for what is on its way."],
  breaker_open: ["The worker failed too often", "It is tried again in a while."],
  draining: ["This gateway is leaving", "The page reconnects by itself."],
  moved: ["The tenant has moved to another coordinator", "The page reconnects by itself."],
  gone: ["It has left the window of stored events", "Begin at the oldest there is."],
  unsupported: ["This gateway does not do that yet", "See the message."],
  internal: ["It could not be done", "The log of the worker, the gateway or the coordinator says more."],
  not_connected: ["There is no connection to the gateway", "The page reconnects by itself; then try again."],
  connection_lost: ["The connection was lost before the answer", "The event may be stored all the same. Try again when connected."],
};

// {title, text, retryMs} for a WeirError, or for a code of a version to come.
export function explain(error) {
  const [title, advice] = WORDS[error.code] ?? [`Refused: ${error.code ?? "unknown"}`, ""];
  const message = error.message && error.message !== error.code ? sentence(error.message) : "";
  const retry = error.retryMs ? `Again in ${error.retryMs} ms.` : "";
  return { title, text: [message, advice, retry].filter(Boolean).join(" ") };
}

function sentence(text) {
  const upper = text[0].toUpperCase() + text.slice(1);
  return /[.!?]$/.test(upper) ? upper : `${upper}.`;
}

export const CODES = Object.keys(WORDS);
