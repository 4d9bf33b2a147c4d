#!/usr/bin/python3
"""The weir command against real programs: publish, subscribe, request, replay."""
import base64
import json
import os
import shlex
import time

from command import CommandCase, lines_of
from harness import main, program


class Publish(CommandCase):
    def test_one_event_gets_its_id_and_a_token_is_taken_once(self):
        first = self.publish("a.b", '{"x": 1}', "--key", "k", "--session", "s", "--type", "t", "--header", "h=v=w")
        self.assertRegex(first["event"], r"^[0-9a-f]{16}-\d+$")
        self.assertFalse(first["duplicate"])
        taken = self.publish("a.c", "1", "--token", "t-1")
        again = self.publish("a.d", "2", "--token", "t-1")
        self.assertEqual((again["event"], again["duplicate"], taken["duplicate"]), (taken["event"], True, False))
        self.assertIn("accepted before", self.run_weir("publish", "a.c", "1", "--token", "t-1").stdout)
        event = lines_of(self.run_weir("subscribe", "a.>", "--since", "start", "--count", "1", "--json").stdout)[0]
        self.assertEqual({**event, "time": ""}, {"topic": "a.b", "event": first["event"], "seq": first["seq"], "time": "", "key": "k",
                                                 "session": "s", "event_type": "t", "headers": {"h": "v=w"}, "data": {"x": 1}})

    def test_a_delayed_event_comes_when_it_is_due_under_its_id(self):
        later = self.publish("a.later", "1", "--delay-ms", "300")
        due = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() + 2)) + ".5Z"
        latest = self.publish("a.latest", "2", "--not-before", due)
        now = self.publish("a.now", "3")
        events = lines_of(self.run_weir("subscribe", "a.>", "--since", "start", "--count", "3", "--json").stdout)
        self.assertEqual([event["event"] for event in events], [now["event"], later["event"], latest["event"]])
        self.assertNotIn("cursor", events[0])
        self.assertTrue(events[2]["cursor"].endswith(str(events[2]["seq"])))
        self.assertEqual(lines_of(self.run_weir("subscribe", "a.>", "--since", events[1]["cursor"], "--count", "1", "--json").stdout), events[2:])
        self.run_weir("publish", "a.b", "1", "--not-before", "15m", code=2)
        self.assertIn("bad_request", self.run_weir("publish", "a.b", "1", "--delay-ms", "5", "--at-most-once", code=1).stderr)

    def test_an_at_most_once_event_is_for_who_is_there(self):
        event = self.publish("a.b", "1", "--at-most-once")
        stored = lines_of(self.run_weir("subscribe", "a.b", "--since", "start", "--stored", "--json").stdout)
        self.assertEqual([line["event"] for line in stored], [event["event"]])

    def test_data_comes_from_standard_input_and_passes_byte_for_byte(self):
        self.run_weir("publish", "a.b", stdin='{"n":1.0e2,\n "s":"\\u00e9"}')
        self.run_weir("publish", "a.b", stdin="no JSON \u00e9\n")
        text = self.run_weir("subscribe", "a.b", "--since", "start", "--count", "2", "--json").stdout.splitlines()
        self.assertTrue(text[0].endswith('"data":{"n":1.0e2,  "s":"\\u00e9"}}'), text[0])
        self.assertEqual(base64.b64decode(json.loads(text[1])["data_base64"]).decode(), "no JSON \u00e9\n")

    def test_lines_are_events_in_order(self):
        done = self.run_weir("publish", "a.b", "--lines", stdin="".join(f"{i}\n" for i in range(5000)))
        self.assertIn("5000 accepted", done.stdout)
        events = lines_of(self.run_weir("subscribe", "a.b", "--since", "start", "--count", "5000", "--json").stdout)
        self.assertEqual([event["data"] for event in events], list(range(5000)))
        answers = lines_of(self.run_weir("publish", "a.c", "--lines", "--json", stdin="1\n2\n3\n").stdout)
        self.assertEqual(sorted(answer["line"] for answer in answers), [1, 2, 3])
        stored = lines_of(self.run_weir("subscribe", "a.c", "--since", "start", "--stored", "--json").stdout)
        self.assertEqual({answer["event"] for answer in answers}, {event["event"] for event in stored})

    def test_a_refusal_is_told_and_exits_with_1(self):
        self.assertIn("forbidden", self.run_weir("publish", "$sys.x", "1", code=1).stderr)
        done = self.run_weir("publish", "a..b", "1", "--json", code=1)
        self.assertEqual(lines_of(done.stdout)[0]["type"], "error")


class Subscribe(CommandCase):
    def test_since_last_and_live_are_in_order_without_a_gap(self):
        ids = [self.publish("a.b", str(i))["event"] for i in range(20)]
        after = lines_of(self.run_weir("subscribe", "a.>", "--since", ids[9], "--count", "10", "--json").stdout)
        self.assertEqual([event["event"] for event in after], ids[10:])
        last = lines_of(self.run_weir("subscribe", "a.*", "--last", "3", "--count", "3", "--json").stdout)
        self.assertEqual([event["event"] for event in last], ids[17:])
        command = self.start("subscribe", "a.b", "--last", "1", "--json")
        command.take(data=19)
        self.publish("a.b", "20")
        self.publish("x.y", "21")
        self.publish("a.b", "22")
        command.take(data=20)
        command.take(data=22)
        self.assertEqual(command.lines, [])
        self.assertEqual(command.stop(), 0)

    def test_stored_ends_where_the_log_ends(self):
        self.publish("a.b", "1")
        self.publish("a.c", "2")
        self.assertEqual(len(lines_of(self.run_weir("subscribe", "a.>", "--stored", "--json").stdout)), 2)
        self.assertEqual(self.run_weir("subscribe", "z.>", "--stored", "--json").stdout, "")

    def test_tail_shows_everything_in_readable_lines(self):
        self.publish("a.b", '{"x":1}', "--key", "k")
        self.publish("c.d", '{"text":"' + "long " * 100 + '"}')
        lines = self.run_weir("tail", "--count", "2").stdout.splitlines()
        self.assertRegex(lines[0], r'^\d\d:\d\d:\d\d\.\d{3} \d+ a\.b key=k \{"x":1\}$')
        self.assertLess(len(lines[1]), 250)
        self.assertNotIn("\033", lines[0])


class Request(CommandCase):
    def test_no_worker_and_no_answer_are_errors_with_their_words(self):
        self.assertIn("no_worker", self.run_weir("request", "nobody.here", "1", code=1).stderr)
        worker = self.start("worker", "--group", "g", "--topic", "slow.>", "--json-lines")
        self.await_worker("g")
        done = self.run_weir("request", "slow.x", "1", "--timeout-ms", "300", "--json", code=1)
        self.assertIn(lines_of(done.stdout)[-1]["code"], ("timeout", "expired"))
        worker.stop()

    def test_a_rejected_request_is_an_error(self):
        worker = self.start("worker", "--group", "g", "--topic", "ask.>", "--exec", "exit 1")
        self.await_worker("g")
        done = self.run_weir("request", "ask.x", "1", "--json", code=1)
        self.assertEqual(lines_of(done.stdout)[-1]["type"], "error")
        worker.stop()


class Replay(CommandCase):
    def setUp(self):
        super().setUp()
        self.sent = [self.publish(f"docs.{i % 2}.new", json.dumps({"n": i}), "--session", f"s{i % 3}", "--priority", i * 3 % 4) for i in range(12)]
        self.publish("other.x", "1")
        self.worker = self.script(f"""exec {shlex.quote(program("weir"))} worker --group again --topic 'docs.>' --exec \
'cat >> {self.weir.path("seen")}; echo " $WEIR_REPLAY $WEIR_EVENT" >> {self.weir.path("seen")}' --json > {self.weir.path("worker.out")}""")

    def replay(self, *arguments, code=0):
        if os.path.exists(self.weir.path("seen")):
            os.remove(self.weir.path("seen"))
        done = self.run_weir("replay", self.weir.path("data"), "--json", *arguments, "--", self.worker, code=code, timeout_s=120)
        with open(self.weir.path("seen")) as file:
            return lines_of(done.stdout)[-1], [line.split() for line in file.read().splitlines()]

    def test_a_stopped_directory_is_replayed_in_order_and_left_as_it_is(self):
        self.assertEqual(self.weir.coordinator.stop(), 0)
        for _ in range(2):
            summary, seen = self.replay()
            self.assertEqual((summary["group"], summary["acked"]), ("again", 12))
            self.assertEqual([line[-1] for line in seen], [sent["event"] for sent in self.sent])
            self.assertEqual({line[-2] for line in seen}, {"1"})

    def test_at_the_original_speed_all_come_in_the_order_of_the_log_whatever_their_priority(self):
        self.assertEqual([line[-1] for line in self.replay("--speed", "original")[1]], [sent["event"] for sent in self.sent])

    def test_a_directory_in_use_is_replayed_while_it_goes_on(self):
        summary, seen = self.replay("--session", "s1")
        self.assertEqual([line[-1] for line in seen], [sent["event"] for sent in self.sent[1::3]])
        self.assertEqual(summary["acked"], 4)
        self.publish("docs.9.new", "1")
        self.assertIsNone(self.group("again"))

    def test_an_endpoint_is_replayed_with_the_ids_it_gave(self):
        def replay(*arguments):
            if os.path.exists(self.weir.path("seen")):
                os.remove(self.weir.path("seen"))
            self.run_weir("replay", self.weir.endpoint, *arguments, "--", self.worker, timeout_s=120)
            with open(self.weir.path("seen")) as file:
                return [line.split()[-1] for line in file.read().splitlines()]
        self.assertEqual(replay(), [sent["event"] for sent in self.sent])
        self.assertEqual(replay("--session", "s2"), [sent["event"] for sent in self.sent[2::3]])
        self.assertEqual(replay("--topic", "docs.1.*", "--since", self.sent[4]["seq"]), [sent["event"] for sent in self.sent[5::2]])
        self.assertEqual(replay("--event", self.sent[7]["event"]), [self.sent[7]["event"]])

    def test_filters_and_places_choose_what_is_replayed(self):
        self.assertEqual([line[-1] for line in self.replay("--topic", "docs.1.*")[1]], [sent["event"] for sent in self.sent[1::2]])
        self.assertEqual([line[-1] for line in self.replay("--event", self.sent[5]["event"])[1]], [self.sent[5]["event"]])
        chosen = self.replay("--since", self.sent[2]["seq"], "--until", self.sent[6]["event"], "--speed", "step")[1]
        self.assertEqual([line[-1] for line in chosen], [sent["event"] for sent in self.sent[3:7]])
        stored = lines_of(self.run_weir("subscribe", "docs.>", "--since", "start", "--stored", "--json").stdout)
        before = [event["event"] for event in stored if event["time"] < stored[8]["time"]]
        self.assertEqual([line[-1] for line in self.replay("--until", stored[8]["time"])[1]], before)
        since = [event["event"] for event in stored if event["time"] >= stored[8]["time"]]
        self.assertEqual([line[-1] for line in self.replay("--since", stored[8]["time"])[1]], since)

    def test_a_program_that_fails_fails_the_replay(self):
        self.run_weir("replay", self.weir.path("data"), "--", "false", code=1)
        self.run_weir("replay", self.weir.path("data"), "--", "/nowhere/to/be/found", code=1)


if __name__ == "__main__":
    main()
