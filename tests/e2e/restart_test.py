#!/usr/bin/python3
"""What a coordinator remembers over kill -9: peers that speak the protocol by hand say exactly what they resend and what they hold."""
import json

from harness import TestCase, main
from wire import Peer, event, read_log

GROUP = {"name": "g", "filters": ["jobs.>"], "lease_ms": 20000, "backoff_ms": 50, "start": "START_FIRST"}


class Restart(TestCase):
    def setUp(self):
        super().setUp()
        self.weir.start_coordinator()

    def peer(self):
        peer = Peer(self.weir.endpoint)
        self.addCleanup(peer.close)
        return peer

    def kill(self):
        self.weir.coordinator.kill()
        self.weir.start_coordinator()

    def worker(self, credit=100, **fields):
        peer = self.peer()
        peer.welcome = peer.hello("WORKER", group=GROUP, **fields)
        peer.credit("CREDIT_DELIVER", credit)
        return peer

    def publish(self, count, topic="jobs.x"):
        peer = self.peer()
        peer.hello("CLIENT")
        first = peer.publish(*[event(topic, json.dumps({"id": f"{topic}-{i}"})) for i in range(count)])
        return [peer.outcome(first + i)[1] for i in range(count)]

    @staticmethod
    def deliveries(worker, count):
        """-> [(lease, seq, attempt)] of the next `count` deliveries"""
        found = []
        while len(found) < count:
            deliver, _ = worker.take("deliver")
            found += zip(deliver["lease"], deliver["seq"], deliver["attempt"])
        return found

    def log(self, filter_=">"):
        return [seq for seq, _ in read_log(self.weir.endpoint, filter_)[0]]

    def test_numbers_sent_again_get_their_first_answer_and_nothing_is_twice(self):
        peer = self.peer()
        peer.hello("CLIENT")
        events = [event("a.b", json.dumps({"id": f"e{i}"})) for i in range(50)]
        peer.publish(*events)
        seqs = [peer.outcome(n)[1] for n in range(1, 51)]
        self.kill()
        again = self.peer()
        welcome = again.hello("CLIENT", instance=peer.instance, publisher=peer.publisher)
        self.assertEqual((welcome["publisher_known"], welcome["highest_number"]), (1, 50))
        again.publish(*events)
        outcomes = [again.outcome(n) for n in range(1, 51)]
        self.assertEqual([o[1] for o in outcomes], seqs)
        self.assertTrue(all(o[2] for o in outcomes), "answered as if they were new")
        self.assertEqual(self.log(), seqs)
        self.assertEqual(again.outcome(again.publish(event("a.b")))[0], "ok")

    def test_a_token_is_accepted_once_also_after_a_kill_and_from_a_snapshot(self):
        def publish(*tokens):
            peer = self.peer()
            peer.hello("CLIENT")
            first = peer.publish(*[event("a.b", f'{{"id":"{token}"}}', token=token) for token in tokens])
            return [peer.outcome(first + i) for i in range(len(tokens))]
        tokens = [f"t{i}" for i in range(300)]
        accepted = publish(*tokens)
        self.assertTrue(all(outcome[0] == "ok" and not outcome[2] for outcome in accepted))
        self.weir.coordinator.stop()  # a drain saves a snapshot
        self.weir.start_coordinator()
        self.assertEqual(publish(*tokens, "new")[:-1], [(ok, seq, True) for ok, seq, _ in accepted])
        self.kill()
        self.assertEqual(publish(*tokens), [(ok, seq, True) for ok, seq, _ in accepted])
        self.assertEqual(len(self.log()), 301)

    def test_a_publisher_that_is_not_known_is_told_so(self):
        self.assertEqual(self.peer().hello("CLIENT", first_unanswered=7)["publisher_known"], 0)

    def test_what_is_settled_never_comes_again_and_what_is_not_comes_with_the_next_attempt(self):
        worker = self.worker()
        seqs = self.publish(20)
        leases = self.deliveries(worker, 20)
        for lease, _, _ in leases[:10]:
            number = worker.settle(lease, "ACK")
        self.assertEqual(worker.settled(number), "ok")
        self.kill()
        rest = self.deliveries(self.worker(), 10)
        self.assertEqual(sorted(seq for _, seq, _ in rest), seqs[10:])
        self.assertEqual({attempt for _, _, attempt in rest}, {2})

    def test_a_worker_keeps_what_it_holds_over_a_restart_and_nobody_else_is_given_it(self):
        worker = self.worker()
        seqs = self.publish(5)
        self.deliveries(worker, 5)
        epoch = worker.welcome["epoch"]
        self.kill()
        other = self.worker()
        back = self.worker(credit=3, instance=worker.instance, epoch=epoch, held_seq=seqs[:3], held_attempt=[1] * 3)
        self.assertEqual(list(zip(back.welcome["kept_seq"], back.welcome["kept_attempt"])), [(seq, 1) for seq in seqs[:3]])
        given = self.deliveries(other, 2)  # after the grace: what nobody said it holds
        self.assertEqual(sorted((seq, attempt) for _, seq, attempt in given), [(seq, 2) for seq in seqs[3:]])
        for lease in back.welcome["kept_lease"]:
            self.assertEqual(back.settled(back.settle(lease, "ACK")), "ok")
        self.assertEqual(other.waiting and [w for w in other.waiting if w[0] == "deliver"], [])

    def test_a_settle_without_an_answer_is_sent_again_and_counts_once(self):
        worker = self.worker()
        seqs = self.publish(1)
        (lease, _, _), = self.deliveries(worker, 1)
        emit = event("out.x", b'{"id":"emit"}')
        worker.settled(worker.settle(lease, "ACK", [emit]))
        self.kill()
        back = self.worker(instance=worker.instance, epoch=worker.welcome["epoch"], held_seq=seqs, held_attempt=[1])
        self.assertEqual(back.welcome["kept_seq"], [], "it was settled: the worker's claim is void")
        self.assertEqual(len(self.log("out.>")), 1)

    def test_the_attempts_of_an_event_are_counted_over_restarts(self):
        worker = self.worker()
        self.publish(1)
        (lease, _, attempt), = self.deliveries(worker, 1)
        for _ in range(3):
            last = attempt
            self.assertEqual(worker.settled(worker.settle(lease, "NACK", delay_ms=1)), "ok")
            self.kill()
            worker = self.worker()
            (lease, _, attempt), = self.deliveries(worker, 1)
            self.assertIn(attempt, (last + 1, last + 2))  # the second: it was due before the kill, so it may have been with somebody

    def test_a_group_goes_on_where_it_was_and_keeps_its_options(self):
        self.worker()
        self.kill()
        peer = self.peer()
        peer.send(hello={"protocol": 1, "role": "WORKER", "instance": b"q" * 16, "tenant": "dev", "group": {**GROUP, "lease_ms": 1234}})
        self.assertEqual(peer.error()[0], "conflict")
        seqs = self.publish(3)
        self.assertEqual([seq for _, seq, _ in self.deliveries(self.worker(), 3)], seqs)

    def test_a_subscription_resumes_over_restarts_without_gap_or_repeat(self):
        seqs, seen, cursor = [], [], None
        for _ in range(3):
            seqs += self.publish(7, "s.x")
            reader = self.peer()
            epoch = reader.hello("CLIENT")["epoch"]
            reader.credit("CREDIT_EVENTS", 1000)
            start = {"start": "START_FIRST"} if cursor is None else {"start": "START_SEQ", "start_at": cursor, "epoch": epoch}
            reader.send(subscribe=[{"subscription": 1, "filter": "s.>", **start}])
            subscribed, _ = reader.take("subscribed")
            self.assertFalse(subscribed["gap"])
            while len(seen) < len(seqs):
                seen += reader.take("events")[0]["seq"]
            cursor = seen[-1]
            self.kill()
        self.assertEqual(seen, seqs)

    def test_seqs_rise_over_restarts(self):
        seqs = []
        for _ in range(3):
            seqs += self.publish(3)
            self.kill()
        self.assertEqual(seqs, sorted(set(seqs)))
        self.assertEqual(self.log(), seqs)

    def test_sigterm_drains_tells_the_peers_and_leaves_a_log_that_opens_at_once(self):
        worker = self.worker()
        seqs = self.publish(3)
        (lease, _, _), *_ = self.deliveries(worker, 3)
        self.weir.coordinator.process.terminate()
        worker.take("drain")
        self.assertEqual(worker.settled(worker.settle(lease, "ACK")), "ok")
        self.assertEqual(self.weir.coordinator.process.wait(30), 0)  # stop() would say SIGTERM a second time: end at once
        self.weir.start_coordinator()
        self.assertEqual(self.log(), seqs)


if __name__ == "__main__":
    main()
