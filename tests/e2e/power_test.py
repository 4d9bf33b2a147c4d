#!/usr/bin/python3
"""Power losses at chosen moments, with a peer that knows exactly what it was told (power_shim.c, power.py)."""
import json
import os
import random

from harness import TestCase, main, wait_for
from power import Power
from wire import Peer, event, read_log


class PowerLoss(TestCase):
    def setUp(self):
        super().setUp()
        self.power = Power(self.weir, random.Random(self.id()))

    def start(self, *arguments, **settings):
        environment = {**self.power.environment, **{"WEIR_COORDINATOR_" + name: value for name, value in settings.items()}}
        self.again = lambda: self.weir.start_coordinator(*arguments, environment=environment)
        self.again()

    def power_loss(self):
        self.weir.coordinator.kill()
        self.power.off()
        self.again()

    def publish(self, count, size=100):
        """-> the seqs that were told ok"""
        with Peer(self.weir.endpoint) as peer:
            peer.hello("CLIENT")
            first = peer.publish(*[event("a.b", json.dumps({"pad": f"{random.getrandbits(4 * size):0{size}x}"})) for _ in range(count)])
            return [peer.outcome(first + i)[1] for i in range(count)]

    def log(self):
        return [seq for seq, _ in read_log(self.weir.endpoint)[0]]

    def test_what_was_told_ok_is_there_after_every_power_loss(self):
        self.start()
        told = []
        for _ in range(5):
            told += self.publish(20)
            self.power_loss()
            self.assertEqual(self.log(), told)

    def test_without_a_sync_what_was_told_ok_is_gone(self):
        self.start("--durability", "os")
        self.publish(20)
        self.weir.coordinator.kill()
        self.power.rng.random = lambda: 1  # and nothing of it reached the disk by itself
        self.power.off()
        self.again()
        self.assertEqual(self.log(), [])

    def snapshots(self):
        folder = self.weir.path("data/snapshots")
        return {name for name in os.listdir(folder) if name.endswith(".snapshot")} if os.path.exists(folder) else set()

    def test_a_snapshot_that_was_finished_is_there_after_a_power_loss(self):
        self.start(LOG_SNAPSHOT_BLOCKS="5")
        wait_for(lambda: self.publish(1) and len(self.snapshots()) >= 2, "second snapshot")
        finished = min(self.snapshots())
        self.weir.coordinator.kill()
        self.power.off()
        self.assertIn(finished, self.snapshots())

    def test_a_log_whose_beginning_left_the_window_starts_again(self):
        self.start("--window-bytes", "2MiB", LOG_SNAPSHOT_BLOCKS="20", LOG_WRITE_BUFFER="1MiB")
        told = [seq for _ in range(50) for seq in self.publish(4, size=30000)]
        self.assertEqual(self.weir.coordinator.stop(), 0)
        self.power.off()
        self.again()  # looks at the window at once
        wait_for(lambda: any(line.get("event") == "trimmed" for line in self.weir.coordinator.lines()), "trim")
        self.power_loss()
        kept = self.log()
        self.assertEqual(kept, told[-len(kept):])


if __name__ == "__main__":
    main()
