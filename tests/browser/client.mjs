// A client that is not the page: the npm package ws, to ask the gateway the same question.

import { createRequire } from "node:module";

const { WebSocket } = createRequire(import.meta.url)("ws");

// Sends one message and resolves with {partials, answer}.
export function ask(address, message) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://${address}/v1/ws`, "weir.v1.json");
    const partials = [];
    socket.on("error", reject);
    socket.on("close", (code) => reject(new Error(`closed with ${code} before the answer`)));
    socket.on("open", () => socket.send(JSON.stringify({ ...message, id: "q" })));
    socket.on("message", (frame) => {
      for (const answer of [JSON.parse(frame)].flat()) {
        if (answer.id !== "q") continue;
        if (answer.type === "partial") {
          partials.push(answer);
          continue;
        }
        socket.removeAllListeners("close");
        socket.close();
        resolve({ partials, answer });
      }
    });
  });
}
