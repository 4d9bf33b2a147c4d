#!/usr/bin/python3
"""Emits and answers over 64 KiB: whole and with their settle, or not at all; over kill -9 of either side."""
import hashlib
import json
import os
import subprocess
import threading

from harness import Socket, TestCase, main, program, wait_for
from wire import Peer, encode, event, read_log

PART = 65536


def noise(size, seed=1):
    return hashlib.shake_256(seed.to_bytes(8, "big")).digest(size)


def digest(data):
    return hashlib.sha256(data).hexdigest()


class LargeEmits(TestCase):
    def setUp(self):
        super().setUp()
        self.weir.start_coordinator()

    def environment(self):
        return {**os.environ, "WEIR_ENDPOINT": self.weir.endpoint, "WEIR_TENANT": "dev"}

    def sums(self):
        return self.weir.text("sums").split() if os.path.exists(self.weir.path("sums")) else []

    def summing_worker(self, filter_="out.>"):
        return self.weir.background("worker", "--group", "sums", "--topic", filter_, "--start", "first", "--exec",
                                    f"sha256sum | cut -c1-64 >> {self.weir.path('sums')}")

    def worker_by_hand(self, instance=None):
        peer = Peer(self.weir.endpoint)
        self.addCleanup(peer.close)
        peer.hello("WORKER", group={"name": "g", "filters": ["in.>"], "start": "START_FIRST", "lease_ms": 2000},
                   **({"instance": instance} if instance else {}))
        peer.credit("CREDIT_DELIVER", 100)
        return peer

    @staticmethod
    def parts(peer, lease, data, number=1, last=None):
        pieces = [data[at:at + PART] for at in range(0, len(data), PART)]
        for index, piece in enumerate(pieces[:last]):
            peer.send(piece, part=[{"lease": lease, "number": number, "index": index, "count": len(pieces), "size": len(piece)}])
        return len(pieces)

    def test_an_answer_of_five_mebibytes_reaches_the_requester_whole(self):
        self.weir.background("worker", "--group", "echo", "--topic", "ask.>", "--exec", "cat")
        wait_for(lambda: self.weir.metric("weir_coordinator_groups") == 1, "the worker")
        data = noise(5 * 1024 * 1024)
        with open(self.weir.path("question"), "wb") as file:
            file.write(data)
        with open(self.weir.path("question"), "rb") as file:
            answer = subprocess.run([program("weir"), "request", "ask.it", "--timeout-ms", "60000"], env=self.environment(), stdin=file,
                                    capture_output=True, check=True, timeout=120).stdout
        self.assertEqual(digest(answer.rstrip(b"\n")), digest(data.rstrip(b"\n")))

    def json_lines_worker(self):
        worker = subprocess.Popen([program("weir"), "worker", "--group", "big", "--topic", "in.>", "--start", "first", "--credit", "4",
                                   "--json-lines"], env=self.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(worker.communicate)
        self.addCleanup(worker.kill)
        return worker

    def test_each_large_emit_is_there_once_however_often_the_coordinator_is_killed(self):
        self.summing_worker()
        rounds, want, settled = 12, [], []
        worker = self.json_lines_worker()

        def work():
            for line in worker.stdout:
                told = json.loads(line)
                if "settled" in told:
                    settled.append(told)
                    continue
                data = "x" * 700000 + told["event"]  # as a JSON text
                for verb in ({"verb": "emit", "topic": "out.big", "data": data}, {"verb": "emit", "topic": "out.small", "data": 1}, {"verb": "ack"}):
                    worker.stdin.write(json.dumps({"delivery": told["delivery"], **verb}) + "\n")
                worker.stdin.flush()
        threading.Thread(target=work, daemon=True).start()
        for number in range(rounds):
            before = self.weir.metric("weir_coordinator_parts")
            self.weir.weir("publish", "in.a", str(number))
            wait_for(lambda: self.weir.metric("weir_coordinator_parts") > before, "parts are under way")
            if number % 3 == 2:
                self.weir.coordinator.kill()
                self.weir.start_coordinator()
        wait_for(lambda: self.weir.metric("weir_coordinator_leases") == 0 and len(read_log(self.weir.endpoint, "out.small")[0]) >= rounds,
                 "all are settled")
        events = [seq for seq, _ in read_log(self.weir.endpoint, "in.>")[0]]
        causes = [packet_event for packet_event in read_log(self.weir.endpoint, "out.>")[0]]
        self.assertEqual(len(events), rounds)
        self.assertEqual(len(causes), 2 * rounds, "each emit once, with its settle")
        wait_for(lambda: len(set(self.sums())) == rounds + 1, "all of them whole: every large one another, the small ones alike")
        self.weir.coordinator.stop()
        found = json.loads(self.weir.weir("verify", "--json", self.weir.path("data")).stdout)
        self.assertEqual((found["ok"], found["large_events"]), (True, rounds))

    def test_of_what_a_worker_had_sent_when_it_was_lost_nothing_is_seen(self):
        self.summing_worker()
        data = noise(4 * PART + 5)
        self.weir.weir("publish", "in.a", "1")
        first = self.worker_by_hand()
        deliver, _ = first.take("deliver")
        count = self.parts(first, deliver["lease"][0], data)
        wait_for(lambda: self.weir.metric("weir_coordinator_large_events") == 1, "its parts are there")
        first.close()
        wait_for(lambda: self.weir.metric("weir_coordinator_large_events") == 0, "and go with it")
        second = self.worker_by_hand(instance=os.urandom(16))
        deliver, _ = second.take("deliver")
        lease = deliver["lease"][0]
        self.assertEqual(deliver["attempt"], [2])
        head = event("out.a", b"")
        self.assertEqual(second.settled(second.settle(lease, "ACK", [head], emit_parts=[count])), "bad_request")
        self.parts(second, lease, data, last=3)
        self.assertEqual(second.settled(second.settle(lease, "ACK", [head], emit_parts=[count])), "bad_request")
        self.parts(second, lease, data)
        empty = encode("Event", {"topic": "out.a", "data": b""})  # would hide what its parts say
        self.assertEqual(second.settled(second.settle(lease, "ACK", [empty], emit_parts=[count])), "bad_request")
        self.parts(second, lease, data)
        self.assertEqual(second.settled(second.settle(lease, "ACK", [head], emit_parts=[count])), "ok")
        wait_for(lambda: self.sums() == [digest(data)], "the one that was settled, whole")

    def test_who_lies_about_the_parts_of_emits_is_refused_and_cut(self):
        for _ in range(6):
            self.weir.weir("publish", "in.a", "1")
        worker = self.worker_by_hand()
        leases = []
        while len(leases) < 6:
            leases += worker.take("deliver")[0]["lease"]
        data, head = noise(3 * PART), event("out.a", b"")
        lies = ({"size": 5}, {"index": 1}, {"count": 1 << 20}, {"number": 0}, {"number": 257})
        for lease, lie in zip(leases, lies):
            fields = {"lease": lease, "number": 1, "index": 0, "count": 3, "size": PART, **lie}
            worker.send(data[:fields["size"]], part=[fields])
            self.assertIn(worker.settled(worker.settle(lease, "ACK", [head], emit_parts=[3])), ("bad_request", "too_large"), lie)
            self.assertEqual(worker.settled(worker.settle(lease, "ACK")), "ok", lie)
        for number in range(17):
            worker.send(data[:PART], part=[{"lease": leases[5], "number": number + 1, "index": 0, "count": 3, "size": PART}])
        self.assertEqual(worker.settled(worker.settle(leases[5], "ACK", [head], emit_parts=[3])), "throttled")
        self.assertEqual(self.weir.metric("weir_coordinator_large_events"), 0)
        for _ in range(400):  # more than can have been under way, for a lease that there is not
            worker.send(data[:PART], part=[{"lease": 12345, "number": 1, "index": 0, "count": 3, "size": PART}])
        wait_for(lambda: self.weir.metrics()["weir_coordinator_peers"] == 0, "it is cut")
        self.assertEqual(read_log(self.weir.endpoint, "out.>")[0], [])

    async def test_a_socket_gets_an_answer_that_fits_its_queue_and_the_size_of_one_that_does_not(self):
        self.weir.background("worker", "--group", "echo", "--topic", "ask.>", "--exec",
                             """n=$(cat); printf '"'; head -c $n /dev/zero | tr '\\0' x; printf '"'""")
        wait_for(lambda: self.weir.metric("weir_coordinator_groups") == 1, "the worker")
        self.weir.start_gateway()
        async with await Socket.open(self.weir.port) as asker:
            answer = await asker.call("request", topic="ask.it", data=200000, timeout_ms=30000)
            self.assertEqual((answer["type"], answer.get("data")), ("reply", "x" * 200000))
            answer = await asker.call("request", topic="ask.it", data=3000000, timeout_ms=30000)
            self.assertEqual((answer["type"], answer.get("too_large"), answer.get("size")), ("reply", True, 3000002))
            answer = await asker.call("request", topic="ask.it", data=5, timeout_ms=30000)
            self.assertEqual(answer.get("data"), "xxxxx")


if __name__ == "__main__":
    main()
