#!/usr/bin/python3
"""What a worker saw live and what the same program sees by `weir replay` is the same sequence."""
import json
import os
import subprocess

from harness import TestCase, die_with_parent, main, program, wait_for
from wire import Peer, event, read_log

EVENTS = 60


class Replay(TestCase):
    def setUp(self):
        super().setUp()
        self.weir.start_coordinator()

    def publish_all(self):
        with Peer(self.weir.endpoint) as publisher:
            publisher.hello("CLIENT")
            for i in range(EVENTS):
                number = publisher.publish(event(f"docs.{i % 3}.uploaded", json.dumps({"id": f"d{i}", "text": "é\n" * i}), key=f"k{i % 4}",
                                                 session=f"s-{i % 2}"))
                self.assertEqual(publisher.outcome(number)[0], "ok")

    def worker_arguments(self):
        return ["--group", "dump", "--topic", "docs.>", "--mode", "dump", "--first", "--name", "dump"]

    def live(self):
        """What a worker is given live, while the events come."""
        with open(self.weir.path("live.out"), "wb") as out:
            worker = self.weir.start("e2e_worker", ["--endpoint", self.weir.endpoint] + self.worker_arguments(), stdout=out)
            self.publish_all()
            wait_for(lambda: self.weir.text("live.out").count("\n") == EVENTS, "all events at the live worker")
            self.assertEqual(worker.stop(), 0)
        return self.lines("live.out")

    def lines(self, name):
        return [json.loads(line) for line in self.weir.text(name).splitlines()]

    def replay(self, source, *options):
        """The same program, unchanged, under weir replay."""
        with open(self.weir.path("replay.out"), "wb") as out, open(self.weir.path("replay.log"), "wb") as log:
            environment = {**os.environ, "WEIR_TENANT": "dev"}
            environment.pop("WEIR_ENDPOINT", None)
            done = subprocess.run([program("weir"), "replay", source, *options, "--", program("e2e_worker")] + self.worker_arguments(), stdout=out,
                                  stderr=log, env=environment, preexec_fn=die_with_parent, timeout=90)
        self.assertEqual(done.returncode, 0, self.weir.text("replay.log")[-1500:])
        return self.lines("replay.out")

    def same(self, live, replayed):
        self.assertTrue(all(line["attempt"] == 1 and not line["replay"] for line in live))
        self.assertTrue(all(line["attempt"] == 1 and line["replay"] for line in replayed), replayed[:2])

        def what(lines):
            return [{k: v for k, v in line.items() if k != "replay"} for line in lines]
        self.assertEqual(what(replayed), what(live))

    def test_a_stopped_directory_replays_what_was_live(self):
        live = self.live()
        self.assertEqual(self.weir.coordinator.stop(), 0)
        self.same(live, self.replay(self.weir.path("data")))

    def test_a_directory_in_use_replays_what_was_live_and_is_not_disturbed(self):
        live = self.live()
        before = read_log(self.weir.endpoint)[0]
        self.same(live, self.replay(self.weir.path("data")))
        self.assertTrue(self.weir.coordinator.alive())
        self.assertEqual(read_log(self.weir.endpoint)[0], before)

    def test_an_endpoint_replays_what_was_live(self):
        live = self.live()
        before = read_log(self.weir.endpoint)[0]
        self.same(live, self.replay(self.weir.endpoint))
        self.assertEqual(read_log(self.weir.endpoint)[0], before)

    def test_a_directory_of_a_killed_coordinator_replays_what_was_live(self):
        live = self.live()
        self.weir.coordinator.kill()
        self.same(live, self.replay(self.weir.path("data")))

    def test_topic_session_key_and_range_choose(self):
        live = self.live()
        self.assertEqual(self.weir.coordinator.stop(), 0)
        data = self.weir.path("data")
        self.same([line for line in live if line["session"] == "s-1"], self.replay(data, "--session", "s-1"))
        self.same([line for line in live if line["key"] == "k2"], self.replay(data, "--key", "k2"))
        self.same([line for line in live if line["topic"] == "docs.1.uploaded"], self.replay(data, "--topic", "docs.1.*"))
        middle = live[20]["seq"]
        self.same([line for line in live if line["seq"] > middle], self.replay(data, "--since", str(middle)))


if __name__ == "__main__":
    main()
