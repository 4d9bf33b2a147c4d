"""The servers under test, each in a directory of its own, on a free port of loopback, ended by its pid. A server dies with us."""
import contextlib
import ctypes
import glob
import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time

PR_SET_PDEATHSIG = 1
START_S, STOP_S = 20, 20
LIBC = ctypes.CDLL(None)


def child_setup():
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Failed(Exception):
    """A measurement could not be made; the text says why."""


class Server:
    def __init__(self, name, command, directory, environment=None):
        self.name, self.directory = name, directory
        self.log = os.path.join(directory, "log")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=child_setup,
                                            env={**os.environ, **(environment or {})})
        self.pid = self.process.pid

    def await_(self, look, what):
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            found = look()
            if found:
                return found
            if self.process.poll() is not None:
                break
            time.sleep(0.01)
        raise Failed(f"{self.name}: no {what}: {open(self.log, errors='replace').read()[-400:]}")

    def ready_line(self):
        """weir's programs: the fields of the line with event=ready."""
        def look():
            for line in open(self.log, errors="replace"):
                if '"ready"' in line and line.endswith("\n"):
                    fields = json.loads(line)
                    if fields.get("event") == "ready":
                        return fields
        return self.await_(look, "ready line")

    def cpu_s(self):
        fields = open(f"/proc/{self.pid}/stat").read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_bytes(self):
        for line in open(f"/proc/{self.pid}/status"):
            if line.startswith("VmRSS"):
                return int(line.split()[1]) * 1024
        raise Failed(f"{self.name} is gone")

    def written_bytes(self):
        for line in open(f"/proc/{self.pid}/io"):
            if line.startswith("write_bytes"):
                return int(line.split()[1])
        raise Failed(f"{self.name} is gone")

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def start_nats(directory):
    server = Server("nats-server", ["nats-server", "-js", "-sd", directory + "/store", "-a", "127.0.0.1", "-p", "-1",
                                    "--ports_file_dir", directory], directory)

    def look():
        for path in glob.glob(directory + "/*.ports"):
            with contextlib.suppress(ValueError):
                return json.load(open(path))["nats"][0]
    return server, server.await_(look, "ports file")


def start_redis(directory, appendfsync):
    port = free_port()
    server = Server("redis-server", ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--dir", directory, "--save", "",
                                     "--appendonly", "yes", "--appendfsync", appendfsync, "--auto-aof-rewrite-percentage", "0"],
                    directory)
    server.await_(lambda: answers(port), "answer")
    return server, f"127.0.0.1:{port}"


def start_coordinator(programs, directory, durability, port=0, settings=()):
    """settings: (section, key, value) of its configuration."""
    server = Server("weir-coordinator", [programs + "/weir-coordinator", "--dev", "--data", directory + "/data", "--listen",
                                         f"tcp://127.0.0.1:{port}", "--http", "127.0.0.1:0", "--durability", durability,
                                         "--log-format", "json"], directory,
                    {f"WEIR_COORDINATOR_{section}_{key}".upper(): str(value) for section, key, value in settings})
    return server, server.ready_line()["listen"]


def start_gateway(programs, directory, endpoint):
    server = Server("weir-gateway", [programs + "/weir-gateway", "--dev", "--listen", "127.0.0.1:0", "--coordinator", endpoint,
                                     "--log-format", "json"], directory)
    return server, int(server.ready_line()["listen"].rpartition(":")[2])


@contextlib.contextmanager
def directory():
    path = tempfile.mkdtemp(prefix="weir-bench-")
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def running(start, *arguments, **named):
    """Yields (server, address); both the server and its directory are gone afterwards."""
    with directory() as path:
        server, address = start(*[path if a is directory else a for a in arguments], **named)
        try:
            yield server, address
        finally:
            server.stop()
