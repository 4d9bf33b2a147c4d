#!/usr/bin/python3
"""Workers that stand still for longer than their lease: what they settle afterwards is stale and does nothing, however much it is."""
import glob
import json
import os
import signal

from harness import TestCase, main, wait_for
from wire import Peer, event, read_log

import checker  # harness has put tests/checker into the path
import history

EVENTS, STOPPED, LEASE_MS = 1000, 2, 1500


class Stop(TestCase):
    def setUp(self):
        super().setUp()
        self.weir.start_coordinator()

    def start(self, name, mode):
        return self.weir.start_worker("--group", "g", "--topic", "jobs.>", "--first", "--lease-ms", LEASE_MS, "--backoff-ms", 20, "--credit",
                                      EVENTS // STOPPED, "--mode", mode, name=name)

    def publish(self):
        recorder = history.Recorder(self.weir.path("publisher.jsonl"))
        with Peer(self.weir.endpoint) as peer:
            peer.hello("CLIENT")
            for i in range(EVENTS):
                recorder.write("publish", id=f"e{i}", topic="jobs.x")
            first = peer.publish(*[event("jobs.x", f'{{"id":"e{i}"}}') for i in range(EVENTS)])
            for i in range(EVENTS):
                recorder.write("answer", id=f"e{i}", ok=True, seq=peer.outcome(first + i)[1])

    def told(self, *names):
        """The answers to the settles of these workers, as they heard them."""
        return [line["code"] for line in history.load([self.weir.path(name + ".jsonl") for name in names]) if line["op"] == "settled"]

    def verdict(self):
        lines = [{"op": "group", "group": "g", "filters": ["jobs.>"], "drained": True}] + history.load(glob.glob(self.weir.path("*.jsonl")))
        rows, gap = read_log(self.weir.endpoint)
        lines += [{"op": "log", "seq": seq, "id": json.loads(e["data"])["id"], "topic": e["topic"].decode()} for seq, e in rows]
        return checker.verdict(lines + [{"op": "log_read", "gap": gap}])

    def test_a_thousand_settles_of_workers_that_were_stopped_past_their_lease_are_stale(self):
        stopped = {name: self.start(name, "late") for name in (f"stopped{i}" for i in range(STOPPED))}
        self.publish()
        for worker in stopped.values():
            wait_for(lambda: any(line.get("count") == EVENTS // STOPPED for line in worker.lines()), "full hands")
        for worker in stopped.values():
            os.kill(worker.pid, signal.SIGSTOP)
        self.start("other", "ack")
        wait_for(lambda: self.told("other").count("ok") == EVENTS, "the events elsewhere", 120)
        for worker in stopped.values():
            os.kill(worker.pid, signal.SIGUSR1)
            os.kill(worker.pid, signal.SIGCONT)
        wait_for(lambda: len(self.told(*stopped)) == EVENTS, "answers to the late settles")
        self.assertEqual(set(self.told(*stopped)), {"stale"})
        found, tally = self.verdict()
        self.assertEqual(found, [])
        print(json.dumps({"events": EVENTS, "late_settles": EVENTS, "losses": tally["violations"], **tally}), flush=True)

    def test_a_thousand_settles_sent_after_the_leases_are_answered_stale_by_the_coordinator(self):
        self.publish()
        with Peer(self.weir.endpoint) as late, Peer(self.weir.endpoint) as other:
            group = {"name": "g", "filters": ["jobs.>"], "start": "START_FIRST", "lease_ms": 300, "backoff_ms": 20}
            late.hello("WORKER", group=group)
            late.credit("CREDIT_DELIVER", EVENTS)
            leases = []
            while len(leases) < EVENTS:
                leases += late.take("deliver")[0]["lease"]
            other.hello("WORKER", group=group)
            other.credit("CREDIT_DELIVER", EVENTS)
            done = 0
            while done < EVENTS:
                deliver, _ = other.take("deliver")
                self.assertEqual(set(deliver["attempt"]), {2})
                for lease in deliver["lease"]:
                    number = other.settle(lease, "ACK")
                done += len(deliver["lease"])
                self.assertEqual(other.settled(number), "ok")
            numbers = [late.settle(lease, "ACK", [event("emitted.x", b'{"id":"late"}')]) for lease in leases]
            self.assertEqual({late.settled(number) for number in numbers}, {"stale"})
        self.assertEqual(len(read_log(self.weir.endpoint)[0]), EVENTS)
        wait_for(lambda: self.weir.metric("stale") == EVENTS, "the metric, which is written a little later")


if __name__ == "__main__":
    main()
