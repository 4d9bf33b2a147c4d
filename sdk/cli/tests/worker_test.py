#!/usr/bin/python3
"""The weir command against real programs: workers of any program."""
import base64
import signal
import subprocess

from command import CommandCase, lines_of
from harness import DEADLINE_S, main, wait_for


class Worker(CommandCase):
    def test_a_command_gets_the_event_and_its_exit_code_settles(self):
        script = self.script(f"""
input=$(cat)
echo "$WEIR_TOPIC $WEIR_KEY $WEIR_SESSION $WEIR_ATTEMPT $WEIR_REPLAY $WEIR_EVENT $WEIR_TOKEN $input" >> {self.weir.path("seen")}
[ "$input" = again ] && [ "$WEIR_ATTEMPT" = 1 ] && exit 75
[ "$input" = bad ] && exit 3
exit 0
""")
        command = self.start("worker", "--group", "g", "--topic", "jobs.>", "--exec", script, "--json")
        self.await_worker("g")
        good = self.publish("jobs.x", "good", "--key", "k", "--session", "s", "--token", "t1")
        bad, again = self.publish("jobs.x", "bad"), self.publish("jobs.x", "again")
        self.assertEqual(command.take(event=good["event"])["settled"], "ack")
        self.assertEqual(command.take(event=bad["event"])["settled"], "reject")
        self.assertEqual(command.take(event=again["event"], attempt=1)["settled"], "nack")
        self.assertEqual(command.take(event=again["event"], attempt=2)["settled"], "ack")
        with open(self.weir.path("seen")) as file:
            seen = file.read().splitlines()
        self.assertEqual(seen[0].split()[:6] + seen[0].split()[-1:], ["jobs.x", "k", "s", "1", "0", good["event"], "good"])
        row = wait_for(lambda: self.group("g")["floor"] >= again["seq"] and self.group("g"), "the group's floor")
        self.assertEqual((row["acked"], row["nacked"], row["rejected"], row["leased"]), (2, 1, 1, 0))
        self.assertEqual(command.stop(), 0)

    def test_its_output_answers_a_request_also_a_large_one(self):
        command = self.start("worker", "--group", "g", "--topic", "ask.>", "--exec", "cat; printf ' from %s' \"$WEIR_TOPIC\"", "--handlers", "2")
        self.await_worker("g")
        data = "x" * 50000
        self.assertEqual(self.run_weir("request", "ask.me", stdin=data).stdout, data + " from ask.me\n")
        self.assertEqual(command.stop(signal.SIGINT), 0)

    def test_a_command_that_takes_too_long_is_ended_with_its_children(self):
        script = self.script(f"echo $$ > {self.weir.path('pid')}\nsleep 1000 & wait")
        command = self.start("worker", "--group", "g", "--topic", "jobs.>", "--exec", script, "--exec-timeout-ms", "500", "--json", "--lease-ms", "2000")
        self.await_worker("g")
        slow = self.publish("jobs.x", "1")
        self.assertEqual(command.take(event=slow["event"])["settled"], "nack")
        with open(self.weir.path("pid")) as file:
            group = int(file.read())
        self.assertEqual(subprocess.run(["pgrep", "-g", str(group), "sleep"], capture_output=True).stdout, b"")
        command.stop()

    def test_options_that_differ_from_the_groups_are_a_conflict(self):
        command = self.start("worker", "--group", "g", "--topic", "jobs.>", "--exec", "true")
        self.await_worker("g")
        done = self.run_weir("worker", "--group", "g", "--topic", "other.>", "--exec", "true", code=1)
        self.assertIn("conflict", done.stderr)
        command.stop()


class Lines(CommandCase):
    def start_lines(self, *arguments):
        command = self.start("worker", "--group", "g", "--topic", "jobs.>", "--json-lines", *arguments)
        self.await_worker("g")
        return command

    def test_a_delivery_is_a_line_and_a_verb_settles_it(self):
        command = self.start_lines()
        sent = self.publish("jobs.x", '{"a": 1.0}', "--key", "k", "--session", "s")
        delivery = command.take(event=sent["event"])
        self.assertEqual({k: delivery[k] for k in ("seq", "topic", "key", "session", "attempt", "replay", "data")},
                         {"seq": sent["seq"], "topic": "jobs.x", "key": "k", "session": "s", "attempt": 1, "replay": False, "data": {"a": 1}})
        self.assertEqual(delivery["lease_ms"], 30000)
        self.assertTrue(delivery["token"])
        command.say(delivery=delivery["delivery"], verb="emit", topic="out.x", data={"made": "here"}, key="k2")
        command.say(delivery=delivery["delivery"], verb="extend", lease_ms=60000)
        command.say(delivery=delivery["delivery"], verb="ack")
        self.assertTrue(command.take(delivery=delivery["delivery"])["settled"])
        event = lines_of(self.run_weir("subscribe", "out.>", "--since", "start", "--stored", "--json").stdout)[0]
        self.assertEqual((event["data"], event["key"], event["cause_seq"]), ({"made": "here"}, "k2", sent["seq"]))
        command.say(delivery=delivery["delivery"], verb="ack")
        self.assertEqual(command.take(delivery=delivery["delivery"]), {"delivery": delivery["delivery"], "settled": False, "code": "stale"})
        self.assertEqual(command.stop(), 0)

    def test_a_nack_brings_it_back_and_a_reject_ends_it(self):
        command = self.start_lines()
        sent = self.publish("jobs.x", "no JSON")
        first = command.take(event=sent["event"])
        self.assertEqual(base64.b64decode(first["data_base64"]), b"no JSON")
        command.say(delivery=first["delivery"], verb="nack", delay_ms=1, reason="not now")
        second = command.take(event=sent["event"], attempt=2)
        self.assertEqual(second["token"], first["token"])
        command.say(delivery=second["delivery"], verb="reject", reason="never")
        self.assertTrue(command.take(delivery=second["delivery"])["settled"])
        self.assertEqual(self.group("g")["rejected"], 1)

    def test_data_of_a_reply_passes_byte_for_byte_after_partials(self):
        command = self.start_lines()
        asking = self.start("request", "jobs.ask", '{"q":1}', "--json")
        delivery = command.take(topic="jobs.ask")
        self.assertTrue(delivery["request"])
        for i in range(3):
            command.say(delivery=delivery["delivery"], verb="partial", data={"piece": i})
        command.process.stdin.write('{"delivery":%d, "verb":"reply", "data": {"n" : 1.50}}\n' % delivery["delivery"])
        command.process.stdin.flush()
        self.assertEqual([asking.take(type="partial", index=i)["data"]["piece"] for i in range(3)], [0, 1, 2])
        self.assertEqual(asking.end(), 0)
        self.assertTrue(asking.lines[-1].endswith('"data":{"n" : 1.50}}'), asking.lines)

    def test_lines_that_cannot_be_read_are_refused_and_hurt_nothing(self):
        command = self.start_lines()
        sent = self.publish("jobs.x", "1")
        delivery = command.take(event=sent["event"])["delivery"]
        command.process.stdin.write("nonsense\n[1]\n\n")
        command.say(delivery=delivery, verb="dance")
        command.say(delivery=delivery, verb="emit", topic="a..b", data=1)
        command.say(delivery=delivery, verb="reply", data=1)
        command.say(delivery=delivery + 1, verb="extend")
        for fields in ({"code": "bad_frame"}, {"code": "bad_frame"}, {"verb": "dance", "code": "bad_request"}, {"verb": "emit"},
                       {"verb": "reply"}, {"verb": "extend", "code": "stale"}):
            self.assertFalse(command.take(**fields)["ok"])
        command.say(delivery=delivery, verb="ack")
        self.assertTrue(command.take(delivery=delivery, settled=True))

    def test_the_end_of_its_input_gives_back_what_is_held(self):
        command = self.start_lines()
        sent = self.publish("jobs.x", "1")
        command.take(event=sent["event"])
        command.process.stdin.close()
        self.assertEqual(command.process.wait(DEADLINE_S), 0)
        again = self.start_lines()
        again.take(event=sent["event"])


if __name__ == "__main__":
    main()
