#!/usr/bin/env python3
"""Every check must bite: one good history passes, and for each check a history that is bad in that one way is caught by it."""
import copy
import os
import tempfile
import unittest

import checker
import history


def good():
    """Two publishers, one group of two workers that emit, a subscriber; one unknown publish, one nack, one stale settle."""
    return [
        {"op": "group", "t": 0, "group": "g", "filters": ["docs.>"], "ordering": "key", "drained": True},
        {"op": "reader", "t": 0, "reader": "s", "filter": "docs.*", "cursor": 0},
        {"op": "publish", "t": 1, "id": "a", "topic": "docs.1", "key": "k", "token": "T"},
        {"op": "answer", "t": 3, "id": "a", "ok": True, "seq": 10, "duplicate": False},
        {"op": "publish", "t": 4, "id": "b", "topic": "docs.2", "key": "k"},
        {"op": "answer", "t": 6, "id": "b", "ok": True, "seq": 11, "duplicate": False},
        {"op": "publish", "t": 4, "id": "lost", "topic": "docs.3"},
        {"op": "publish", "t": 5, "id": "kept", "topic": "docs.4"},
        {"op": "publish", "t": 7, "id": "no", "topic": "docs.5"},
        {"op": "answer", "t": 8, "id": "no", "ok": False, "code": "throttled"},
        {"op": "publish", "t": 8, "id": "a2", "topic": "docs.1", "token": "T"},
        {"op": "answer", "t": 9, "id": "a2", "ok": True, "seq": 10, "duplicate": True},
        {"op": "publish", "t": 9, "id": "once", "topic": "docs.6", "semantics": "at_most_once"},
        {"op": "answer", "t": 9, "id": "once", "ok": True, "seq": 13},
        {"op": "event", "t": 10, "reader": "s", "seq": 10, "id": "a"},
        {"op": "event", "t": 10, "reader": "s", "seq": 11, "id": "b"},
        {"op": "gap", "t": 11, "reader": "s", "from": 12, "to": 12},
        {"op": "event", "t": 12, "reader": "s", "seq": 13, "id": "once"},
        {"op": "offer", "t": 11, "group": "g", "worker": "w1", "seq": 10, "attempt": 1, "id": "a"},
        {"op": "settle", "t": 12, "group": "g", "worker": "w1", "seq": 10, "attempt": 1, "verb": "nack"},
        {"op": "settled", "t": 13, "group": "g", "worker": "w1", "seq": 10, "attempt": 1, "ok": True},
        {"op": "offer", "t": 14, "group": "g", "worker": "w2", "seq": 10, "attempt": 2, "id": "a"},
        {"op": "settle", "t": 15, "group": "g", "worker": "w2", "seq": 10, "attempt": 2, "verb": "ack",
         "emits": [{"id": "e1", "topic": "out.1"}, {"id": "e2", "topic": "out.1"}]},
        {"op": "settled", "t": 16, "group": "g", "worker": "w2", "seq": 10, "attempt": 2, "ok": True},
        {"op": "offer", "t": 17, "group": "g", "worker": "w1", "seq": 11, "attempt": 1, "id": "b"},
        {"op": "settle", "t": 18, "group": "g", "worker": "w1", "seq": 11, "attempt": 1, "verb": "ack",
         "emits": [{"id": "e3", "topic": "out.2"}]},
        {"op": "settled", "t": 19, "group": "g", "worker": "w1", "seq": 11, "attempt": 1, "ok": False, "code": "stale"},
        {"op": "offer", "t": 20, "group": "g", "worker": "w2", "seq": 11, "attempt": 2, "id": "b"},
        {"op": "settle", "t": 21, "group": "g", "worker": "w2", "seq": 11, "attempt": 2, "verb": "ack"},
        {"op": "offer", "t": 22, "group": "g", "worker": "w1", "seq": 12, "attempt": 1, "id": "kept"},
        {"op": "settle", "t": 23, "group": "g", "worker": "w1", "seq": 12, "attempt": 1, "verb": "reject"},
        {"op": "settled", "t": 24, "group": "g", "worker": "w1", "seq": 12, "attempt": 1, "ok": True},
        {"op": "offer", "t": 25, "group": "g", "worker": "w1", "seq": 13, "attempt": 1, "id": "once"},
        {"op": "log", "seq": 10, "id": "a", "topic": "docs.1", "key": "k", "token": "T"},
        {"op": "log", "seq": 11, "id": "b", "topic": "docs.2", "key": "k"},
        {"op": "log", "seq": 12, "id": "kept", "topic": "docs.4"},
        {"op": "log", "seq": 13, "id": "once", "topic": "docs.6"},
        {"op": "log", "seq": 20, "id": "e1", "topic": "out.1"},
        {"op": "log", "seq": 21, "id": "e2", "topic": "out.1"},
        {"op": "dead", "group": "g", "seq": 12},
        {"op": "log_read", "gap": False, "dead": True},
    ]


class Checks(unittest.TestCase):
    def bites(self, check, change):
        lines = copy.deepcopy(good())
        lines = change(lines) or lines
        found, _ = checker.verdict(sorted(lines, key=lambda line: line.get("t", 1 << 63)))
        self.assertIn(check, {name for name, _ in found}, found)

    @staticmethod
    def find(lines, op, **fields):
        return next(line for line in lines if line["op"] == op and all(line.get(k) == v for k, v in fields.items()))

    def change(self, op, values, **fields):
        return lambda lines: self.find(lines, op, **fields).update(values)

    @staticmethod
    def drop(op, **fields):
        return lambda lines: [line for line in lines
                              if not (line["op"] == op and all(line.get(k) == v for k, v in fields.items()))]

    @staticmethod
    def add(*more):
        return lambda lines: lines + list(more)

    def test_a_good_history_passes(self):
        found, tally = checker.verdict(good())
        self.assertEqual(found, [])
        self.assertEqual((tally["ok"], tally["unknown"], tally["refused"]), (4, 2, 1))

    def test_an_answer_without_a_call_is_caught(self):
        self.bites("wellformed", self.add({"op": "answer", "t": 30, "id": "?", "ok": True, "seq": 1}))

    def test_a_last_read_that_was_cut_short_is_caught(self):
        self.bites("wellformed", self.drop("log_read"))

    def test_a_lost_ok_is_caught(self):
        self.bites("log_set", self.drop("log", id="b"))

    def test_an_ok_under_another_seq_is_caught(self):
        self.bites("log_set", self.change("answer", {"seq": 14}, id="b"))

    def test_a_refused_publish_in_the_log_is_caught(self):
        self.bites("log_set", self.add({"op": "log", "seq": 30, "id": "no", "topic": "docs.5"}))

    def test_an_unknown_publish_that_happened_twice_is_caught(self):
        self.bites("log_set", self.add({"op": "log", "seq": 30, "id": "kept", "topic": "docs.4"}))

    def test_a_log_out_of_order_is_caught(self):
        self.bites("log_order", self.change("log", {"seq": 22}, id="e1"))

    def test_a_logged_event_from_nowhere_is_caught(self):
        self.bites("nothing_from_nowhere", self.add({"op": "log", "seq": 30, "id": "ghost", "topic": "docs.9"}))

    def test_an_offer_from_nowhere_is_caught(self):
        self.bites("nothing_from_nowhere", self.change("offer", {"id": "ghost"}, id="kept"))

    def test_an_offer_of_another_event_under_a_seq_is_caught(self):
        self.bites("nothing_from_nowhere", self.change("offer", {"seq": 13}, id="kept"))

    def test_an_order_against_real_time_is_caught(self):
        def swap(lines):
            for row in lines:
                if row.get("id") in ("a", "b") and "seq" in row:
                    row["seq"] = 21 - row["seq"]
        self.bites("real_time_order", swap)

    def test_an_ok_that_a_drained_group_never_settled_is_caught(self):
        def never(lines):
            return [line for line in lines if line["op"] not in ("settle", "settled", "dead") or line["seq"] != 12]
        self.bites("total_queue", never)

    def test_a_reject_without_its_dead_letter_is_caught(self):
        self.bites("dead_letters", self.drop("dead"))

    def test_two_dead_letters_of_one_event_are_caught(self):
        self.bites("dead_letters", self.add({"op": "dead", "group": "g", "seq": 12}))

    def test_a_dead_letter_of_an_event_that_was_acked_is_caught(self):
        self.bites("dead_letters", self.add({"op": "dead", "group": "g", "seq": 10}))

    def test_an_offer_after_the_settle_was_answered_is_caught(self):
        self.bites("nothing_after_settle",
                   self.add({"op": "offer", "t": 26, "group": "g", "worker": "w2", "seq": 12, "attempt": 2, "id": "kept"}))

    def test_two_accepted_settles_are_caught(self):
        self.bites("one_settle", self.add(
            {"op": "settle", "t": 26, "group": "g", "worker": "w2", "seq": 12, "attempt": 2, "verb": "ack"},
            {"op": "settled", "t": 27, "group": "g", "worker": "w2", "seq": 12, "attempt": 2, "ok": True}))

    def test_an_attempt_given_twice_is_caught(self):
        self.bites("one_holder",
                   self.add({"op": "offer", "t": 22, "group": "g", "worker": "w2", "seq": 12, "attempt": 1, "id": "kept"}))

    def test_an_overlap_within_a_key_is_caught(self):
        self.bites("key_order", self.change("offer", {"t": 14}, seq=11, attempt=1))

    def test_order_holds_within_a_priority(self):
        lines = good()
        self.change("offer", {"t": 14}, seq=11, attempt=1)(lines)
        self.change("log", {"priority": 3}, seq=11)(lines)
        found, _ = checker.verdict(sorted(lines, key=lambda line: line.get("t", 1 << 63)))
        self.assertNotIn("key_order", {name for name, _ in found}, found)

    def test_a_delayed_event_stands_at_its_new_place_and_was_told_its_first(self):
        lines = [line for line in good() if line.get("id") not in ("once",) and line.get("seq") != 13]
        lines += [{"op": "publish", "t": 9, "id": "later", "topic": "late.1"}, {"op": "answer", "t": 10, "id": "later", "ok": True, "seq": 14},
                  {"op": "log", "seq": 30, "first": 14, "id": "later", "topic": "late.1"}]
        lines = [line for line in lines if line["op"] != "log_read"] + [self.find(lines, "log_read")]
        self.assertEqual(checker.verdict(sorted(lines, key=lambda line: line.get("t", 1 << 63)))[0], [])
        self.find(lines, "log", id="later")["first"] = 15
        self.assertIn("log_set", {name for name, _ in checker.verdict(sorted(lines, key=lambda line: line.get("t", 1 << 63)))[0]})

    def test_a_token_with_two_seqs_is_caught(self):
        self.bites("tokens", self.change("answer", {"seq": 12}, id="a2"))

    def test_an_accepted_settle_without_its_emits_is_caught(self):
        self.bites("emits", lambda lines: self.drop("log", id="e1")(self.drop("log", id="e2")(lines)))

    def test_half_of_the_emits_is_caught(self):
        self.bites("emits", lambda lines: self.drop("log", id="e2")(self.drop("settled", seq=10, attempt=2)(lines)))

    def test_emits_of_a_refused_settle_are_caught(self):
        self.bites("emits", self.add({"op": "log", "seq": 30, "id": "e3", "topic": "out.2"}))

    def test_emits_that_do_not_stand_together_are_caught(self):
        self.bites("emits", self.change("log", {"seq": 25}, id="e2"))

    def test_at_most_once_offered_twice_is_caught(self):
        self.bites("at_most_once",
                   self.add({"op": "offer", "t": 27, "group": "g", "worker": "w2", "seq": 13, "attempt": 2, "id": "once"}))

    def test_a_gap_that_was_not_told_is_caught(self):
        self.bites("readers", self.drop("gap"))

    def test_a_repeat_to_a_reader_is_caught(self):
        self.bites("readers", self.add({"op": "event", "t": 13, "reader": "s", "seq": 11, "id": "b"}))

    def test_every_check_has_a_history_that_it_catches(self):
        bitten = set()
        for name in dir(self):
            if name.startswith("test_") and "every_check" not in name and "good" not in name and "file" not in name:
                bitten.update(word for word in getattr(Checks, name).__code__.co_consts if isinstance(word, str))
        for check in checker.CHECKS:
            self.assertIn(check.__name__.removeprefix("check_"), bitten)

    def test_a_file_cut_in_its_last_line_is_read_up_to_it(self):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "w1.jsonl")
            recorder = history.Recorder(path)
            recorder.write("publish", id="a", topic="x")
            recorder.close()
            with open(path, "ab") as file:
                file.write(b'{"op":"publish","id":"b"')
            self.assertEqual([line["id"] for line in history.load([path])], ["a"])

    def test_filters_mean_what_the_rules_say(self):
        for filter_, topic, want in [("a.*", "a.b", True), ("a.*", "a", False), ("a.>", "a", False), ("a.>", "a.b.c", True),
                                     ("a.*.c", "a.b.c", True), ("a.b", "a.b.c", False), ("*", "$sys", False)]:
            self.assertEqual(history.matches(filter_, topic), want, (filter_, topic))


if __name__ == "__main__":
    unittest.main()
