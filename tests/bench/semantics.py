"""What delivery semantics cost. Each pair runs the same work without and with something, on fresh servers, in turns; what counts is the
ratio of the two. Other figures stand alone."""
import contextlib
import subprocess
import time

import measure
import servers
from servers import Failed, directory, running

MIB = 1 << 20
SOMETIMES_S = 15  # long enough for several of what happens once a second
KEYS, TOKENS, OTHERS, BEHIND = 10_000, 4_000_000, 49, 5_000_000
TOKEN_ROOM = [("limits", "tokens", 2 * TOKENS), ("limits", "tokens_per_tenant", 2 * TOKENS)]


def bench(programs, endpoint, server, *options):
    return [programs + "/bench_weir", "--url", endpoint, "--window", str(measure.WEIR_WINDOW), "--pid", str(server.pid), *map(str, options)]


def run(programs, options, before=(), settings=()):
    """Figures of one run on a fresh coordinator, after the runs in `before`."""
    with running(servers.start_coordinator, programs, directory, "fsync", settings=settings) as (server, endpoint):
        for other in before:
            measure.run_json(bench(programs, endpoint, server, *other))
        figures = {}
        with measure.watching(figures, server):
            figures.update(measure.run_json(bench(programs, endpoint, server, *options)))
        return figures


def pair(key, without, with_it, turned):
    """Both runs; the second one goes first every other time."""
    runs = {}
    for name in ("with", "without") if turned else ("without", "with"):
        runs[name] = with_it() if name == "with" else without()
    figures = {name: figure[key] for name, figure in runs.items()}
    figures["ratio"] = figures["with"] / figures["without"]
    figures["others"] = max(figure["others"] for figure in runs.values())
    return figures


def rate(events_per_s, seconds=SOMETIMES_S):
    return ["--rate", events_per_s, "--events", events_per_s * seconds]


def ordering(programs, events, turned):
    keys = ["--events", events, "--keys", KEYS]
    return pair("events_per_s", lambda: run(programs, keys), lambda: run(programs, keys + ["--ordering", 1]), turned)


def tokens(programs, events, turned):
    """The table holds TOKENS before the measured run, which adds its own."""
    def one(first, again):
        return run(programs, ["--events", events] + again, before=[["--events", TOKENS] + first], settings=TOKEN_ROOM)
    return pair("events_per_s", lambda: one([], []), lambda: one(["--tokens", 0], ["--tokens", TOKENS]), turned)


def delayed(programs, events):
    """What the coordinator's memory grows by, for each event with a delay. As many without one go before, so that all else is touched."""
    room = [("limits", "held", events), ("limits", "held_per_tenant", events)]
    with running(servers.start_coordinator, programs, directory, "fsync", settings=room) as (server, endpoint):
        figures, sizes = {}, []
        for options in ([], ["--delay", 3_600_000]):
            figures = measure.run_json(bench(programs, endpoint, server, "--publish-only", "--events", events, *options))
            sizes.append(server.rss_bytes())
        return {"publish_per_s": figures["events_per_s"], "bytes_each": (sizes[1] - sizes[0]) / events}


@contextlib.contextmanager
def slow_worker(programs, endpoint, server):
    """A group that is stuck: its only worker has one event at a time and takes a second for it."""
    command = bench(programs, endpoint, server, "--work-only", "--events", 1, "--group", "stuck", "--filter", "bench.>", "--slow", 1000)
    worker = subprocess.Popen(command, stdout=subprocess.PIPE, preexec_fn=servers.child_setup)
    try:
        if worker.stdout.readline() != b"ready\n":
            raise Failed("the slow worker did not connect")
        yield
    finally:
        worker.kill()
        worker.wait()
        worker.stdout.close()


def stuck_group(programs, turned):
    def one(stuck):
        with running(servers.start_coordinator, programs, directory, "fsync") as (server, endpoint):
            measure.run_json(bench(programs, endpoint, server, "--publish-only", "--events", BEHIND, "--topic", "bench.before"))
            figures = {}
            command = bench(programs, endpoint, server, *rate(100), "--parties", OTHERS, "--filter", "bench.events", "--start", 0)
            with slow_worker(programs, endpoint, server) if stuck else contextlib.nullcontext():
                with measure.watching(figures, server):
                    figures.update(measure.run_json(command))
            return figures
    return pair("p99_us", lambda: one(False), lambda: one(True), turned)


def large_events(programs, turned):
    small = rate(5_000)
    return pair("p99_us", lambda: run(programs, small), lambda: run(programs, small + ["--large", 8 * MIB - 4096]), turned)


def churn(programs, turned):
    small = rate(5_000)
    return pair("p99_us", lambda: run(programs, small), lambda: run(programs, small + ["--churn", 1]), turned)


def restart(programs, events):
    """From the start of a coordinator that was killed to the first delivery, in each of ten groups, of an event that it had not handed out
    before. A tenth of the events is unsettled."""
    groups, port = 10, servers.free_port()
    spread = ["--events", events, "--topic", "bench.topics", "--topics", groups]
    work = spread + ["--work-only", "--parties", groups, "--take"]
    with directory() as path:
        server, endpoint = servers.start_coordinator(programs, path, "fsync", port=port)
        try:
            measure.run_json(bench(programs, endpoint, server, *spread, "--publish-only"))
            measure.run_json(bench(programs, endpoint, server, *work, events // groups * 9 // 10))
            server.process.kill()
            server.process.wait()
            figures, began = {}, time.monotonic()
            server, endpoint = servers.start_coordinator(programs, path, "fsync", port=port)
            figures["ready_s"] = time.monotonic() - began
            figures["first_s"] = measure.run_json(bench(programs, endpoint, server, *work, 1))["last_ns"] / 1e9 - began
            figures["rss_mb"] = server.rss_bytes() / 1e6
            return figures
        finally:
            server.stop()


def against(programs, other, events, turned):
    """This build and another one, each with its own clients, as every system is measured."""
    def one(build):
        return measure.through(build, "weir fsync", events)
    runs = {}
    for name in ("with", "without") if turned else ("without", "with"):
        runs[name] = one(programs if name == "with" else other)
    return {
        "without": runs["without"]["events_per_s"],
        "with": runs["with"]["events_per_s"],
        "ratio": runs["with"]["events_per_s"] / runs["without"]["events_per_s"],
        "cpu_ratio": runs["with"]["cpu_s_per_million"] / runs["without"]["cpu_s_per_million"],
        "others": max(figure["others"] for figure in runs.values()),
    }
