#!/usr/bin/python3
"""A real disk that is full: a small tmpfs. The coordinator says so and halts, and with more room all that had an `ok` is there. Mounting
needs root: where there is none it is skipped."""
import os
import subprocess

from harness import TestCase, main, wait_for
from wire import Peer, event, read_log

SMALL_MB, LARGE_MB = 48, 400
EVENT, PER_PACKET = b"x" * 20000, 12


class FullDisk(TestCase):
    def setUp(self):
        super().setUp()
        self.disk = self.weir.path("disk")
        os.mkdir(self.disk)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SMALL_MB}m", "tmpfs", self.disk], capture_output=True).returncode:
            self.skipTest("no tmpfs may be mounted here")

    def tearDown(self):
        self.weir.stop_all()
        subprocess.run(["umount", self.disk], capture_output=True)
        super().tearDown()

    def fill(self):
        """Publishes until the coordinator ends; -> the seqs that had an ok."""
        accepted = []
        with Peer(self.weir.endpoint) as peer:
            peer.hello("CLIENT")
            while self.weir.coordinator.alive():
                peer.publish(*[event("load.x", EVENT)] * PER_PACKET)
                packet = peer.receive(1)
                while packet:
                    accepted += [m["first_seq"] + i for m in packet["accepted"] for i in range(m["count"])]
                    packet = peer.receive(0)
        return accepted

    def test_a_full_disk_halts_with_a_word_and_keeps_every_ok(self):
        coordinator = self.weir.start_coordinator(data="disk/data")
        accepted = self.fill()
        self.assertEqual(coordinator.process.wait(), 1)
        events = [line.get("event") for line in wait_for(coordinator.lines, "log lines")]
        self.assertEqual(events[-2:], ["log_failed", "halted"])
        subprocess.run(["mount", "-o", f"remount,size={LARGE_MB}m", self.disk], check=True)
        self.weir.start_coordinator(data="disk/data")
        stored = {seq for seq, _ in read_log(self.weir.endpoint)[0]}
        self.assertGreater(len(accepted), 1000)
        self.assertEqual(set(accepted) - stored, set())


if __name__ == "__main__":
    main()
