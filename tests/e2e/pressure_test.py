#!/usr/bin/python3
"""Slow and hung clients: told, then closed, and nobody else waits for them."""
import asyncio
import os
import signal
import socket

from harness import RawSocket, Socket, TestCase, main, wait_for
from wire import Peer, event


class SlowReader(TestCase):
    def setUp(self):
        super().setUp()
        self.weir.start_coordinator()
        self.weir.start_gateway()

    async def test_a_socket_that_reads_too_slowly_is_told_then_closed_and_others_get_everything(self):
        slow = self.slow_socket('"flood.x"')
        async with await Socket.open(self.weir.port) as quick, await Socket.open(self.weir.port) as publisher:
            await quick.call("subscribe", topic="flood.x")

            async def flood(count):
                for _ in range(count):
                    self.assertEqual((await publisher.call("publish", topic="flood.x", data="x" * 30000))["type"], "ok")
                    await quick.take(type="event")
            for _ in range(200):  # it reads one event while four are published
                await flood(4)
                opcode, payload = await asyncio.to_thread(slow.frame)
                self.assertEqual(opcode, 1, payload[:100])
                if b'"slow_down"' in payload:
                    break
            self.assertIn(b'"slow_down"', payload)
            for _ in range(200):  # now it does not read at all
                await flood(10)
                if await asyncio.to_thread(self.weir.metric, "slow_closes", of="gateway"):
                    break
            self.assertEqual(await asyncio.to_thread(slow.close_code), 4529)
            self.assertEqual((await quick.call("ping"))["type"], "pong")

    async def test_a_socket_that_never_reads_again_is_cut(self):
        slow = self.slow_socket('"flood.x"')
        async with await Socket.open(self.weir.port) as publisher:
            sockets = lambda: self.weir.metrics("gateway")["weir_gateway_connections"]  # noqa: E731
            await asyncio.to_thread(wait_for, lambda: sockets() == 2, "two sockets")
            for _ in range(300):
                await publisher.call("publish", topic="flood.x", data="x" * 30000)
            await asyncio.to_thread(wait_for, lambda: sockets() == 1, "the end of the socket that does not read", 60)
        self.assertIn(await asyncio.to_thread(slow.close_code), (4529, None))

    def slow_socket(self, topic, more=""):
        slow = RawSocket(self.weir.port)
        self.addCleanup(slow.socket.close)
        slow.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # the kernel keeps little for it
        slow.take(type="hello")
        slow.send(b'{"type":"subscribe","id":1,"topic":' + topic.encode() + more.encode() + b"}")
        if not more:
            slow.take(id=1)
        return slow

    async def test_a_catching_up_reader_that_stops_reading_holds_up_nobody(self):
        async with await Socket.open(self.weir.port) as publisher, await Socket.open(self.weir.port) as quick:
            for i in range(300):
                await publisher.call("publish", topic="flood.x", data={"i": i, "pad": "x" * 30000})
            self.slow_socket('"flood.x"', ',"since":"start"')
            await quick.call("subscribe", topic="flood.x", since="start")
            seen = [(await quick.take(type="event"))["data"]["i"] for _ in range(300)]
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
