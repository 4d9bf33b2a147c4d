#!/usr/bin/python3
"""RFC 6455 against the real gateway: each rule, and its opposite. What libwebsockets does its own way stands in docs/websocket.md, and is
held here, too, so that another version's way is noticed."""
import os
import re
import socket
import sys
import urllib.error
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tests/e2e"))
from harness import RawSocket, TestCase, main  # noqa: E402

PING = b'{"type":"ping","id":1}'
PONG = (1, b'{"type":"pong","id":1}')
BAD_FRAME = (1, "bad_frame")


def frame(opcode, payload=b"", fin=1, reserved=0, mask=b"abcd", size=None):
    """A client's frame, or what looks like one."""
    size = len(payload) if size is None else size
    head = bytes([fin << 7 | reserved << 4 | opcode])
    flag = 0x80 if mask else 0
    if size < 126:
        head += bytes([flag | size])
    elif size < 65536:
        head += bytes([flag | 126]) + size.to_bytes(2, "big")
    else:
        head += bytes([flag | 127]) + size.to_bytes(8, "big")
    return head + mask + (bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload)) if mask else payload)


# what is sent -> what comes: messages, a close code, or "cut" (the end without a close frame)
RULES = {
    "a message": ([frame(1, PING)], [PONG]),
    "a message in fragments": ([frame(1, PING[:5], fin=0), frame(0, PING[5:9], fin=0), frame(0, PING[9:])], [PONG]),
    "a message in empty fragments": ([frame(1, b"", fin=0), frame(0, b"", fin=0), frame(0)], [BAD_FRAME]),
    "an empty message": ([frame(1), frame(1, PING)], [BAD_FRAME, PONG]),
    "a ping": ([frame(9, b"hi")], [(10, b"hi")]),
    "the longest ping": ([frame(9, b"x" * 125)], [(10, b"x" * 125)]),
    "an unasked pong": ([frame(10, b"hi"), frame(1, PING)], [PONG]),
    "UTF-8 over a fragment's border": ([frame(1, b'{"type":"ping","id":"\xc3', fin=0), frame(0, b'\xa9"}')],
                                       [(1, '{"type":"pong","id":"é"}'.encode())]),
    "bytes that are not UTF-8": ([frame(1, b'"\xff"')], [1007]),
    "UTF-8 cut at the end": ([frame(1, b'"\xc3')], [1007]),
    "reserved bit 1": ([frame(1, PING, reserved=4)], [1002]),
    "reserved bit 3": ([frame(1, PING, reserved=1)], [1002]),
    "an unknown opcode": ([frame(3, PING)], [1002]),
    "an unknown control opcode": ([frame(11)], [1002]),
    "a ping in fragments": ([frame(9, b"x", fin=0)], [1002]),
    "a continuation of nothing": ([frame(0, PING)], [1002]),
    "a message within another": ([frame(1, PING[:5], fin=0), frame(1, PING)], [1002]),
    "a close": ([frame(8, b"\x03\xe8bye")], [1000]),
    "a close without a code": ([frame(8)], [None]),
    "a close with a code that is not for the wire": ([frame(8, b"\x03\xed")], [1002]),
    "a binary message": ([frame(2, b"\0"), frame(1, PING)], [BAD_FRAME, PONG]),
    "a binary message in fragments": ([frame(2, b"\0" * 3000, fin=0), frame(0, b"x" * 3000), frame(1, PING)], [BAD_FRAME, PONG]),
    "a message of 100 KB": ([frame(1, b'{"type":"ping","id":1,"x":"' + b"a" * 100000 + b'"}')], [PONG]),
    "a declared length of 2^62": ([frame(1, b'{"a', size=2**62)], [1009]),
    "a large message in fragments": ([frame(1, b"a" * 60000, fin=0)] + [frame(0, b"a" * 60000, fin=0)] * 2, [1009]),
    # libwebsockets' own way
    "no mask": ([frame(1, PING, mask=b"")], [PONG]),
    "a length in more bytes than needed": ([b"\x81\xfe\0\x16" + frame(1, PING)[2:]], [PONG]),
    "a length of 2^63": ([frame(1, b'{"a', size=2**63)], ["cut"]),
    "a ping that is too long": ([frame(9, b"x" * 126)], ["cut"]),
    "a close of one byte": ([frame(8, b"x")], [ord("x")]),  # echoed
    "a close with a code above all": ([frame(8, b"\x13\x88")], [5000]),
}


class Rules(TestCase):
    def setUp(self):
        super().setUp()
        self.weir.start_coordinator()
        self.weir.start_gateway()

    def come(self, raw):
        try:
            opcode, payload = raw.frame()
        except (EOFError, ConnectionResetError):
            return "cut"
        if opcode == 8:
            return int.from_bytes(payload[:2], "big") if payload else None
        return BAD_FRAME if b'"bad_frame"' in payload else (opcode, payload)

    def test_each_rule_is_kept_or_known_not_to_be(self):
        for name, (sent, expected) in RULES.items():
            with self.subTest(name), RawSocket(self.weir.port) as raw:
                raw.take(type="hello")
                for bytes_ in sent:
                    raw.socket.sendall(bytes_)
                self.assertEqual([self.come(raw) for _ in expected], expected)

    def test_control_frames_pass_between_fragments(self):
        with RawSocket(self.weir.port) as raw:
            raw.take(type="hello")
            raw.socket.sendall(frame(1, PING[:5], fin=0) + frame(9, b"hi") + frame(0, PING[5:]))
            self.assertCountEqual([self.come(raw), self.come(raw)], [(10, b"hi"), PONG])

    def shake(self, *lines, path="/v1/ws"):
        """-> status of a handshake with these lines"""
        with socket.create_connection(("127.0.0.1", self.weir.port), 30) as connection:
            head = [f"GET {path} HTTP/1.1", "Host: weir.example:1", "Connection: Upgrade", "Upgrade: websocket",
                    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]
            connection.sendall("\r\n".join([*head, *lines, "", ""]).encode())
            data = b""
            while b"\r\n\r\n" not in data:
                more = connection.recv(4096)
                if not more:
                    break
                data += more
            return int(re.match(rb"HTTP/1.1 (\d+)", data)[1])

    def test_handshakes(self):
        version = "Sec-WebSocket-Version: 13"
        self.assertEqual(self.shake(version), 101)
        self.assertEqual(self.shake("Sec-WebSocket-Version: 8"), 426)
        self.assertEqual(self.shake(version, path="/v1/other"), 404)
        self.assertEqual(self.shake(version, "Sec-WebSocket-Protocol: other, weir.v1.json"), 101)
        self.assertEqual(self.shake(version, "Sec-WebSocket-Protocol: other"), 400)
        self.assertEqual(self.shake(version, "Origin: http://weir.example:1"), 101)
        self.assertEqual(self.shake(version, "Origin: http://weir.example:2"), 403)
        self.assertEqual(self.shake(version, "Origin: null"), 403)

    def test_plain_http(self):
        def get(path, method="GET"):
            try:
                with urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{self.weir.port}{path}", method=method), timeout=30) as answer:
                    return answer.status, answer.headers["content-type"], answer.headers, answer.read()
            except urllib.error.HTTPError as error:
                return error.code, error.headers["content-type"], error.headers, error.read()
        page = get("/")
        self.assertEqual(page[:2], (200, "text/html; charset=utf-8"))
        self.assertIn("script-src 'self'", page[2]["content-security-policy"])
        for path in re.findall(rb'(?:src|href)="(/console/[^"]+)"', page[3]):
            self.assertEqual(get(path.decode())[0], 200, path)
        self.assertEqual(get("/console/app.js")[1], "text/javascript; charset=utf-8")
        self.assertEqual(get("/healthz")[0], 200)
        self.assertEqual(get("/readyz")[0], 200)
        self.assertEqual(get("/nothing")[:2], (404, "application/problem+json"))
        self.assertEqual(get("/console/../gateway.h")[0], 404)
        self.assertEqual(get("/", "POST")[:2], (405, "application/problem+json"))
        self.assertEqual((get("/", "HEAD")[0], get("/", "HEAD")[3]), (200, b""))
        self.assertEqual(get("/v1/ws")[0], 426)
        self.weir.coordinator.kill()
        while get("/readyz")[0] == 200:
            pass
        self.assertEqual(get("/readyz")[0], 503)
        self.assertEqual(get("/healthz")[0], 200)


if __name__ == "__main__":
    main()
