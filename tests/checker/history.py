"""A history: what clients called and what they were answered, as JSON lines, one file per client.

A call is written before it is sent, an answer after it came in, so that a client which is killed leaves a call without an
answer: its outcome is unknown. `t` is CLOCK_MONOTONIC in ns, one clock for all processes of a machine.

  {"op":"group",    "group":g, "filters":[f…], "ordering":"none|key|session|group", "drained":bool}
  {"op":"publish",  "t":, "id":i, "topic":, "key":, "session":, "token":, "semantics":}     id: unique, stands in the event's data
  {"op":"answer",   "t":, "id":i, "ok":true, "seq":n, "duplicate":bool} | {…, "ok":false, "code":c}
  {"op":"offer",    "t":, "group":g, "worker":w, "seq":n, "attempt":a, "id":i}
  {"op":"settle",   "t":, "group":g, "worker":w, "seq":n, "attempt":a, "verb":"ack|nack|reject", "emits":[{"id":,"topic":}…]}
  {"op":"settled",  "t":, "group":g, "worker":w, "seq":n, "attempt":a, "ok":bool, "code":c}
  {"op":"ended",    "group":g, "seq":n, "how":"expired|dead"}                                 told by the system
  {"op":"reader",   "reader":r, "filter":f, "cursor":n}                                       what comes is after n
  {"op":"event",    "t":, "reader":r, "seq":n, "id":i}
  {"op":"gap",      "reader":r, "from":n, "to":n}                                             told: these may be missing
  {"op":"log",      "seq":n, "id":i, "topic":, "key":, "session":, "token":, "priority":, "semantics":}    the last read, in its order;
                   "first":n  of an event that was delayed: the seq that its author was told; it stands at seq
  {"op":"dead",     "group":g, "seq":n}                                                       a dead letter stands in the log
  {"op":"log_read", "gap":bool, "dead":bool}                     the last read came to its end; dead: it also read the dead letters
"""
import json
import os
import time


class Recorder:
    """Appends a client's lines to a file. One write per line: what was recorded survives the death of the client."""

    def __init__(self, path):
        self.fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def write(self, op, **fields):
        line = {"op": op, "t": time.monotonic_ns(), **{k: v for k, v in fields.items() if v is not None}}
        os.write(self.fd, (json.dumps(line, separators=(",", ":")) + "\n").encode())

    def close(self):
        os.close(self.fd)


def load(paths):
    """All lines of all files, by time; lines without a time keep their place at the end (the last read)."""
    lines = []
    for path in paths:
        with open(path, "rb") as file:
            for number, raw in enumerate(file, 1):
                if not raw.endswith(b"\n"):
                    continue  # the client died in the middle of a line: that call was never sent
                try:
                    lines.append(json.loads(raw))
                except ValueError as error:
                    raise SystemExit(f"{path}:{number}: not a history line: {error}")
    lines.sort(key=lambda line: line.get("t", 1 << 63))
    return lines


def matches(filter_, topic):
    """The meaning of a filter, in its simplest form: `*` is one word, a last `>` is one or more."""
    want, have = filter_.split("."), topic.split(".")
    for i, word in enumerate(want):
        if word == ">" and i == len(want) - 1:
            return len(have) > i
        if i >= len(have):
            return False
        if word == "*":
            if have[i].startswith("$"):
                return False
        elif word != have[i]:
            return False
    return len(want) == len(have)
