#!/usr/bin/python3
"""Events over 64 KiB: whole at whoever they are for, beside small ones that do not wait, over kill -9, and from peers that lie."""
import hashlib
import json
import os
import threading

from harness import Socket, TestCase, main, program, wait_for
from wire import Peer, event, read_log

PART = 65536


def noise(size, seed=1):
    return hashlib.shake_256(seed.to_bytes(8, "big")).digest(size)


class Large(TestCase):
    def setUp(self):
        super().setUp()
        self.weir.start_coordinator()
        self.peers = 0

    def await_peers(self, change, what):
        self.peers += change
        wait_for(lambda: self.weir.metric("weir_coordinator_peers") == self.peers, what)

    def peer(self, role="CLIENT", **fields):
        peer = Peer(self.weir.endpoint)
        self.addCleanup(peer.close)
        peer.welcome = peer.hello(role, **fields)
        self.peers += 1
        return peer

    @staticmethod
    def parts(peer, data, first=0, last=None, number=None, count=None):
        """Sends parts of one event, each in a packet; -> its number."""
        pieces = [data[at:at + PART] for at in range(0, len(data), PART)]
        if number is None:
            peer.number += 1
            number = peer.number
        for index in range(first, len(pieces) if last is None else last + 1):
            peer.send(pieces[index], part=[{"number": number, "index": index, "count": count or len(pieces), "size": len(pieces[index])}])
        return number

    @staticmethod
    def end(peer, number, topic, **fields):
        whole = event(topic, b"", **fields)
        peer.send(whole, publish=[{"first_number": number, "size": [len(whole)]}])
        return peer.outcome(number)

    def sums(self, name="sums"):
        return self.weir.text(name).split() if os.path.exists(self.weir.path(name)) else []

    def summing_worker(self, group="g", filter_="docs.>"):
        return self.weir.background("worker", "--group", group, "--topic", filter_, "--exec",
                                    f"sha256sum | cut -c1-64 >> {self.weir.path('sums')}")

    def file(self, data, name="big"):
        with open(self.weir.path(name), "wb") as file:
            file.write(data)
        return self.weir.path(name)

    def publish_file(self, path, topic="docs.big"):
        with open(path, "rb") as file:
            return self.weir.weir("publish", topic, stdin_file=file)

    def test_eight_mebibytes_reach_a_worker_whole_while_small_events_go_past(self):
        data = noise(8 * 1024 * 1024 - 300)
        path, want = self.file(data), hashlib.sha256(data).hexdigest()
        self.summing_worker()
        small = self.peer("WORKER", group={"name": "small", "filters": ["small.>"]}, max_event_bytes=0)
        small.credit("CREDIT_DELIVER", 100000)
        publisher = self.peer()
        done, taken = threading.Event(), []

        def publish_large():
            for _ in range(5):
                self.publish_file(path)
            done.set()
        thread = threading.Thread(target=publish_large)
        thread.start()
        while not done.is_set() or len(taken) < 100:
            number = publisher.publish(event("small.x", b"x" * 200))
            self.assertEqual(publisher.outcome(number)[0], "ok")
            deliver, _ = small.take("deliver")
            taken += deliver["seq"]
            for lease in deliver["lease"]:
                small.settle(lease, "ACK")
        thread.join()
        wait_for(lambda: self.sums() == [want] * 5, "five whole events")
        self.assertEqual(taken, sorted(set(taken)))
        wait_for(lambda: self.weir.metric("weir_coordinator_large_events") == 0, "nothing is open")

    def test_what_was_accepted_is_whole_after_a_kill_and_what_was_under_way_is_sent_again(self):
        data = noise(3 * 1024 * 1024)
        peer = self.peer()
        self.assertEqual(self.end(peer, self.parts(peer, data), "docs.first")[0], "ok")
        half = self.parts(peer, data, last=20)
        small = peer.publish(event("docs.small"))
        outcome = peer.outcome(small)
        wait_for(lambda: self.weir.metric("weir_coordinator_parts") >= 48 + 21, "the parts are stored")
        self.weir.coordinator.kill()
        self.weir.start_coordinator()
        again = self.peer(instance=peer.instance, publisher=peer.publisher, first_unanswered=half)
        again.number = peer.number
        self.assertEqual((again.welcome["publisher_known"], again.welcome["highest_number"]), (1, small))
        again.send(event("docs.small"), publish=[{"first_number": small, "size": [len(event("docs.small"))]}])
        self.assertEqual(again.outcome(small), (outcome[0], outcome[1], 1))
        fresh = self.peer(instance=os.urandom(16), publisher=peer.publisher, first_unanswered=half)
        self.parts(fresh, data, number=half)
        second = self.end(fresh, half, "docs.second")
        self.assertEqual((second[0], second[2]), ("ok", 0))
        third = self.peer(publisher=peer.publisher, first_unanswered=half)
        self.parts(third, data, number=half)
        self.assertEqual(third.outcome(half), ("ok", second[1], 1))
        self.assertEqual([seq for seq, _ in read_log(self.weir.endpoint, "docs.second")[0]], [second[1]])

    def test_a_publisher_that_outlives_the_coordinator_has_its_event_accepted_once(self):
        data = noise(8 * 1024 * 1024 - 300, 2)
        path, want = self.file(data), hashlib.sha256(data).hexdigest()
        self.summing_worker()
        for round_ in range(3):
            before = self.weir.metric("weir_coordinator_parts")
            thread = threading.Thread(target=lambda: self.publish_file(path))
            thread.start()
            wait_for(lambda: self.weir.metric("weir_coordinator_parts") > before + 10, "parts under way")
            self.weir.coordinator.kill()
            self.weir.start_coordinator()
            thread.join()
            self.assertEqual(len(read_log(self.weir.endpoint, "docs.big")[0]), round_ + 1)
        wait_for(lambda: self.sums().count(want) >= 3, "three whole events")
        self.assertEqual(set(self.sums()), {want})

    def test_verify_counts_it_and_a_replay_shows_it_whole(self):
        data = [noise(1000000, 3), noise(70000, 4), b"small"]
        for at, each in enumerate(data):
            self.publish_file(self.file(each), f"docs.{at}")
        want = [hashlib.sha256(each).hexdigest() for each in data]
        worker = ["--", program("weir"), "worker", "--group", "r", "--topic", "docs.>", "--credit", "1", "--exec",
                  f"sha256sum | cut -c1-64 >> {self.weir.path('sums')}"]
        self.weir.weir("replay", self.weir.endpoint, "--speed", "step", *worker)
        self.assertEqual(self.sums(), want, "from the endpoint")
        self.weir.coordinator.stop()
        found = json.loads(self.weir.weir("verify", "--json", self.weir.path("data")).stdout)
        self.assertEqual((found["ok"], found["large_events"]), (True, 2))
        self.weir.weir("replay", self.weir.path("data"), "--speed", "step", *worker)
        self.assertEqual(self.sums(), want * 2, "from the directory")

    def test_a_subscriber_by_hand_is_sent_the_parts_in_order_and_the_event_last(self):
        data = noise(200000)
        peer = self.peer()
        seq = self.end(peer, self.parts(peer, data), "docs.a", key="k")[1]
        reader = self.peer(max_event_bytes=1 << 20)
        reader.send(subscribe=[{"subscription": 5, "filter": "docs.>", "start": "START_FIRST"}])
        reader.credit("CREDIT_EVENTS", 10)
        found = b""
        for index in range(4):
            part, packet = reader.take("part")
            self.assertEqual((part["subscription"], part["seq"], part["index"], part["count"]), (5, seq, index, 4))
            at = sum(p["size"] for p in packet["part"][:packet["part"].index(part)])
            found += packet["body"][at:at + part["size"]]
        events, _ = reader.take("events")
        self.assertEqual(events["seq"], [seq])
        self.assertEqual(found, data)

    def test_peers_that_lie_about_parts_are_refused_and_cut_and_nobody_else_is_hurt(self):
        good = self.peer()
        data = noise(5 * PART)
        lies = [{"size": 5}, {"index": 1}, {"count": 1 << 20}, {"count": 0}, {"index": 1 << 31}]
        for lie in lies:
            peer = self.peer()
            self.assertEqual(peer.outcome(peer.publish(event("a.b")))[0], "ok")
            fields = {"number": 2, "index": 0, "count": 5, "size": PART, **lie}
            peer.send(data[:fields["size"]], part=[{**fields}])
            if not fields["index"]:
                self.assertIn(peer.outcome(2)[0], ("bad_request", "too_large"), lie)
            peer.number = 2
            self.assertEqual(peer.outcome(peer.publish(event("a.b")))[0], "ok", lie)
        for lie in lies[:2]:
            peer = self.peer()
            self.await_peers(0, "all of them in the metrics")
            for number in range(1, 140):
                fields = {"number": number, "index": 0, "count": 5, "size": PART, **lie}
                peer.send(data[:fields["size"]], part=[fields])
            if lie == {"index": 1}:  # of nothing: it has to be more than can have been under way
                for number in range(140, 700):
                    peer.send(data[:PART], part=[{"number": number, "index": 1, "count": 5, "size": PART}])
            self.await_peers(-1, f"{lie}: the liar is cut")
            self.assertEqual(good.outcome(good.publish(event("good.x")))[0], "ok")
        hoarder = self.peer()
        for _ in range(17):
            number = self.parts(hoarder, data, last=0)
        self.assertEqual(hoarder.outcome(number)[0], "throttled")
        wait_for(lambda: self.weir.metric("weir_coordinator_large_events") == 16, "16 are open")
        self.assertEqual(self.end(good, self.parts(good, data), "docs.x")[0], "ok")
        hoarder.close()
        wait_for(lambda: self.weir.metric("weir_coordinator_large_events") == 0, "what it had open is gone")

    async def test_a_socket_gets_what_fits_its_queue_and_the_size_of_what_does_not(self):
        self.weir.start_gateway()
        async with await Socket.open(self.weir.port) as reader, await Socket.open(self.weir.port) as writer:
            self.assertEqual((await reader.call("subscribe", topic="docs.>"))["type"], "ok")
            text = "y" * 100000
            self.assertEqual((await writer.call("publish", topic="docs.a", data=text))["type"], "ok")
            frame = await reader.take(type="event")
            self.assertEqual(frame["data"], text)
            big = json.dumps("z" * 2000000).encode()
            self.publish_file(self.file(big), "docs.b")
            frame = await reader.take(type="event")
            self.assertEqual((frame.get("too_large"), frame["size"], "data" in frame), (True, len(big), False))
            self.assertEqual((await writer.call("publish", topic="docs.c", data=1))["type"], "ok")
            self.assertEqual((await reader.take(type="event"))["data"], 1)
            answer = await reader.call("history", topic="docs.>", since="start")
            self.assertEqual([e.get("size") for e in answer["events"]], [None, len(big), None])


if __name__ == "__main__":
    main()
