"""A raw peer of the coordinator, so that the tests can say what no SDK would: a protobuf codec made from proto/weir.proto itself,
in Python alone, and a DEALER. It shares no code with weir's codec.

A message is a dictionary {field: value}; repeated fields are lists; bytes fields take bytes or str; enums are their names or numbers."""
import math
import os
import re
import secrets
import time

import zmq

PROTO = os.path.join(os.path.dirname(__file__), "../../proto/weir.proto")
READ_WINDOW = 500  # a reader that grants more than it takes in time is cut
READ_S = 20        # with no event for so long a read has stopped


def load_schema(path):
    text = re.sub(r"//[^\n]*", "", open(path).read())
    messages, enums = {}, {}
    for kind, name, body in re.findall(r"\b(message|enum)\s+(\w+)\s*\{(.*?)\}", text, re.S):
        if kind == "enum":
            enums[name] = {word: int(number) for word, number in re.findall(r"(\w+)\s*=\s*(\d+)\s*;", body)}
        else:
            messages[name] = {int(number): (word, type_, bool(repeated))
                              for repeated, type_, word, number in re.findall(r"(repeated\s+)?(\w+)\s+(\w+)\s*=\s*(\d+)\s*;", body)}
    return messages, enums


MESSAGES, ENUMS = load_schema(PROTO)
CODES = {number: word.lower() for word, number in ENUMS["ErrorCode"].items()}
ABOUT = {word: number for number, (word, _, _) in MESSAGES["Packet"].items()}


def varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def encode_one(type_, value):
    if type_ in MESSAGES:
        value = encode(type_, value)
        return 2, varint(len(value)) + value
    if type_ == "bytes":
        value = value.encode() if isinstance(value, str) else value
        return 2, varint(len(value)) + value
    return 0, varint(ENUMS[type_][value] if isinstance(value, str) else int(value))


def encode(message, fields):
    out, known = bytearray(), {word: (number, type_, repeated) for number, (word, type_, repeated) in MESSAGES[message].items()}
    for word in sorted(fields, key=lambda w: known[w][0]):
        number, type_, repeated = known[word]
        values = fields[word] if repeated else [fields[word]]
        if repeated and type_ not in MESSAGES and type_ != "bytes":
            packed = b"".join(encode_one(type_, value)[1] for value in values)
            out += varint(number << 3 | 2) + varint(len(packed)) + packed
            continue
        for value in values:
            wire, bytes_ = encode_one(type_, value)
            out += varint(number << 3 | wire) + bytes_
    return bytes(out)


def read_varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def decode(message, data):
    """Every field is there: absent ones as 0, b"", None (messages) or []."""
    fields = {word: [] if repeated else None if type_ in MESSAGES else b"" if type_ == "bytes" else 0
              for word, type_, repeated in MESSAGES[message].values()}
    at = 0
    while at < len(data):
        tag, at = read_varint(data, at)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            raw, at = read_varint(data, at)
        elif wire == 2:
            size, at = read_varint(data, at)
            raw, at = data[at:at + size], at + size
        else:
            raise ValueError(f"wire type {wire} in {message}")
        if number not in MESSAGES[message]:
            continue
        word, type_, repeated = MESSAGES[message][number]
        values = [raw]
        if type_ in MESSAGES:
            values = [decode(type_, raw)]
        elif type_ != "bytes" and wire == 2:
            values, inner = [], 0
            while inner < len(raw):
                value, inner = read_varint(raw, inner)
                values.append(value)
        if repeated:
            fields[word] += values
        else:
            fields[word] = values[-1]
    return fields


def event(topic, data=b"{}", **fields):
    return encode("Event", {"topic": topic, **({"data": data} if data else {}), **fields})


class Peer:
    """One DEALER connection. Packets that came and were not asked for yet wait in order."""

    def __init__(self, endpoint, timeout_s=20):
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.DEALER)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.setsockopt(zmq.RECONNECT_IVL, 3600000)
        self.socket.connect(endpoint)
        self.timeout_s, self.waiting = timeout_s, []
        self.number, self.settle_number = 0, 0
        self.heartbeat_s, self.said = None, 0  # before the welcome nobody waits for one

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()
        self.context.term()

    def send_raw(self, *frames):
        self.said = time.monotonic()
        self.socket.send_multipart(list(frames))

    def send(self, body=b"", **packet):
        self.send_raw(*([encode("Packet", packet)] + ([body] if body else [])))

    def beat(self):
        """Says that it is alive when it has said nothing else for half a heartbeat [R-BEAT-1]; -> how long until the next one."""
        if self.heartbeat_s is None:
            return math.inf
        if time.monotonic() - self.said >= self.heartbeat_s / 2:
            self.send(heartbeat={})
        return self.said + self.heartbeat_s / 2 - time.monotonic()

    def receive(self, timeout_s):
        """One packet with its bodies under `body`, or None."""
        deadline = time.monotonic() + timeout_s
        while not self.socket.poll(math.ceil(max(0, min(self.beat(), deadline - time.monotonic())) * 1000)):
            if time.monotonic() >= deadline:
                return None
        frames = self.socket.recv_multipart()
        packet = decode("Packet", frames[0])
        packet["body"] = frames[1] if len(frames) > 1 else b""
        return packet

    def take(self, word, where=lambda message: True):
        """Waits for the next message `word` that fits; others are kept for later. -> (message, packet it came in)"""
        deadline, looked = time.monotonic() + self.timeout_s, 0
        while True:
            while looked < len(self.waiting):
                kind, message, packet = self.waiting[looked]
                if kind == word and where(message):
                    del self.waiting[looked]
                    return message, packet
                looked += 1
            packet = self.receive(max(0, deadline - time.monotonic()))
            if packet is None:
                kinds = [kind for kind, _, _ in self.waiting][-12:]
                raise AssertionError(f"no `{word}` within {self.timeout_s} s; what came and was not taken: {kinds}")
            for number in sorted(MESSAGES["Packet"]):
                kind, _, repeated = MESSAGES["Packet"][number]
                for message in packet[kind] if repeated else [packet[kind]] if packet[kind] is not None else []:
                    self.waiting.append((kind, message, packet))

    def hello(self, role, **fields):
        self.instance, self.publisher = fields.pop("instance", secrets.token_bytes(16)), fields.pop("publisher", secrets.token_bytes(16))
        self.send(hello={"protocol": 1, "role": role, "instance": self.instance, "publisher": self.publisher, "first_unanswered": 1,
                         "tenant": "dev", "name": "raw", **fields})
        welcome, _ = self.take("welcome")
        self.heartbeat_s = welcome["heartbeat_ms"] / 1000
        return welcome

    def credit(self, kind, events, bytes_=1 << 30, **fields):
        self.send(credit=[{"kind": kind, "events": events, "bytes": bytes_, **fields}])

    def publish(self, *events):
        """Sends encoded events in one packet; -> the number of the first."""
        first, self.number = self.number + 1, self.number + len(events)
        self.send(b"".join(events), publish=[{"first_number": first, "size": [len(e) for e in events]}])
        return first

    def outcome(self, number):
        """What became of a number: ("ok", seq, duplicate) or (error word,)."""
        deadline = time.monotonic() + self.timeout_s
        while time.monotonic() < deadline:
            for at, (kind, message, _) in enumerate(self.waiting):
                if kind in ("accepted", "refused") and message["first_number"] <= number < message["first_number"] + message["count"]:
                    if message["first_number"] + message["count"] - 1 == number:
                        del self.waiting[at]
                    if kind == "accepted":
                        return ("ok", message["first_seq"] + number - message["first_number"], message["duplicate"])
                    return (CODES.get(message["code"], "?"),)
            packet = self.receive(max(0, deadline - time.monotonic()))
            if packet:
                for kind in ("error", "credit", "accepted", "refused", "events", "caught_up", "ended", "settled"):
                    self.waiting += [(kind, message, packet) for message in packet[kind]]
                if packet["deliver"]:
                    self.waiting.append(("deliver", packet["deliver"], packet))
        raise AssertionError(f"publish {number} has no answer")

    def settle(self, lease, verb, emits=(), delay_ms=0, emit_parts=()):
        self.settle_number += 1
        fields = {"first_number": self.settle_number, "lease": [lease], "verb": [ENUMS["Verb"][verb] if isinstance(verb, str) else verb]}
        if emits:
            fields.update(emits=[len(emits)], emit_size=[len(e) for e in emits], emit_parts=list(emit_parts))
        if delay_ms:
            fields["delay_ms"] = [delay_ms]
        self.send(b"".join(emits), settle=fields)
        return self.settle_number

    def settled(self, number):
        message, _ = self.take("settled", lambda m: m["first_number"] <= number < m["first_number"] + m["count"])
        return CODES.get(message["code"], "?")

    def error(self):
        """-> (word, name of the message it is about)"""
        message, _ = self.take("error")
        return CODES.get(message["code"], "?"), next((word for word, n in ABOUT.items() if n == message["about"]), "")


class LogRead:
    """All events that match, in order, into `rows`; over several connections when one is lost."""

    def __init__(self, filter_, role):
        self.filter, self.role, self.rows, self.gap, self.news = filter_, role, [], False, time.monotonic()

    def begin(self, peer):
        epoch = peer.hello(self.role)["epoch"]
        place = {"start": "START_SEQ", "start_at": self.rows[-1][0], "epoch": epoch} if self.rows else {"start": "START_FIRST"}
        peer.credit("CREDIT_EVENTS", READ_WINDOW, 1 << 50)
        peer.send(subscribe=[{"subscription": 1, "filter": self.filter, "limit": 1 << 40, **place}])

    def take(self, packet):
        at, self.gap = 0, self.gap or any(message["gap"] for message in packet["subscribed"])
        for message in packet["events"]:
            for i, size in enumerate(message["size"]):
                event_ = decode("Event", packet["body"][at:at + size])
                event_["first"] = message["first"][i] if message["first"] else 0
                self.rows.append((message["seq"][i], event_))
                at += size
            self.news = time.monotonic()

    def read(self, peer):
        """-> True at the end, False when the connection is lost."""
        had, granted = len(self.rows), READ_WINDOW
        while True:
            packet = peer.receive(3 * peer.heartbeat_s)
            if packet is None:  # the coordinator is gone, or has taken us for gone [R-BEAT-2]
                return False
            if time.monotonic() - self.news > READ_S:
                raise AssertionError(f"the last read stopped after {len(self.rows)} events, while its connection lives")
            self.take(packet)
            if granted - (len(self.rows) - had) < READ_WINDOW // 2:
                granted = len(self.rows) - had + READ_WINDOW
                peer.credit("CREDIT_EVENTS", granted, 1 << 50)
            if packet["ended"] or packet["error"]:
                if packet["error"] or packet["ended"][0]["code"]:
                    raise AssertionError(f"the last read was refused: {packet['error'] or packet['ended']}")
                return True

    def run(self, endpoint):
        while True:
            with Peer(endpoint) as peer:
                self.begin(peer)
                if self.read(peer):
                    return self.rows, self.gap
            if time.monotonic() - self.news > READ_S:
                raise AssertionError(f"the last read stopped after {len(self.rows)} events: connections are lost, and new ones bring nothing")
            print(f"the last read lost its connection after {len(self.rows)} events, and goes on from there", flush=True)


def read_log(endpoint, filter_=">", role="CLIENT"):
    """All events of the log that match, in order: [(seq, event)], and whether there was a gap. Needs no SDK. `first` of an event that was
    delayed is the seq that its author was told; else 0. Dead letters ($dlq.>) are for admins."""
    return LogRead(filter_, role).run(endpoint)
