#!/usr/bin/python3
"""Every message of weir.v1.json that the gateway serves, through the real programs with a client that is not ours."""
import asyncio
import base64
import json

from harness import Socket, TestCase, main, wait_for


class Gateway(TestCase):
    def setUp(self):
        super().setUp()
        self.weir.start_coordinator()
        self.weir.start_gateway()

    def open(self, **options):
        return Socket.open(self.weir.port, **options)

    def worker(self, mode, topic, *arguments, **options):
        return self.weir.start_worker("--group", "g-" + mode, "--topic", topic, "--mode", mode, *arguments, **options)

    async def test_hello_comes_first_and_says_the_limits(self):
        async with await self.open() as a, await self.open() as b:
            for field in ("connection", "lease_ms", "server", "max_frame"):
                self.assertIn(field, a.hello)
            self.assertTrue(a.hello["server"].startswith("weir/"))
            self.assertNotEqual(a.hello["connection"], b.hello["connection"])
            self.assertEqual(a.connection.subprotocol, "weir.v1.json")

    async def test_an_event_reaches_subscribers_byte_for_byte(self):
        data = '{"b":1.50,  "a":[1e3,12345678901234567890,"\\u00e9\u00e9"],"b2":{"":null}}'
        async with await self.open() as publisher, await self.open() as subscriber:
            self.assertEqual((await subscriber.call("subscribe", topic="docs.*.uploaded"))["type"], "ok")
            await publisher.send('{"type":"publish","id":"x","topic":"docs.7.uploaded","data":' + data + "}")
            ok = await publisher.take(id="x")
            event = await subscriber.take(type="event")
            self.assertEqual((ok["type"], ok["duplicate"]), ("ok", False))
            self.assertEqual((event["seq"], event["event"], event["topic"]), (ok["seq"], ok["event"], "docs.7.uploaded"))
            self.assertIn('"data":' + data, event["_text"])

    async def test_all_that_an_author_says_reaches_the_subscriber(self):
        said = {"key": "doc-7", "session": "s-12", "token": "c0ffee", "event_type": "uploaded", "headers": {"k": "v", "é": "\"q\""}}
        async with await self.open() as socket:
            await socket.call("subscribe", topic="docs.>")
            ok = await socket.call("publish", topic="docs.7.uploaded", data=None, ttl_ms=600000,
                                   traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", **said)
            self.assertEqual(ok["type"], "ok", ok)
            event = await socket.take(type="event")
            self.assertEqual({k: event.get(k) for k in said}, said)
            self.assertIn("time", event)

    async def test_a_delayed_event_comes_under_the_id_of_its_ok_with_a_cursor_of_its_own(self):
        async with await self.open() as socket:
            await socket.call("subscribe", topic="later.>")
            ok = await socket.call("publish", topic="later.a", delay_ms=300, data=1)
            now = await socket.call("publish", topic="later.b", data=2)
            self.assertEqual((await socket.take(type="event"))["event"], now["event"])
            event = await socket.take(type="event")
            self.assertEqual((event["event"], event["topic"], event["data"]), (ok["event"], "later.a", 1))
            self.assertGreater(event["seq"], now["seq"])
            self.assertEqual(event["cursor"].split("-")[1], str(event["seq"]))
            after = await socket.call("publish", topic="later.c", data=3)
            await socket.take(type="event")
            history = await socket.call("history", topic="later.>", since=event["cursor"])
            self.assertEqual([e["event"] for e in history["events"]], [after["event"]])

    async def test_an_at_most_once_event_reaches_who_is_there_and_history(self):
        async with await self.open() as socket:
            await socket.call("subscribe", topic="once.>")
            ok = await socket.call("publish", topic="once.a", semantics="at_most_once", data=1)
            self.assertEqual((await socket.take(type="event"))["event"], ok["event"])
            history = await socket.call("history", topic="once.>", since="start")
            self.assertEqual([e["event"] for e in history["events"]], [ok["event"]])
            async with await self.open() as late:
                answer = await late.call("subscribe", topic="once.>", since="start")
                self.assertEqual((answer["type"], answer["recovered"]), ("ok", 0))

    async def test_a_token_is_accepted_once(self):
        async with await self.open() as a, await self.open() as b:
            first = await a.call("publish", topic="a.b", token="t", data=1)
            again = await b.call("publish", topic="a.c", token="t", data=2)
            self.assertEqual((again["event"], again["seq"], again["duplicate"]), (first["event"], first["seq"], True))

    async def test_bytes_that_are_not_json_travel_as_base64(self):
        bytes_ = base64.b64encode(bytes(range(256))).decode()
        async with await self.open() as socket:
            await socket.call("subscribe", topic="raw.bytes")
            self.assertEqual((await socket.call("publish", topic="raw.bytes", data_base64=bytes_))["type"], "ok")
            self.assertEqual((await socket.take(type="event"))["data_base64"], bytes_)

    async def test_a_batch_is_an_array_and_each_message_of_it_is_answered(self):
        async with await self.open() as socket:
            await socket.send(json.dumps([{"type": "publish", "id": i, "topic": "b.x", "data": i} for i in range(20)] +
                                         [{"type": "ping", "id": "last"}]))
            oks = [await socket.take(id=i) for i in range(20)]
            self.assertEqual((await socket.take(id="last"))["type"], "pong")
            self.assertEqual([ok["type"] for ok in oks], ["ok"] * 20)
            self.assertEqual([ok["seq"] for ok in oks], sorted(ok["seq"] for ok in oks))

    async def test_since_and_last_give_what_came_before_and_then_what_comes(self):
        async with await self.open() as socket:
            said = [await socket.call("publish", topic="h.x", data=i) for i in range(10)]
            for asked, first in (({"since": said[3]["event"]}, 4), ({"last": 4}, -4), ({"since": "start"}, 0)):
                ok = await socket.call("subscribe", topic="h.x", **asked)
                self.assertEqual((ok["type"], ok["gap"]), ("ok", False), ok)
                want = said[first:]
                said.append(await socket.call("publish", topic="h.x", data="live"))
                want.append(said[-1])
                seen = [(await socket.take(type="event"))["event"] for _ in want]
                self.assertEqual(seen, [ok["event"] for ok in want], asked)
                self.assertEqual((await socket.call("unsubscribe", topic="h.x"))["type"], "ok")
                self.assertEqual([f for f in await socket.quiet() if f["type"] == "event"], [])

    async def test_a_cursor_of_another_epoch_is_answered_from_the_oldest_with_gap(self):
        async with await self.open() as socket:
            first = await socket.call("publish", topic="e.x", data=1)
            epoch, _, position = first["event"].rpartition("-")
            ok = await socket.call("subscribe", topic="e.x", since=f"{'0' * len(epoch)}-{position}")
            self.assertEqual((ok["type"], ok["gap"]), ("ok", True), ok)
            self.assertEqual((await socket.take(type="event"))["event"], first["event"])

    async def test_unsubscribe_ends_the_events(self):
        async with await self.open() as socket:
            await socket.call("subscribe", topic="u.x")
            await socket.call("publish", topic="u.x", data=1)
            await socket.take(type="event")
            self.assertEqual((await socket.call("unsubscribe", topic="u.x"))["type"], "ok")
            await socket.call("publish", topic="u.x", data=2)
            self.assertEqual([f for f in await socket.quiet() if f["type"] == "event"], [])
            self.assertEqual((await socket.call("unsubscribe", topic="u.x"))["code"], "not_found")

    async def test_with_credit_at_most_that_many_events_are_unacknowledged(self):
        async with await self.open() as socket, await self.open() as publisher:
            self.assertEqual((await socket.call("subscribe", topic="c.x", credit=2))["type"], "ok")
            for i in range(6):
                await publisher.call("publish", topic="c.x", data=i)
            seen = []
            while len(seen) < 6:
                event = await socket.take(type="event")
                seen.append(event["data"])
                if len(seen) % 2 == 0:
                    waiting = [f for f in await socket.quiet() if f["type"] == "event"]
                    self.assertEqual(waiting, [], "more than two events without an ack")
                    await socket.send({"type": "ack", "event": event["event"], "topic": "c.x"})
            self.assertEqual(seen, list(range(6)))

    async def test_a_request_gets_its_partials_in_order_and_one_reply(self):
        self.worker("answer", "agents.>")
        async with await self.open() as socket:
            reply = await socket.call("request", topic="agents.plan", data={"q": 1, "id": "r1"}, timeout_ms=20000)
            self.assertEqual((reply["type"], reply["data"]), ("reply", {"q": 1, "id": "r1"}), reply)
            self.assertEqual([(p["attempt"], p["index"], p["data"]) for p in socket.partials], [(1, i, {"piece": i}) for i in range(3)])
            self.assertEqual(await socket.quiet(), [])

    async def test_many_requests_at_once_get_each_their_own_answer(self):
        self.worker("answer", "agents.>", "--handlers", "4")
        async with await self.open() as socket:
            for i in range(100):
                await socket.send({"type": "request", "id": f"r{i}", "topic": "agents.plan", "data": i, "timeout_ms": 20000})
            for i in range(100):
                reply = await socket.take(id=f"r{i}", type="reply")
                self.assertEqual(reply["data"], i)
            finals = [f for f in await socket.quiet() if f["type"] in ("reply", "error")]
            self.assertEqual(finals, [])

    async def test_a_request_that_nobody_serves_is_no_worker(self):
        async with await self.open() as socket:
            answer = await socket.call("request", topic="nobody.there", data=1, timeout_ms=20000)
            self.assertEqual((answer["type"], answer["code"]), ("error", "no_worker"))

    async def test_a_request_without_an_answer_in_time_is_timeout(self):
        self.worker("hold", "slow.>")
        async with await self.open() as socket:
            answer = await socket.call("request", topic="slow.x", data=1, timeout_ms=300)
            self.assertEqual((answer["type"], answer["code"]), ("error", "timeout"))
            self.assertEqual(await socket.quiet(), [])

    async def test_cancel_reaches_the_worker_and_the_request_ends_once(self):
        worker = self.worker("hold", "slow.>")
        async with await self.open() as socket:
            await socket.send({"type": "request", "id": "r", "topic": "slow.x", "data": {"id": "c1"}, "timeout_ms": 20000})
            await asyncio.to_thread(wait_for, lambda: '"offer"' in self.weir.text("w1.jsonl"), "offer to the worker")
            self.assertEqual((await socket.call("cancel", request="r"))["type"], "ok")
            await asyncio.to_thread(wait_for, lambda: any(line.get("event") == "cancelled" for line in worker.lines()), "cancel at the worker")
            answer = await socket.take(id="r")
            self.assertEqual((answer["type"], answer["code"]), ("error", "cancelled"))
            self.assertEqual(await socket.quiet(), [])

    async def test_cancel_of_what_is_not_there_is_not_found(self):
        async with await self.open() as socket:
            self.assertEqual((await socket.call("cancel", request="none"))["code"], "not_found")

    async def test_history_gives_pages_that_join(self):
        async with await self.open() as socket:
            for i in range(25):
                await socket.call("publish", topic=f"page.{i % 2}", data=i)
            seen, since = [], "start"
            while True:
                ok = await socket.call("history", topic="page.*", since=since, limit=10)
                self.assertEqual((ok["type"], ok["gap"]), ("ok", False), ok)
                if not ok["events"]:
                    break
                self.assertLessEqual(len(ok["events"]), 10)
                seen += [event["data"] for event in ok["events"]]
                since = ok["events"][-1]["event"]
            self.assertEqual(seen, list(range(25)))

    async def test_a_worker_sees_what_a_browser_published_and_its_emits_come_back(self):
        self.worker("mixed", "jobs.>", "--emit", "results", "--backoff-ms", "20")
        async with await self.open() as socket:
            await socket.call("subscribe", topic="results.>")
            for i in range(40):
                await socket.call("publish", topic="jobs.x", data={"id": f"j{i}"})
            event = await socket.take(type="event")
            self.assertTrue(event["data"]["id"].startswith("g-mixed-w1-"))

    async def test_auth_is_taken_where_none_is_needed_and_answered(self):
        async with await self.open() as socket:
            answer = await socket.call("auth", credential="whatever")
            self.assertIn(answer["type"], ("ok", "error"))
            self.assertEqual((await socket.call("ping"))["type"], "pong")

    async def test_what_is_not_served_is_an_error_with_the_id_and_the_connection_stays(self):
        async with await self.open() as socket:
            for message in ({"type": "presence", "topic": "a.b"}, {"type": "dance"}):
                answer = await socket.call(message.pop("type"), **message)
                self.assertEqual((answer["type"], answer["code"]), ("error", "unsupported"), message)
            self.assertEqual((await socket.call("ping"))["type"], "pong")

    async def test_every_message_has_exactly_one_final_answer(self):
        self.worker("answer", "agents.>")
        kinds = [{"type": "publish", "topic": "m.x", "data": 1}, {"type": "subscribe", "topic": "m.y"}, {"type": "unsubscribe", "topic": "m.y"},
                 {"type": "history", "topic": "m.>", "since": "start", "limit": 3}, {"type": "ping"}, {"type": "presence", "topic": "m.x"},
                 {"type": "request", "topic": "agents.x", "data": 1, "timeout_ms": 20000}, {"type": "request", "topic": "m.none", "data": 1},
                 {"type": "cancel", "request": "none"}, {"type": "publish", "topic": "bad..topic", "data": 1}, {"type": "nonsense"},
                 {"type": "subscribe", "topic": ""}, {"type": "publish"}]
        async with await self.open() as socket:
            sent = [{**kind, "id": f"{turn}-{number}"} for turn in range(20) for number, kind in enumerate(kinds)]
            for message in sent:
                await socket.send(message)
            for message in sent:
                frame = await socket.take(id=message["id"])
                while frame["type"] == "partial":
                    frame = await socket.take(id=message["id"])
                self.assertIn(frame["type"], ("ok", "error", "pong", "reply"), message)
            late = [f for f in await socket.quiet() if f.get("id") is not None and f["type"] != "partial"]
            self.assertEqual(late, [])

    async def test_an_id_may_be_any_number_or_text_and_comes_back_as_it_was(self):
        async with await self.open() as socket:
            for id_ in ("", "é\"\\", 0, -1, 1.5, 12345678901234567890, "0"):
                await socket.send('{"type":"ping","id":' + json.dumps(id_) + "}")
                frame = await socket.take(type="pong")
                self.assertIn('"id":' + json.dumps(id_, ensure_ascii=False), frame["_text"].replace("\\u00e9", "é"))

    async def test_the_gateway_drains_on_sigterm_and_says_so(self):
        async with await self.open() as socket:
            self.weir.gateway.process.terminate()
            self.assertIn("reconnect_ms", await socket.take(type="drain"))
            await asyncio.wait_for(socket.connection.wait_closed(), 30)
            self.assertEqual(socket.connection.close_code, 1001)
        self.assertEqual(await asyncio.to_thread(self.weir.gateway.process.wait, 30), 0)


if __name__ == "__main__":
    main()
