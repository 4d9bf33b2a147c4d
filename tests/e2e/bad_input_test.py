#!/usr/bin/python3
"""What bad input gets: the stated error to its sender, a count in a metric, and everybody else unharmed."""
import json
import socket

from harness import RawSocket, Socket, TestCase, main, wait_for
from wire import ENUMS, Peer, encode, event

DEEP = "[" * 5000 + "]" * 5000


class Gateway(TestCase):
    def setUp(self):
        super().setUp()
        self.weir.start_coordinator()
        self.weir.start_gateway()

    def errors(self, code):
        return self.weir.metric("error", f'"{code}"', of="gateway")

    async def neighbour_unharmed(self, neighbour):
        self.assertEqual((await neighbour.call("ping"))["type"], "pong")
        self.assertEqual((await neighbour.call("publish", topic="n.x", data=1))["type"], "ok")

    async def test_a_broken_frame_gets_an_error_and_the_connection_stays(self):
        frames = ["", "{", "nonsense", "[1]", "7", "null", '{"type":"publish"', '{"type":"ping","id":1}x', '{"type":"ping","type":"ping"}',
                  '{"type":"publish","id":1,"topic":"a.b","data":tru}', '{"type":"publish","id":1,"topic":"a.b","data":[1,]}',
                  '{"type":"publish","id":1,"topic":"a.b","data":01}', '{"type":"publish","id":1,"topic":"a.b","data":"\\ud800"}',
                  '{"type":"publish","id":1,"topic":"a.b","data":"\t"}', '{"type":"publish","topic":"a.b","data":' + DEEP + "}"]
        before = self.errors("bad_frame")
        async with await Socket.open(self.weir.port) as neighbour:
            with RawSocket(self.weir.port) as raw:
                for number, frame in enumerate(frames):
                    raw.send(frame.encode())
                    self.assertEqual(raw.take(type="error")["code"], "bad_frame", frame[:80])
                    raw.send(json.dumps({"type": "ping", "id": number}).encode())
                    raw.take(type="pong", id=number)
            await self.neighbour_unharmed(neighbour)
        wait_for(lambda: self.errors("bad_frame") >= before + len(frames), "count of bad frames")

    async def test_a_binary_frame_gets_an_error_and_the_connection_stays(self):
        with RawSocket(self.weir.port) as raw:
            raw.send(b"\x00\x01", opcode=2)
            self.assertEqual(raw.take(type="error")["code"], "bad_frame")
            raw.send(b'{"type":"ping","id":1}')
            raw.take(type="pong", id=1)

    async def test_text_that_is_not_utf8_ends_or_is_refused_and_hurts_nobody(self):
        async with await Socket.open(self.weir.port) as neighbour:
            for bad in (b'{"type":"ping","id":"\xff"}', b'{"type":"ping","id":"\xc0\x80"}', b'{"type":"ping","id":"\xed\xa0\x80"}'):
                with RawSocket(self.weir.port) as raw:
                    raw.take(type="hello")
                    raw.send(bad)
                    self.assertEqual(raw.close_code(), 1007)
            await self.neighbour_unharmed(neighbour)

    async def test_a_frame_over_the_limit_closes_with_1009(self):
        async with await Socket.open(self.weir.port) as neighbour:
            limit = neighbour.hello["max_frame"]
            for declared in (limit + 1, 1 << 40, (1 << 62)):
                with RawSocket(self.weir.port) as raw:
                    raw.take(type="hello")
                    raw.send(b"x" * 1000, declared=declared)
                    self.assertEqual(raw.close_code(), 1009, declared)
            await self.neighbour_unharmed(neighbour)

    async def test_bad_topics_and_filters_are_bad_request(self):
        long_topic = ".".join(["word"] * 200)
        before = self.errors("bad_request")
        async with await Socket.open(self.weir.port) as socket_:
            bad = [("publish", topic) for topic in ("", ".", "a..b", ".a", "a.", "a.*", "a.>", long_topic, "x" * 300)]
            bad += [("subscribe", topic) for topic in ("", "a..b", "a.>.b", "a.", long_topic)]
            for kind, topic in bad:
                answer = await socket_.call(kind, topic=topic, data=1)
                self.assertEqual((answer["type"], answer["code"]), ("error", "bad_request"), (kind, topic[:40]))
            self.assertEqual((await socket_.call("publish", topic="$sys.x", data=1))["code"], "forbidden")
            await self.neighbour_unharmed(socket_)
        wait_for(lambda: self.errors("bad_request") >= before + len(bad), "count of bad requests")

    async def test_somebody_elses_inbox_cannot_be_read(self):
        async with await Socket.open(self.weir.port) as socket_:
            for filter_ in ("$inbox.somebody", "$inbox.>", "$sys.>", "$inbox.*"):
                answer = await socket_.call("subscribe", topic=filter_)
                self.assertEqual((answer["type"], answer["code"]), ("error", "forbidden"), filter_)

    async def test_fields_of_the_wrong_kind_are_bad_request(self):
        async with await Socket.open(self.weir.port) as socket_:
            for fields in ({"topic": 7}, {"topic": "a.b", "ttl_ms": "x"}, {"topic": "a.b", "ttl_ms": -1}, {"topic": "a.b", "headers": []},
                           {"topic": "a.b", "headers": {"a": 1}}, {"topic": "a.b", "key": {}}, {"topic": "a.b", "data_base64": "*"}):
                answer = await socket_.call("publish", **fields)
                self.assertEqual((answer["type"], answer["code"]), ("error", "bad_request"), fields)

    async def test_an_event_over_the_limit_is_too_large(self):
        self.weir.coordinator.stop()
        self.weir.start_coordinator(environment={"WEIR_COORDINATOR_PEERS_MAX_EVENT_BYTES": "70000"})
        self.weir.gateway.stop()
        self.weir.start_gateway()
        async with await Socket.open(self.weir.port) as socket_:
            self.assertEqual((await socket_.call("publish", topic="a.b", data="x" * 66000))["type"], "ok")
            answer = await socket_.call("publish", topic="a.b", data="x" * 70000)
            self.assertEqual((answer["type"], answer["code"]), ("error", "too_large"))
            await self.neighbour_unharmed(socket_)

    async def test_http_that_is_no_handshake_is_answered_and_hurts_nobody(self):
        async with await Socket.open(self.weir.port) as neighbour:
            for text in (b"GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"\x00\xff\x00\xff\r\n\r\n",
                         b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 9000 + b"\r\n\r\n"):
                with socket.create_connection(("127.0.0.1", self.weir.port), 20) as plain:
                    plain.sendall(text)
                    try:
                        while plain.recv(65536):
                            pass
                    except ConnectionResetError:
                        pass
            await self.neighbour_unharmed(neighbour)


class Coordinator(TestCase):
    """A peer that lies, beside one that does not."""

    def setUp(self):
        super().setUp()
        self.weir.start_coordinator()
        self.good = Peer(self.weir.endpoint)
        self.good.hello("CLIENT")

    def tearDown(self):
        self.good.close()
        super().tearDown()

    def errors(self, code):
        return self.weir.metric("error", f'"{code}"')

    def good_unharmed(self):
        self.assertEqual(self.good.outcome(self.good.publish(event("good.x")))[0], "ok")

    def worker(self, **fields):
        peer = Peer(self.weir.endpoint)
        self.addCleanup(peer.close)
        peer.hello("WORKER", group={"name": fields.pop("group", "g"), "filters": ["jobs.>"], **fields})
        peer.credit("CREDIT_DELIVER", 100)
        return peer

    def lease(self, worker):
        """Publishes one event and waits until the worker holds it."""
        self.good.publish(event("jobs.x"))
        deliver, _ = worker.take("deliver")
        return deliver["lease"][-1]

    def peer(self):
        peer = Peer(self.weir.endpoint)
        self.addCleanup(peer.close)
        return peer

    def test_bytes_that_are_no_packet_are_bad_frame_and_the_connection_stays(self):
        peer, before = self.peer(), self.errors("bad_frame")
        peer.hello("CLIENT")
        for frames in ([b"\xff\xff\xff"], [b"\xff", b""], [b"\x32\x7f"], [b"\x0a\x05ab"], [encode("Packet", {}), b"body"], [b"a", b"b", b"c"]):
            peer.send_raw(*frames)
            self.assertEqual(peer.error()[0], "bad_frame", frames)
        self.assertEqual(peer.outcome(peer.publish(event("a.b")))[0], "ok")
        wait_for(lambda: self.errors("bad_frame") >= before + 6, "count of bad frames")
        self.good_unharmed()

    def test_a_body_that_does_not_add_up_is_bad_frame(self):
        peer = self.peer()
        peer.hello("CLIENT")
        one = event("a.b")
        for body in (one + b"x", one[:-1], b""):
            peer.send_raw(encode("Packet", {"publish": [{"first_number": 1, "size": [len(one)]}]}), *([body] if body else []))
            self.assertEqual(peer.error()[0], "bad_frame")
        self.assertEqual(peer.outcome(peer.publish(one))[0], "ok")

    def test_before_hello_everything_is_unauthorized(self):
        peer = self.peer()
        peer.send(heartbeat={"echo": 1})
        self.assertEqual(peer.error(), ("unauthorized", "hello"))
        peer.hello("CLIENT")
        peer.send(hello={"protocol": 1, "role": "CLIENT", "instance": b"x" * 16})
        self.assertEqual(peer.error()[0], "bad_request")
        self.assertEqual(peer.outcome(peer.publish(event("a.b")))[0], "ok")

    def test_another_version_is_bad_version(self):
        peer = self.peer()
        peer.send(hello={"protocol": 99, "role": "CLIENT", "instance": b"x" * 16, "tenant": "dev"})
        self.assertEqual(peer.error()[0], "bad_version")
        self.good_unharmed()

    def test_messages_that_are_not_served_are_unsupported(self):
        peer = self.peer()
        peer.hello("CLIENT")
        peer.send(replay={"filter": "a"})
        self.assertEqual(peer.error(), ("unsupported", "replay"))
        peer.send_raw(b"\xfa\x3f\x01x")  # field 1023
        self.assertEqual(peer.error(), ("unsupported", ""))
        peer.send(welcome={"protocol": 1})
        self.assertEqual(peer.error(), ("bad_request", "welcome"))
        self.good_unharmed()

    def test_a_bad_event_does_not_touch_its_neighbours(self):
        peer = self.peer()
        peer.hello("CLIENT")
        bad = [(event("a..b"), "bad_request"), (event(""), "bad_request"), (b"\xff\xff", "bad_request"), (event("a.*"), "bad_request"),
               (event("a\xff.b".encode("latin-1")), "bad_request"), (event("$sys.a"), "forbidden"),
               (event("a.b", semantics=7), "bad_request"), (event("a.b", b"x" * 65537), "too_large"), (event("a.b", reply_to="$inbox.x", deadline_ms=1 << 50), "no_worker")]
        sent = [item for pair in bad for item in (event("a.b"), pair[0])]
        first = peer.publish(*sent)
        for at, item in enumerate(sent):
            want = bad[at // 2][1] if at % 2 else "ok"
            self.assertEqual(peer.outcome(first + at)[0], want, item[:40])

    def test_a_publish_beyond_the_credit_is_refused_and_who_goes_on_is_forgotten(self):
        self.good.close()
        self.weir.coordinator.stop()
        self.weir.start_coordinator(environment={"WEIR_COORDINATOR_PEERS_PUBLISH_CREDIT_EVENTS": "4"})
        self.good = Peer(self.weir.endpoint)
        self.good.hello("CLIENT")
        peer = self.peer()
        peer.hello("CLIENT")
        peer.publish(*[event("a.b")] * 10)
        outcomes = [peer.outcome(n)[0] for n in range(1, 11)]
        self.assertEqual(outcomes, ["ok"] * 4 + ["credit_exceeded"] * 6)
        self.assertEqual(peer.outcome(peer.publish(event("a.b")))[0], "ok", "within the credit it goes on")
        wait_for(lambda: self.errors("credit_exceeded") >= 6, "count of exceeded credits")
        wait_for(lambda: self.weir.metric("weir_coordinator_peers") == 2, "two peers in the metrics")
        peer.publish(*[event("a.b")] * 250)  # more than 100 in a row
        wait_for(lambda: self.weir.metric("weir_coordinator_peers") == 1, "the peer that goes on is forgotten", 10)
        self.good_unharmed()

    def test_a_settle_for_a_foreign_lease_is_stale_and_its_emits_are_dropped(self):
        holder, thief = self.worker(), self.worker(group="other")
        lease = self.lease(holder)
        number = thief.settle(lease, "ACK", [event("stolen.x")])
        self.assertEqual(thief.settled(number), "stale")
        self.assertEqual(thief.settled(thief.settle(1 << 60, "ACK")), "stale")
        self.assertEqual(holder.settled(holder.settle(lease, "ACK")), "ok")
        self.assertEqual([e for _, e in self.read("stolen.>")], [])

    def test_a_settle_for_an_ended_lease_is_stale(self):
        worker = self.worker()
        lease = self.lease(worker)
        self.assertEqual(worker.settled(worker.settle(lease, "ACK")), "ok")
        self.assertEqual(worker.settled(worker.settle(lease, "ACK")), "stale")
        late = self.worker(group="late", lease_ms=200, backoff_ms=50)
        lease = self.lease(late)
        late.take("revoke")
        self.assertEqual(late.settled(late.settle(lease, "ACK")), "stale")
        self.good_unharmed()

    def test_an_unknown_verb_or_a_bad_emit_is_refused_and_the_lease_goes_on(self):
        worker = self.worker()
        lease = self.lease(worker)
        self.assertEqual(worker.settled(worker.settle(lease, 77)), "bad_request")
        self.assertEqual(worker.settled(worker.settle(lease, "ACK", [event("a..b")])), "bad_request")
        self.assertEqual(worker.settled(worker.settle(lease, "NACK", [event("a.b")])), "bad_request")
        self.assertEqual(worker.settled(worker.settle(lease, "ACK", [event("a.b")] * 257)), "too_large")
        self.assertEqual(worker.settled(worker.settle(lease, "ACK", [event("a.b")])), "ok")

    def test_a_flood_of_stale_extends_is_answered_in_part_and_cut(self):  # R-CREDIT-8
        worker = self.worker()
        wait_for(lambda: self.weir.metric("weir_coordinator_peers") == 2, "two peers in the metrics")
        worker.send(extend={"lease": [7] * 30000, "lease_ms": [0] * 30000})
        self.assertEqual(len(worker.take("revoke")[0]["lease"]) > 0, True)
        self.good_unharmed()
        worker.send(extend={"lease": [7] * 40000, "lease_ms": [0] * 40000})
        wait_for(lambda: self.weir.metric("weir_coordinator_peers") == 1, "the peer that goes on is forgotten", 10)
        self.good_unharmed()

    def test_a_peer_of_one_tenant_has_a_share_of_the_subscriptions(self):  # R-SUB-8
        peer = self.peer()
        peer.hello("CLIENT")
        for first in range(1, 4097, 1024):
            peer.send(subscribe=[{"subscription": number, "filter": "s.x", "start": "START_NEW"} for number in range(first, first + 1024)])
        peer.take("subscribed", lambda m: m["subscription"] == 4096)
        peer.send(subscribe=[{"subscription": 4097, "filter": "s.x", "start": "START_NEW"}])
        self.assertEqual(peer.error(), ("overloaded", "subscribe"))
        peer.send(unsubscribe=[{"subscription": 7}])
        peer.take("ended", lambda m: m["subscription"] == 7)
        peer.send(subscribe=[{"subscription": 4098, "filter": "s.x", "start": "START_NEW"}])
        peer.take("subscribed", lambda m: m["subscription"] == 4098)
        self.good_unharmed()

    def test_a_bad_filter_or_a_foreign_inbox_cannot_be_subscribed(self):
        peer = self.peer()
        peer.hello("CLIENT")
        for number, (filter_, want) in enumerate((("a..b", "bad_request"), ("", "bad_request"), ("a.>.b", "bad_request"),
                                                  ("w" * 300, "bad_request"), ("$inbox.0123", "forbidden"), ("$sys.>", "forbidden")), 1):
            peer.send(subscribe=[{"subscription": number, "filter": filter_, "start": "START_NEW"}])
            self.assertEqual(peer.error()[0], want, filter_)

    def test_other_options_for_a_group_are_a_conflict(self):
        self.worker(lease_ms=5000)
        peer = self.peer()
        peer.send(hello={"protocol": 1, "role": "WORKER", "instance": b"z" * 16, "tenant": "dev",
                         "group": {"name": "g", "filters": ["jobs.>"], "lease_ms": 7000}})
        self.assertEqual(peer.error()[0], "conflict")
        peer = self.peer()
        peer.send(hello={"protocol": 1, "role": "WORKER", "instance": b"y" * 16, "tenant": "dev",
                         "group": {"name": "new", "filters": ["jobs.>"], "ordering": 9}})
        self.assertEqual(peer.error()[0], "unsupported")

    def test_garbage_and_silence_on_the_port_hurt_nobody(self):
        address = self.weir.endpoint.removeprefix("tcp://").rsplit(":", 1)
        with socket.create_connection((address[0], int(address[1])), 10) as silent:
            for garbage in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x00" * 1000, bytes(range(256)) * 40):
                with socket.create_connection((address[0], int(address[1])), 10) as rude:
                    rude.sendall(garbage)
            self.good_unharmed()
            silent.sendall(b"\xff")
        self.good_unharmed()

    def test_a_frame_over_four_mebibytes_ends_that_connection_only(self):
        peer = self.peer()
        peer.hello("CLIENT")
        peer.send_raw(b"\x00" * (5 << 20))
        peer.send(heartbeat={"echo": 5})
        self.assertIsNone(peer.receive(0.5))
        self.good_unharmed()

    def test_a_body_over_the_limit_is_too_large(self):
        peer = self.peer()
        peer.hello("CLIENT")
        one = event("a.b", b"x" * 60000)
        peer.publish(*[one] * 10)
        self.assertEqual(peer.error()[0], "too_large")
        self.good_unharmed()

    def test_a_peer_that_says_nothing_after_hello_is_forgotten(self):
        peer = self.peer()
        peer.hello("CLIENT")
        wait_for(lambda: self.weir.metrics()["weir_coordinator_peers"] == 2, "second peer in the metrics")

        def gone():
            self.good.send(heartbeat={"echo": 1})
            return self.weir.metrics()["weir_coordinator_peers"] == 1
        wait_for(gone, "forgetting of the silent peer", 60)
        self.good_unharmed()

    def read(self, filter_):
        from wire import read_log
        return read_log(self.weir.endpoint, filter_)[0]


if __name__ == "__main__":
    main()
