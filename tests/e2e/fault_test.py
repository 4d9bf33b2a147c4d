#!/usr/bin/python3
"""The n-th write, sync, open or rename under the data directory fails, for every n of a small fixed load (or a fair share of them).
The coordinator goes on or halts loudly; whatever it does, all that it ever called ok is there after a restart, and nothing is twice.

  fault_test.py [--runs N]     0 = every n; else that many, spread evenly over all
"""
import argparse
import json
import os
import shutil
import signal
import sys
import tempfile

from harness import Weir, preload, wait_for
from wire import Peer, event, read_log

CALLS = {"write": ["EIO", "ENOSPC", "EINTR", "short"], "fdatasync": ["EIO", "ENOSPC", "EINTR"], "open": ["EIO", "ENOSPC"], "rename": ["EIO", "ENOSPC"]}
EVENTS, BURST = 30, 3


class Run:
    """One life of a coordinator with one fault, then one without."""

    def __init__(self, call, number, with_):
        self.directory = tempfile.mkdtemp(prefix="weir-fault-")
        self.weir = Weir(self.directory)
        self.log = self.weir.path("faults.log")
        self.environment = {"LD_PRELOAD": preload("fault_shim"), "WEIR_FAULT_DIR": self.weir.path("data"), "WEIR_FAULT_CALL": call,
                            "WEIR_FAULT_AT": str(number), "WEIR_FAULT_WITH": with_, "WEIR_FAULT_LOG": self.log}
        self.name = f"{call} {number} {with_}"
        self.ok, self.refused, self.called, self.settled, self.unknown_settles = {}, set(), [], set(), set()
        self.losses = []

    def load(self):
        """Bursts of publishes, half of the deliveries settled with an emit. Stops when the coordinator does."""
        coordinator = self.weir.coordinator
        publisher, worker = Peer(self.weir.endpoint, timeout_s=0.1), Peer(self.weir.endpoint, timeout_s=0.1)
        try:
            self.patiently(coordinator, lambda: publisher.hello("CLIENT"))
            self.patiently(coordinator, lambda: worker.hello("WORKER", group={"name": "g", "filters": ["load.>"], "start": "START_FIRST"}))
            worker.credit("CREDIT_DELIVER", 1000)
            for at in range(0, EVENTS, BURST):
                ids = [f"e{i}" for i in range(at, at + BURST)]
                self.called += ids
                first = publisher.publish(*[event("load.x", json.dumps({"id": id_, "pad": "x" * 2000})) for id_ in ids])
                for offset, id_ in enumerate(ids):
                    self.take_outcome(id_, self.patiently(coordinator, lambda n=first + offset: publisher.outcome(n)))
                deliver, _ = self.patiently(coordinator, lambda: worker.take("deliver"))
                self.settle(coordinator, worker, deliver)
        except EOFError:
            pass
        finally:
            publisher.close()
            worker.close()

    def patiently(self, coordinator, call):
        """Repeats a wait until it is answered or the coordinator has ended (EOFError)."""
        for _ in range(300):
            try:
                return call()
            except AssertionError:
                if not coordinator.alive():
                    raise EOFError from None
        raise AssertionError(f"{self.name}: the coordinator lives and answers nothing: {coordinator.lines()[-5:]}")

    def take_outcome(self, id_, outcome):
        if outcome[0] == "ok":
            self.ok[id_] = outcome[1]
        else:
            self.refused.add(id_)

    def settle(self, coordinator, worker, deliver):
        lease, seq = deliver["lease"][0], deliver["seq"][0]
        emit = f"emit-of-{seq}"
        number = worker.settle(lease, "ACK", [event("emitted.x", json.dumps({"id": emit}))])
        self.unknown_settles.add(emit)
        if self.patiently(coordinator, lambda: worker.settled(number)) == "ok":
            self.settled.add(emit)

    def check_after_restart(self):
        self.weir.start_coordinator()
        rows = [(seq, json.loads(event_["data"])["id"]) for seq, event_ in read_log(self.weir.endpoint)[0]]
        there = {id_: seq for seq, id_ in rows}
        assert len(there) == len(rows), f"{self.name}: an event is in the log twice: {rows}"
        self.losses = [f"{self.name}: {id_} was ok at {seq}; after the restart it is at {there.get(id_)}"
                       for id_, seq in self.ok.items() if there.get(id_) != seq]
        self.losses += [f"{self.name}: a settle was answered and its emit {id_} is gone" for id_ in self.settled if id_ not in there]
        strangers = set(there) - set(self.called) - self.unknown_settles
        assert not strangers, f"{self.name}: from nowhere: {strangers}"
        assert not self.refused & set(there), f"{self.name}: refused and yet there: {self.refused & set(there)}"
        assert self.weir.coordinator.stop() == 0, f"{self.name}: the restarted coordinator did not end well"

    def said_it(self, coordinator):
        """It ended by itself: with an exit code, and a line that says error and why. (Debian's RocksDB has its asserts compiled in; a few
        writes that fail while it opens end there, which is loud too.)"""
        lines = coordinator.lines()
        if coordinator.process.returncode == -signal.SIGABRT and any("rocksdb::" in line.get("raw", "") for line in lines):
            return
        loud = any(line.get("level") == "error" for line in lines)
        assert coordinator.process.returncode > 0, f"{self.name}: ended with {coordinator.process.returncode}: {lines[-5:]}"
        assert loud, f"{self.name}: ended without a word: {lines[-5:]}"

    def run(self):
        """-> (what happened, counts of calls)"""
        try:
            self.weir.start_coordinator(environment=self.environment)
            self.load()
            happened = "went on"
        except AssertionError as error:
            if "before it was ready" not in str(error):
                raise
            happened = "did not start"
        coordinator = self.weir.programs[-1]
        if happened == "went on" and coordinator.alive():
            coordinator.stop()
        elif happened == "went on":
            happened = "halted"
        if happened != "went on":
            wait_for(lambda: not coordinator.alive(), "end of the coordinator")
            self.said_it(coordinator)
        self.check_after_restart()
        self.weir.stop_all()
        counts = self.counts()
        if not self.losses:
            shutil.rmtree(self.directory, ignore_errors=True)
        return happened, counts

    def counts(self):
        found = {"fault": 0}
        if os.path.exists(self.log):
            for line in self.weir.text("faults.log").splitlines():
                word, number = line.split()[:2]
                found[word] = found["fault"] + 1 if word == "fault" else max(found.get(word, 0), int(number))
        return found


def plan(counts, runs):
    """(call, n, with), all of them or `runs` of them, spread evenly; which fault kind comes with which n shifts along."""
    every = [(call, n, with_) for call, kinds in CALLS.items() for n in range(1, counts.get(call, 0) + 1) for with_ in kinds]
    if runs == 0 or runs >= len(every):
        return every, len(every)
    step = len(every) / runs
    return [every[int(i * step)] for i in range(runs)], len(every)


def sweep(faults):
    """-> (tally, losses); what is wrong otherwise ends it"""
    tally, losses = {"events": 0, "faults": 0}, []
    for fault in faults:
        run = Run(*fault)
        try:
            happened, counts = run.run()
        except BaseException:
            run.weir.stop_all()
            print(f"{run.name}: everything is kept in {run.directory}; again: --only {':'.join(map(str, fault))}", flush=True)
            raise
        tally[happened] = tally.get(happened, 0) + 1
        tally["events"] += len(run.called)
        tally["faults"] += counts["fault"]
        losses += [f"{text}; everything is kept in {run.directory}" for text in run.losses]
    return tally, losses


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--only", help="CALL:N:WITH, one fault again")
    options = parser.parse_args()
    if options.only:
        call, number, with_ = options.only.split(":")
        faults, total = [(call, int(number), with_)], 1
    else:
        happened, counts = Run("none", 0, "EIO").run()
        assert happened == "went on", f"without a fault the load {happened}"
        print(f"calls under the data directory: {counts}", flush=True)
        faults, total = plan(counts, options.runs)
    tally, losses = sweep(faults)
    for loss in losses:
        print(loss)
    print(json.dumps({"rounds": len(faults), "of": total, **tally, "losses": len(losses)}))
    return 1 if losses else 0


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    sys.exit(main())
