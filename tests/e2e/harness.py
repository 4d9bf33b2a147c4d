"""Starts the real programs for a test: free ports, a directory per test (kept when it fails), children that die with the test, and
waits for conditions with deadlines. Where the programs are: the environment's WEIR_PROGRAMS (ctest sets it)."""
import asyncio
import ctypes
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

import websockets

PROGRAMS = os.environ.get("WEIR_PROGRAMS", "build/bin")
DEADLINE_S = 30  # generous: sanitizers, a busy machine
LIBC = ctypes.CDLL(None)
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../checker"))


def die_with_parent():
    LIBC.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def program(name):
    return os.path.join(PROGRAMS, name)


def preload(shim):
    """LD_PRELOAD for weir-coordinator with a shim of this directory. ASan wants to be the first library of a program built with it."""
    linked = subprocess.run(["ldd", program("weir-coordinator")], capture_output=True, text=True).stdout
    asan = [line.split()[2] for line in linked.splitlines() if "libasan" in line]
    return ":".join(asan + [os.path.abspath(os.path.join(PROGRAMS, f"../tests/lib{shim}.so"))])


def wait_for(look, what, deadline_s=DEADLINE_S):
    """Calls look() until it returns something true; a failure says what came last."""
    deadline, last = time.monotonic() + deadline_s, None
    while time.monotonic() < deadline:
        last = look()
        if last:
            return last
        time.sleep(0.01)
    raise AssertionError(f"no {what} within {deadline_s} s; last: {last!r}")


class Program:
    """A child process whose stderr goes to a file. `ready` holds the fields of its line event=ready; `through`: a command that execs it."""

    def __init__(self, name, arguments, log, environment=None, stdin=None, stdout=None, through=()):
        self.name, self.log, self.ready = name, log, None
        self.command = [*through, program(name)] + [str(a) for a in arguments]
        with open(log, "ab") as file:
            self.log_from = file.tell()
            self.process = subprocess.Popen(self.command, stdin=stdin or subprocess.DEVNULL, stdout=stdout or file, stderr=file,
                                            env={**os.environ, **(environment or {})}, preexec_fn=die_with_parent)
        self.pid = self.process.pid

    def lines(self):
        """What this process has logged so far: dictionaries; a line that is not JSON is {"raw": text}."""
        found = []
        with open(self.log, errors="replace") as file:
            file.seek(self.log_from)
            for line in file.read().split("\n")[:-1]:
                try:
                    fields = json.loads(line)
                    found.append(fields if isinstance(fields, dict) else {"raw": line})
                except ValueError:
                    found.append({"raw": line})
        return found

    def await_ready(self):
        def look():
            self.ready = next((line for line in self.lines() if line.get("event") == "ready"), None)
            return self.ready or self.process.poll() is not None
        wait_for(look, f"ready line of {self.name}")
        if not self.ready:
            raise AssertionError(f"{self.name} ended with {self.process.returncode} before it was ready: {self.lines()[-5:]}")

    def alive(self):
        return self.process.poll() is None

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self, deadline_s=DEADLINE_S):
        """SIGTERM; -> exit code."""
        if self.alive():
            self.process.terminate()
            try:
                self.process.wait(deadline_s)
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError(f"{self.name} did not end within {deadline_s} s of SIGTERM; it said last: {self.lines()[-5:]}")
        return self.process.returncode


class Weir:
    """A coordinator and its surroundings in one directory. Restarted programs take the addresses they had."""

    def __init__(self, directory):
        self.directory, self.programs = directory, []
        self.coordinator = self.gateway = None
        self.endpoint = self.http = self.port = None

    def path(self, name):
        return os.path.join(self.directory, name)

    def text(self, name):
        """What stands in a file of the directory so far."""
        with open(self.path(name), encoding="utf-8", errors="replace") as file:
            return file.read()

    def start(self, name, arguments, log=None, **options):
        started = Program(name, arguments, self.path((log or name) + ".log"), **options)
        self.programs.append(started)
        started.await_ready()
        return started

    def start_coordinator(self, *arguments, data="data", **options):
        self.coordinator = self.start("weir-coordinator", ["--dev", "--data", self.path(data), "--listen", self.endpoint or "tcp://127.0.0.1:0",
                                                           "--http", self.http or "127.0.0.1:0", "--log-format", "json", *arguments],
                                      **options)
        self.endpoint, self.http = self.coordinator.ready["listen"], self.coordinator.ready["http"]
        return self.coordinator

    def start_gateway(self, *arguments):
        listen = f"127.0.0.1:{self.port or 0}"
        self.gateway = self.start("weir-gateway", ["--dev", "--listen", listen, "--coordinator", self.endpoint, "--log-format", "json",
                                                   *arguments])
        self.port = int(self.gateway.ready["listen"].rpartition(":")[2])
        return self.gateway

    def start_worker(self, *arguments, name="w1", history=None):
        """tests/e2e/e2e_worker.c; ready when it has its welcome."""
        return self.start("e2e_worker", ["--endpoint", self.endpoint, "--name", name, "--history",
                                         history or self.path(name + ".jsonl"), *arguments], log=name)

    def weir(self, *arguments, stdin=None, stdin_file=None, timeout_s=DEADLINE_S, check=True):
        """The command line; -> CompletedProcess with text."""
        done = subprocess.run([program("weir"), *[str(a) for a in arguments]], capture_output=True,
                              **({"stdin": stdin_file} if stdin_file else {"input": stdin}), text=True, timeout=timeout_s,
                              env={**os.environ, "WEIR_ENDPOINT": self.endpoint or "", "WEIR_TENANT": "dev"}, preexec_fn=die_with_parent)
        if check and done.returncode != 0:
            raise AssertionError(f"weir {' '.join(map(str, arguments))}: exit code {done.returncode}: {done.stderr[-500:]}")
        return done

    def background(self, *arguments):
        """The command line, running on; its standard output and error are in weir.log."""
        started = Program("weir", arguments, self.path("weir.log"), environment={"WEIR_ENDPOINT": self.endpoint, "WEIR_TENANT": "dev"})
        self.programs.append(started)
        return started

    def metrics(self, of="coordinator"):
        """{name{labels}: value} of /metrics"""
        address = self.http if of == "coordinator" else f"127.0.0.1:{self.port}"
        text = urllib.request.urlopen(f"http://{address}/metrics", timeout=DEADLINE_S).read().decode()
        return {match[1]: float(match[2]) for match in re.finditer(r"^(\w+(?:\{[^}]*\})?) ([-+0-9.eEinfNa]+)$", text, re.M)}

    def metric(self, word, label="", of="coordinator"):
        """The sum of the metrics whose name has `word` and whose labels have `label`."""
        return sum(value for name, value in self.metrics(of).items() if word in name.split("{")[0] and label in name)

    def stop_all(self):
        for started in reversed(self.programs):
            if started.alive():
                started.kill()


class TestCase(unittest.IsolatedAsyncioTestCase):
    """self.weir is a fresh Weir; its directory stays when the test fails, and its name is said."""

    def setUp(self):
        self.weir = Weir(tempfile.mkdtemp(prefix="weir-e2e-"))

    def tearDown(self):
        self.weir.stop_all()
        outcome = self._outcome
        result = getattr(outcome, "result", None)
        failed = any(error for _, error in getattr(outcome, "errors", None) or []) or any(
            test is self for test, _ in (getattr(result, "failures", []) + getattr(result, "errors", [])))
        if failed:
            print(f"{self.id()}: everything is kept in {self.weir.directory}", file=sys.stderr)
        else:
            shutil.rmtree(self.weir.directory, ignore_errors=True)


class Socket:
    """A WebSocket client of weir.v1.json over python3-websockets. Frames that came and were not asked for yet wait in order."""

    def __init__(self, connection, hello):
        self.connection, self.hello, self.waiting, self.id = connection, hello, [], 0

    @classmethod
    async def open(cls, port, subprotocol="weir.v1.json", **options):
        connection = await asyncio.wait_for(websockets.connect(f"ws://127.0.0.1:{port}/v1/ws", subprotocols=[subprotocol], max_size=None,
                                                               ping_interval=None, **options), DEADLINE_S)
        opened = cls(connection, None)
        opened.hello = await opened.take(type="hello")
        return opened

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        await self.connection.close()

    async def send(self, message):
        await self.connection.send(message if isinstance(message, (str, bytes)) else json.dumps(message, ensure_ascii=False, separators=(",", ":")))

    async def take(self, **fields):
        """Waits for the next frame with these fields; others are kept for later."""
        deadline, looked = time.monotonic() + DEADLINE_S, 0
        while True:
            while looked < len(self.waiting):
                frame = self.waiting[looked]
                if all(frame.get(k) == v for k, v in fields.items()):
                    return self.waiting.pop(looked)
                looked += 1
            try:
                text = await asyncio.wait_for(self.connection.recv(), max(0.01, deadline - time.monotonic()))
            except asyncio.TimeoutError:
                raise AssertionError(f"no frame with {fields} within {DEADLINE_S} s; what came and was not taken: {self.waiting[-6:]}") from None
            frames = json.loads(text)
            for frame in frames if isinstance(frames, list) else [frames]:
                self.waiting.append({**frame, "_text": text})

    async def call(self, type_, **fields):
        """Sends with a fresh id and waits for the final answer, whatever it is."""
        self.id += 1
        id_ = self.id
        await self.send({"type": type_, "id": id_, **fields})
        while True:
            frame = await self.take(id=id_)
            if frame["type"] != "partial":
                return frame
            self.partials = getattr(self, "partials", []) + [frame]

    async def quiet(self):
        """Everything sent so far has been handled: a ping came back. -> the frames that were not asked for"""
        answer = await self.call("ping")
        assert answer["type"] == "pong", answer
        frames, self.waiting = self.waiting, []
        return frames


class RawSocket:
    """A WebSocket by hand, for what no library would send."""

    def __init__(self, port, subprotocol="weir.v1.json"):
        self.socket = socket.create_connection(("127.0.0.1", port), DEADLINE_S)
        self.socket.sendall((f"GET /v1/ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                             "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                             f"Sec-WebSocket-Protocol: {subprotocol}\r\n\r\n").encode())
        self.data = b""
        while b"\r\n\r\n" not in self.data:
            self.more()
        head, _, self.data = self.data.partition(b"\r\n\r\n")
        if b" 101 " not in head.split(b"\r\n")[0]:
            raise AssertionError(f"no upgrade: {head!r}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def more(self):
        data = self.socket.recv(65536)
        if not data:
            raise EOFError
        self.data += data

    def send(self, payload, opcode=1, declared=None):
        """One masked frame; `declared`: lie about its length."""
        size = len(payload) if declared is None else declared
        head = bytes([0x80 | opcode])
        if size < 126:
            head += bytes([0x80 | size])
        elif size < 65536:
            head += bytes([0x80 | 126]) + size.to_bytes(2, "big")
        else:
            head += bytes([0x80 | 127]) + size.to_bytes(8, "big")
        self.socket.sendall(head + b"\0\0\0\0" + payload)

    def frame(self):
        """-> (opcode, payload), pings answered; EOFError when the connection ended."""
        while True:
            if len(self.data) >= 2:
                size, at = self.data[1] & 127, 2
                if size == 126:
                    size, at = int.from_bytes(self.data[2:4], "big"), 4
                elif size == 127:
                    size, at = int.from_bytes(self.data[2:10], "big"), 10
                if len(self.data) >= at + size:
                    opcode, payload = self.data[0] & 15, self.data[at:at + size]
                    self.data = self.data[at + size:]
                    if opcode != 9:
                        return opcode, payload
                    self.send(payload, opcode=10)
                    continue
            self.more()

    def take(self, **fields):
        while True:
            opcode, payload = self.frame()
            if opcode == 8:
                raise AssertionError(f"closed with {int.from_bytes(payload[:2], 'big')} {payload[2:]!r} while waiting for {fields}")
            if opcode == 1:
                message = json.loads(payload)
                if all(message.get(k) == v for k, v in fields.items()):
                    return message

    def close_code(self):
        """Reads up to the close frame; None if the connection just ended."""
        try:
            while True:
                opcode, payload = self.frame()
                if opcode == 8:
                    return int.from_bytes(payload[:2], "big")
        except (EOFError, ConnectionResetError):
            return None


def main():
    sys.dont_write_bytecode = True
    unittest.main(verbosity=1)
