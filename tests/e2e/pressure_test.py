#!/usr/bin/python3
"""Slow and hung clients: told, then closed, and nobody else waits for them."""
import asyncio
import os
import signal

from harness import RawSocket, Socket, TestCase, main, wait_for
from wire import Peer, event


class SlowReader(TestCase):
    def setUp(self):
        super().setUp()
        self.weir.start_coordinator()
        self.weir.start_gateway()

    async def test_a_socket_that_does_not_read_is_told_then_closed_and_others_get_everything(self):
        slow = RawSocket(self.weir.port)
        slow.socket.setsockopt(1, 8, 4096)  # SOL_SOCKET, SO_RCVBUF: the kernel keeps little for it
        slow.take(type="hello")
        slow.send(b'{"type":"subscribe","id":1,"topic":"flood.x"}')
        slow.take(id=1)
        async with await Socket.open(self.weir.port) as quick, await Socket.open(self.weir.port) as publisher:
            await quick.call("subscribe", topic="flood.x")
            sent = 0
            data = "x" * 30000

            def closed():
                return self.weir.metric("slow_close", of="gateway") >= 1
            while sent < 4000 and not await asyncio.to_thread(closed):
                for _ in range(20):
                    self.assertEqual((await publisher.call("publish", topic="flood.x", data=data))["type"], "ok")
                    sent += 1
                for _ in range(20):
                    await quick.take(type="event")
            self.assertTrue(closed(), f"{sent} events of 30 kB and the slow socket is still served")
            self.assertEqual((await quick.call("ping"))["type"], "pong")
        told, code = await asyncio.to_thread(self.drain, slow)
        slow.socket.close()
        self.assertTrue(told, "no slow_down before the end")
        self.assertIn(code, (4529, None))  # None: it never read, so its connection was cut after a grace

    @staticmethod
    def drain(slow):
        """Reads what is left. -> (was slow_down among it, close code)"""
        told = False
        try:
            while True:
                opcode, payload = slow.frame()
                told = told or b'"slow_down"' in payload
                if opcode == 8:
                    return told, int.from_bytes(payload[:2], "big")
        except (EOFError, ConnectionResetError):
            return told, None

    async def test_a_reader_that_wakes_up_in_time_is_closed_with_4529_and_can_resume_without_a_gap(self):
        slow = RawSocket(self.weir.port)
        slow.socket.setsockopt(1, 8, 4096)
        slow.take(type="hello")
        slow.send(b'{"type":"subscribe","id":1,"topic":"flood.x","since":"start"}')
        slow.take(id=1)
        seen = []
        async with await Socket.open(self.weir.port) as publisher:
            for i in range(300):
                await publisher.call("publish", topic="flood.x", data={"i": i, "pad": "x" * 30000})
            async with await Socket.open(self.weir.port) as again:
                await again.call("subscribe", topic="flood.x", since="start")
                for _ in range(300):
                    seen.append((await again.take(type="event"))["data"]["i"])
        slow.socket.close()
        self.assertEqual(seen, list(range(300)))


class HungWorker(TestCase):
    """SIGSTOP: looks alive, says nothing."""

    def test_the_events_of_a_stopped_worker_go_to_another_and_its_late_settles_are_stale(self):
        self.weir.start_coordinator()
        common = ["--group", "g", "--topic", "jobs.>", "--lease-ms", "1000", "--backoff-ms", "50", "--credit", "4", "--first"]
        hung = self.weir.start_worker(*common, "--mode", "hold", name="hung")
        with Peer(self.weir.endpoint) as publisher:
            publisher.hello("CLIENT")
            for i in range(4):
                publisher.outcome(publisher.publish(event("jobs.x", f'{{"id":"j{i}"}}')))
            wait_for(lambda: '"offer"' in self.weir.text("hung.jsonl"), "offer")
            os.kill(hung.pid, signal.SIGSTOP)
            self.weir.start_worker(*common, name="good")
            wait_for(lambda: self.weir.text("good.jsonl").count('"ok":true') == 4, "all four settled by the other worker")
        os.kill(hung.pid, signal.SIGCONT)
        wait_for(lambda: self.weir.text("hung.jsonl").count('"ok":false') >= 1, "a stale settle")


if __name__ == "__main__":
    main()
