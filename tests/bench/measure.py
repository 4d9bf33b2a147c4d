"""The measurements: each runs once and returns a dictionary of figures. `others` is how many cores everybody else on the machine kept
busy meanwhile: a run with a high number is to be read with care."""
import contextlib
import json
import os
import resource
import subprocess
import time

import servers
from servers import Failed, directory, running

TIMEOUT_S = 300
WEIR_WINDOW, REDIS_WINDOW, NATS_WINDOW = 16384, 4000, 1000  # the peers: the best of 1,000, 4,000 and 16,000
SYSTEMS = ["weir fsync", "weir os", "JetStream", "Redis always", "Redis everysec"]


def machine_cpu_s():
    fields = [int(word) for word in open("/proc/stat").readline().split()[1:]]
    busy = fields[0] + fields[1] + fields[2] + fields[5] + fields[6] + fields[7]
    return busy / os.sysconf("SC_CLK_TCK")


def children_cpu_s():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@contextlib.contextmanager
def watching(result, *processes):
    """Fills in `others` for what runs inside: all of the machine's CPU less ours."""
    def ours():
        own = time.process_time() + children_cpu_s()
        return own + sum(process.cpu_s() for process in processes)
    before, busy, start = ours(), machine_cpu_s(), time.monotonic()
    yield
    seconds = max(time.monotonic() - start, 0.01)
    result["others"] = max(0.0, (machine_cpu_s() - busy - (ours() - before)) / seconds)


def run_json(command):
    """The JSON object that a benchmark program prints."""
    try:
        done = subprocess.run(command, capture_output=True, timeout=TIMEOUT_S, preexec_fn=servers.child_setup)
    except subprocess.TimeoutExpired:
        raise Failed(f"{os.path.basename(command[0])} did not end in {TIMEOUT_S} s")
    if done.returncode != 0:
        raise Failed(f"{os.path.basename(command[0])}: exit code {done.returncode}: {done.stderr.decode(errors='replace')[-300:]}")
    return json.loads(done.stdout)


def open_system(programs, name):
    """-> (context manager of (server, address), program, window)"""
    kind, _, mode = name.partition(" ")
    if kind == "weir":
        return running(servers.start_coordinator, programs, directory, mode), "bench_weir", WEIR_WINDOW
    if kind == "Redis":
        return running(servers.start_redis, directory, mode), "bench_redis", REDIS_WINDOW
    return running(servers.start_nats, directory), "bench_nats", NATS_WINDOW


def through(programs, name, events, rate=0, processes=1):
    """Publish -> worker -> acked, as fast as it goes (rate 0) or in an open loop of `rate` events a second; so many publishers and workers."""
    opened, program, window = open_system(programs, name)
    with opened as (server, address):
        command = [f"{programs}/{program}", "--url", address, "--events", str(events), "--window", str(window), "--pid", str(server.pid)]
        if rate:
            command += ["--rate", str(rate)]
        if processes > 1:
            command += ["--publishers", str(processes), "--workers", str(processes)]
        figures = {}
        with watching(figures, server):
            figures.update(run_json(command))
        return figures


def backlog(programs, events, *options):
    """Published with no worker, then drained by one; the coordinator's memory with all of it waiting; bytes written per payload byte."""
    with running(servers.start_coordinator, programs, directory, "fsync") as (server, endpoint):
        base = [programs + "/bench_weir", "--url", endpoint, "--pid", str(server.pid), "--window", str(WEIR_WINDOW),
                *options]
        run_json(base + ["--events", "1000"])  # makes the group, so that the backlog is its own
        figures, written = {}, server.written_bytes()
        with watching(figures, server):
            figures["publish_per_s"] = run_json(base + ["--events", str(events), "--publish-only"])["events_per_s"]
            figures["rss_mb"] = server.rss_bytes() / 1e6
            figures["written_per_byte"] = (server.written_bytes() - written) / (events * 200)
            figures["drain_per_s"] = run_json(base + ["--events", str(events), "--work-only"])["drain_per_s"]
        return figures


@contextlib.contextmanager
def gateway(programs):
    with running(servers.start_coordinator, programs, directory, "fsync") as (coordinator, endpoint):
        with running(servers.start_gateway, programs, directory, endpoint) as (server, port):
            yield coordinator, server, endpoint, port


def fan_out(programs, sockets, events):
    with gateway(programs) as (coordinator, server, _, port):
        figures, before = {}, server.cpu_s()
        with watching(figures, coordinator, server):
            figures.update(run_json([programs + "/bench_sockets", "--port", str(port), "--sockets", str(sockets), "--topic", "fan.out",
                                     "--events", str(events)]))
        figures["gateway_us_per_delivery"] = (server.cpu_s() - before) * 1e6 / (sockets * events)
        return figures


def requests(programs, count):
    with gateway(programs) as (coordinator, server, endpoint, port):
        worker = subprocess.Popen([programs + "/bench_answer", endpoint, "ask.me"], stdout=subprocess.PIPE,
                                  preexec_fn=servers.child_setup)
        try:
            if worker.stdout.readline() != b"ready\n":
                raise Failed("bench_answer did not connect")
            figures = {}
            with watching(figures, coordinator, server):
                figures.update(run_json([programs + "/bench_sockets", "--port", str(port), "--topic", "ask.me", "--requests", str(count)]))
            return figures
        finally:
            worker.terminate()
            worker.wait()
            worker.stdout.close()


def idle_sockets(programs, sockets):
    with gateway(programs) as (_, server, _, port):
        command = [programs + "/bench_sockets", "--port", str(port), "--topic", "idle.topic", "--sockets"]
        run_json(command + ["100", "--events", "1"])  # what a first connection costs once is no part of it
        before = server.rss_bytes()
        client = subprocess.Popen(command + [str(sockets), "--idle"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  preexec_fn=servers.child_setup)
        try:
            if not client.stdout.readline():
                raise Failed("bench_sockets could not open all sockets")
            return {"bytes_per_socket": (server.rss_bytes() - before) / sockets}
        finally:
            client.stdin.close()
            client.wait()
            client.stdout.close()
