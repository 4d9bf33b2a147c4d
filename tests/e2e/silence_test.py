#!/usr/bin/python3
"""Silence: who says nothing for three heartbeats is gone, but not who was not listened to; and what a read of the log does that is taken
for gone."""
import os
import signal
import time

from harness import TestCase, main, wait_for
from wire import LogRead, Peer, event, read_log

HEARTBEAT_MS, PEERS, EVENTS = 300, 50, 5000
BEATS, STOPS = 4, 6  # how long a stop is, how many there are


class SlowReader(LogRead):
    """Says nothing for a while, once, as a process that gets no processor does."""

    def __init__(self, weir):
        super().__init__("log.>", "CLIENT")
        self.weir, self.slept = weir, False

    def take(self, packet):
        super().take(packet)
        if len(self.rows) > EVENTS // 2 and not self.slept:
            wait_for(lambda: self.weir.metric("peers_silent") == 1, "a peer that is taken for gone")
            self.slept = True


class Silence(TestCase):
    def setUp(self):
        super().setUp()
        self.weir.start_coordinator(environment={"WEIR_COORDINATOR_PEERS_HEARTBEAT": f"{HEARTBEAT_MS}ms"})

    def test_a_coordinator_that_was_stopped_takes_nobody_for_silent(self):
        peers = [Peer(self.weir.endpoint) for _ in range(PEERS)]
        for peer in peers:
            peer.hello("CLIENT")
        for _ in range(STOPS):
            os.kill(self.weir.coordinator.pid, signal.SIGSTOP)
            until = time.monotonic() + BEATS * HEARTBEAT_MS / 1000
            while time.monotonic() < until:  # the fault itself, not a wait for something
                for peer in peers:
                    peer.receive(0)
            os.kill(self.weir.coordinator.pid, signal.SIGCONT)
            for peer in peers:
                peer.send(heartbeat={"echo": 7})
                while peer.take("heartbeat")[0]["echo"] != 7:
                    pass
        self.assertEqual(self.weir.metric("peers_silent"), 0)
        for peer in peers:
            peer.close()

    def test_a_read_that_was_taken_for_gone_goes_on_where_it_was(self):
        with Peer(self.weir.endpoint) as peer:
            peer.hello("CLIENT")
            for _ in range(EVENTS // 500):
                first = peer.publish(*[event("log.x", b"x" * 100) for _ in range(500)])
                self.assertEqual(peer.outcome(first + 499)[0], "ok")
        reader = SlowReader(self.weir)
        self.assertEqual(reader.run(self.weir.endpoint), (read_log(self.weir.endpoint, "log.>")))
        self.assertEqual((len(reader.rows), reader.slept), (EVENTS, True))


if __name__ == "__main__":
    main()
