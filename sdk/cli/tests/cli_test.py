#!/usr/bin/python3
"""The weir command against real programs: what each verb prints, and what it exits with."""
import base64
import json
import os
import re
import shlex
import signal
import stat
import subprocess
import threading
import time

from harness import DEADLINE_S, TestCase, die_with_parent, main, program, wait_for


def lines_of(text):
    return [json.loads(line) for line in text.splitlines()]


class Command:
    """A weir that goes on running; its lines of standard output are read as they come."""

    def __init__(self, weir, *arguments, stdin=subprocess.PIPE):
        self.error_path = weir.path("command.err")
        self.error = open(self.error_path, "a")
        self.process = subprocess.Popen([program("weir"), *[str(a) for a in arguments]], stdin=stdin, stdout=subprocess.PIPE, stderr=self.error,
                                        text=True, env={**os.environ, "WEIR_ENDPOINT": weir.endpoint or "", "WEIR_TENANT": "dev"},
                                        preexec_fn=die_with_parent)
        self.lines, self.ended = [], False
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
        self.ended = True

    def said(self):
        with open(self.error_path) as file:
            return file.read()[-2000:]

    def take(self, **fields):
        """The first line with these fields; it is taken out."""
        def look():
            for at, line in enumerate(self.lines):
                value = json.loads(line)
                if all(value.get(k) == v for k, v in fields.items()):
                    del self.lines[at]
                    return value
            if self.ended:
                raise AssertionError(f"it ended without {fields}: {self.lines} {self.said()}")
            return None
        return wait_for(look, f"line with {fields}; there are {self.lines}; it said {self.said()}")

    def say(self, **fields):
        self.process.stdin.write(json.dumps(fields) + "\n")
        self.process.stdin.flush()

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.end()

    def end(self):
        code = self.process.wait(DEADLINE_S)
        self.reader.join(DEADLINE_S)
        self.close()
        return code

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.error.close()
        self.process.stdout.close()
        if self.process.stdin:
            self.process.stdin.close()


class CommandCase(TestCase):
    coordinator = True

    def setUp(self):
        super().setUp()
        if self.coordinator:
            self.weir.start_coordinator()

    def start(self, *arguments, **options):
        command = Command(self.weir, *arguments, **options)
        self.addCleanup(command.close)
        return command

    def run_weir(self, *arguments, code=0, **options):
        done = self.weir.weir(*arguments, check=False, **options)
        self.assertEqual(done.returncode, code, f"{arguments}: {done.stdout[-300:]} {done.stderr[-600:]}")
        return done

    def publish(self, topic, data, *options):
        return lines_of(self.run_weir("publish", topic, data, "--json", *options).stdout)[0]

    def group(self, name):
        rows = lines_of(self.run_weir("groups", "--json").stdout)
        return next((row for row in rows if row["name"] == name), None)

    def await_worker(self, group):
        return wait_for(lambda: (self.group(group) or {}).get("workers"), f"worker of {group}")

    def script(self, text):
        path = self.weir.path("script")
        with open(path, "w") as file:
            file.write("#!/bin/sh\n" + text)
        os.chmod(path, 0o755)
        return path


class Usage(CommandCase):
    coordinator = False

    def test_an_unknown_verb_or_option_exits_with_2(self):
        for arguments in (["nonsense"], ["topics"], [], ["publish"], ["publish", "a.b", "1", "2"], ["publish", "a.b", "--nonsense"],
                          ["subscribe", "a.>", "--count", "x"], ["subscribe", "a.>", "--since", "yesterday"], ["worker", "--group", "g"],
                          ["worker", "--group", "g", "--topic", "a.>"], ["worker", "--group", "g", "--topic", "a.>", "--exec", "x", "--json-lines"],
                          ["replay", "x"], ["verify"], ["publish", "a.b", "1", "--header", "x"], ["request", "a.b", "1", "--timeout-ms", "0"],
                          ["bench", "--size", "1"], ["dlq", "list"], ["dlq", "bury", "g"], ["dlq", "show", "g"], ["dlq", "drop", "g", "1-2", "--all"], ["keys", "new", "--name", "../x", "--tenant", "t", "x"]):
            self.assertTrue(self.run_weir(*arguments, code=2).stderr, arguments)

    def test_help_is_printed_and_fits_a_screen(self):
        for arguments in (["--help"], ["help"], ["publish", "--help"], ["help", "worker"], ["replay", "-h"]):
            text = self.run_weir(*arguments).stdout
            self.assertLessEqual(len(text.splitlines()), 30, arguments)
            self.assertIn("usage: weir", text)
        self.assertRegex(self.run_weir("--version").stdout, r"^weir \d+\.\d+\.\d+$")

    def test_every_error_word_of_the_protocol_has_its_help(self):
        with open(os.path.join(os.path.dirname(__file__), "../../../proto/weir.proto")) as file:
            words = re.search(r"enum ErrorCode \{(.*?)\}", file.read(), re.S)[1]
        words = [word.lower() for word in re.findall(r"([A-Z_]+) = [1-9]\d*;", words)]
        self.assertGreater(len(words), 20)
        for word in words:
            self.assertIn(word, self.run_weir("help", "error", word).stdout)
        self.assertEqual([line["code"] for line in lines_of(self.run_weir("help", "error", "--json").stdout)], words)
        self.run_weir("help", "error", "nonsense", code=1)

    def test_no_coordinator_is_a_failure_that_says_so(self):
        done = self.run_weir("stats", "--endpoint", "ipc://" + self.weir.path("nobody"), code=1)
        self.assertIn("timeout", done.stderr)

    def test_keys_makes_a_pair_once_and_keeps_the_secret_to_its_owner(self):
        arguments = ["keys", "new", "--name", "w1", "--tenant", "acme", "--roles", "worker,client", self.weir.path("keys"), "--json"]
        made = lines_of(self.run_weir(*arguments).stdout)[0]
        self.assertEqual(stat.S_IMODE(os.stat(made["secret"]).st_mode) & 0o077, 0)
        with open(made["public"]) as file:
            text = file.read()
        self.assertIn("acme", text)
        self.assertIn("worker,client", text)
        self.assertIn(made["public_key"], text)
        self.assertNotIn("secret-key", text)
        self.run_weir(*arguments, code=1)


class Simtest(CommandCase):
    coordinator = False

    def simtest(self, path, *arguments, **options):
        return self.run_weir("simtest", os.path.join(os.path.dirname(program("weir")), "..", path), *arguments, **options)

    def test_a_sound_handler_passes_every_seed(self):
        for handler in ("lib/samples/charge_handler.so", "tests/simtest_handler_0.so"):
            tally = lines_of(self.simtest(handler, "--seeds", 60, "--json").stdout)[-1]
            self.assertEqual((tally["seeds"], tally["events"], tally["failed"]), (60, 480, 0))
            self.assertGreater(tally["faults"], 100)

    def test_an_effect_without_a_key_is_found_done_twice_and_its_seed_repeats_it(self):
        found, tally = lines_of(self.simtest("lib/samples/charge_handler_faulty.so", "--json", code=1).stdout)
        self.assertEqual(tally["failed"], 1)
        self.assertRegex(found["wrong"][0], r"^event \d+: effect charge was done \d times, without faults 1: done twice$")
        again = lines_of(self.simtest("lib/samples/charge_handler_faulty.so", "--seed", found["seed"], "--json", code=1).stdout)[0]
        self.assertEqual((again["seed"], again["wrong"]), (found["seed"], found["wrong"]))
        self.assertTrue(set(found["happened"]) <= set(again["happened"]), again)

    def test_an_effect_after_the_ack_is_found_lost(self):
        found = lines_of(self.simtest("tests/simtest_handler_1.so", "--json", code=1).stdout)[0]
        self.assertIn("effect mail was done 0 times, without faults 1: lost", found["wrong"][0])

    def test_a_handler_that_settles_nothing_is_refused_before_any_fault(self):
        self.assertIn("without any fault", self.simtest("tests/simtest_handler_2.so", code=1).stderr)

    def test_an_object_without_a_handler_is_refused(self):
        self.assertIn("weir_simtest_handler", self.simtest("tests/libpower_shim.so", code=1).stderr)
        self.assertIn("No such file", self.simtest("tests/nothing.so", code=1).stderr)


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


class DeadLetters(CommandCase):
    """A worker whose command says what becomes of an event: `bad` is rejected, `busy` asks for a retry, anything else is acked."""

    def start_worker(self, mood):
        self.mood = self.weir.path("mood")
        self.set_mood(mood)
        script = self.script(f'case "$(cat {self.mood})" in good) exit 0;; busy) echo "still busy" >&2; exit 75;; *) exit 1;; esac\n')
        command = self.start("worker", "--group", "g", "--topic", "jobs.>", "--exec", script, "--json", "--max-deliveries", "2")
        self.await_worker("g")
        return command

    def set_mood(self, mood):
        with open(self.mood, "w") as file:
            file.write(mood)

    def letters(self):
        return lines_of(self.run_weir("dlq", "list", "g", "--json").stdout)

    def await_letters(self, count):
        def look():
            rows = self.letters()
            return [rows] if len(rows) == count else None
        return wait_for(look, f"{count} dead letters")[0]

    def test_what_a_group_gives_up_is_listed_shown_retried_and_dropped(self):
        self.start_worker("bad")
        first = self.publish("jobs.1", '{"page":1}', "--key", "k1")
        second = self.publish("jobs.2", '{"page":2}')
        rows = self.await_letters(2)
        self.assertEqual([row["seq"] for row in rows], [first["seq"], second["seq"]])
        self.assertEqual({row["reason"] for row in rows}, {"rejected"})
        self.assertIn("rejected", self.run_weir("dlq", "list", "g").stdout)

        shown = lines_of(self.run_weir("dlq", "show", "g", first["event"], "--json").stdout)
        self.assertEqual(len(shown), 1)
        self.assertEqual((shown[0]["event"], shown[0]["topic"], shown[0]["key"], shown[0]["data"]),
                         (first["event"], "jobs.1", "k1", {"page": 1}))
        self.assertEqual((shown[0]["dead"]["reason"], shown[0]["dead"]["attempts"]), ("rejected", 1))
        self.assertTrue(shown[0]["dead"]["worker"])
        self.assertIn("jobs.2", self.run_weir("dlq", "show", "g", "--all").stdout)

        self.set_mood("good")
        self.assertEqual(lines_of(self.run_weir("dlq", "retry", "g", first["event"], "--json").stdout), [{"retried": 1}])
        self.assertEqual([row["seq"] for row in self.await_letters(1)], [second["seq"]])
        wait_for(lambda: self.group("g")["acked"] == 1, "the retried event is acked")

        self.assertIn("dropped 1", self.run_weir("dlq", "drop", "g", "--all").stdout)
        self.assertEqual(self.letters(), [])
        self.run_weir("dlq", "show", "g", second["event"], code=1)
        self.run_weir("dlq", "retry", "g", second["event"], code=1)
        self.run_weir("dlq", "list", "nobody", code=1)

    def test_attempts_are_counted_to_the_groups_limit(self):
        self.start_worker("busy")
        event = self.publish("jobs.1", "1")
        row = self.await_letters(1)[0]
        self.assertEqual((row["seq"], row["reason"], row["attempts"]), (event["seq"], "max_deliveries", 2))

    def test_letters_survive_a_kill_of_the_coordinator(self):
        self.start_worker("bad")
        event = self.publish("jobs.1", '"one"')
        self.await_letters(1)
        self.weir.coordinator.kill()
        self.weir.start_coordinator()
        self.assertEqual(lines_of(self.run_weir("dlq", "show", "g", str(event["seq"]), "--json").stdout)[0]["data"], "one")
        self.set_mood("good")
        self.run_weir("dlq", "retry", "g", "--all")
        self.await_letters(0)


class Admin(CommandCase):
    def test_groups_and_stats_have_tables_and_json(self):
        command = self.start("worker", "--group", "g", "--topic", "a.>", "--topic", "b.*", "--exec", "true")
        self.await_worker("g")
        sent = self.publish("a.b", "1")
        row = wait_for(lambda: self.group("g")["acked"] == 1 and self.group("g"), "the ack")
        self.assertEqual((row["tenant"], row["filters"], row["workers"], row["delivered"]), ("dev", ["a.>", "b.*"], 1, 1))
        self.assertGreaterEqual(row["head"], sent["seq"])
        table = self.run_weir("groups").stdout.splitlines()
        self.assertIn("group", table[0])
        self.assertIn("a.> b.*", table[1])
        self.run_weir("groups", "nobody", code=1)
        stats = lines_of(self.run_weir("stats", "--json").stdout)[0]
        self.assertGreaterEqual(stats["published"], 1)
        self.assertIn("published", self.run_weir("stats").stdout)
        command.stop()

    def damage(self, directory):
        """One wrong byte in the middle of the largest file of the database."""
        paths = [os.path.join(where, name) for where, _, names in os.walk(directory) for name in names if name.endswith((".sst", ".log", ".blob"))]
        path = max(paths, key=os.path.getsize)
        with open(path, "r+b") as file:
            file.seek(os.path.getsize(path) // 2)
            byte = file.read(1)
            file.seek(-1, 1)
            file.write(bytes([byte[0] ^ 0xFF]))

    def test_bench_settles_all_it_published(self):
        result = lines_of(self.run_weir("bench", "--events", "5000", "--json", timeout_s=120).stdout)[0]
        self.assertEqual((result["accepted"], result["settled"], result["refused"]), (5000, 5000, 0))
        self.assertIn("fsync", result["durability"])
        self.assertGreater(result["latency_us"]["p50"], 0)
        paced = lines_of(self.run_weir("bench", "--events", "200", "--rate", "1000", "--json", timeout_s=120).stdout)[0]
        self.assertEqual(paced["settled"], 200)
        self.assertIn("settled", self.run_weir("bench", "--events", "100").stdout)

    def test_verify_reads_every_block_and_finds_damage(self):
        self.run_weir("publish", "a.b", "--lines", stdin="".join(f'"line {i}"\n' for i in range(2000)))
        self.assertEqual(self.weir.coordinator.stop(), 0)
        found = lines_of(self.run_weir("verify", self.weir.path("data"), "--json").stdout)[0]
        self.assertGreaterEqual(found["records"], 2000)
        self.assertIn("all fine", self.run_weir("verify", self.weir.path("data")).stdout)
        self.damage(self.weir.path("data"))
        self.assertIn("weir-coordinator: ", self.run_weir("verify", self.weir.path("data"), code=1).stderr)
        self.run_weir("verify", self.weir.path("nowhere"), code=1)


class Replay(CommandCase):
    def setUp(self):
        super().setUp()
        self.sent = [self.publish(f"docs.{i % 2}.new", json.dumps({"n": i}), "--session", f"s{i % 3}") for i in range(12)]
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


class Keys(CommandCase):
    """Certificates of weir keys between the coordinator and the command: the key alone says tenant and roles."""
    coordinator = False

    def setUp(self):
        super().setUp()
        own = self.make("coordinator", "--roles", "coordinator", directory="own")
        self.server_key = own["public_key"]
        self.make("peer", "--tenant", "acme", "--roles", "worker,client")
        self.make("reader", "--tenant", "acme", "--roles", "admin")
        os.rename(self.weir.path("known/peer.cert_secret"), self.weir.path("peer.cert_secret"))
        os.rename(self.weir.path("known/reader.cert_secret"), self.weir.path("reader.cert_secret"))
        with open(self.weir.path("weir.conf"), "w") as file:
            file.write(f"[tenants]\nnames = acme, other\n[curve]\ncertificates = {self.weir.path('known')}\nkey = {own['public']}\n")
        started = self.weir.start("weir-coordinator", ["--config", self.weir.path("weir.conf"), "--data", self.weir.path("data"), "--listen",
                                                       "tcp://127.0.0.1:0", "--http", "off", "--log-format", "json"])
        self.weir.endpoint = started.ready["listen"]

    def make(self, name, *arguments, directory="known"):
        return lines_of(self.run_weir("keys", "new", "--name", name, *arguments, self.weir.path(directory), "--json").stdout)[0]

    def with_key(self, name, *arguments, **options):
        return self.run_weir(*arguments, "--certificate", self.weir.path(name), "--server-key", self.server_key, **options)

    def test_a_known_key_is_let_in_to_its_tenant_only(self):
        self.with_key("peer.cert_secret", "publish", "a.b", "1", "--tenant", "acme")
        self.assertIn("forbidden", self.with_key("peer.cert_secret", "publish", "a.b", "1", "--tenant", "other", code=1).stderr)
        self.assertIn("published", self.with_key("reader.cert_secret", "stats", "--tenant", "acme").stdout)
        self.assertIn("forbidden", self.with_key("reader.cert_secret", "publish", "a.b", "1", "--tenant", "acme", code=1).stderr)

    def test_a_stranger_is_not_let_in(self):
        self.make("stranger", "--tenant", "acme", directory="elsewhere")
        self.with_key("elsewhere/stranger.cert_secret", "publish", "a.b", "1", "--tenant", "acme", code=1)
        self.run_weir("publish", "a.b", "1", "--tenant", "acme", code=1)
        self.run_weir("publish", "a.b", "1", "--certificate", self.weir.path("peer.cert_secret"), code=1)


class Dev(CommandCase):
    coordinator = False

    def test_dev_serves_an_echo_and_leaves_nothing_behind(self):
        command = self.start("dev", "--free-ports", "--data", self.weir.path("dev"), "--json")
        ready = command.take(event="ready")
        self.weir.endpoint = ready["endpoint"]
        self.assertEqual(self.run_weir("request", "echo.x", '{"a":1}').stdout, '{"a":1}\n')
        self.assertEqual(command.stop(signal.SIGINT), 0)
        self.assertEqual(subprocess.run(["pgrep", "-f", self.weir.path("dev")], capture_output=True).stdout, b"")

    def test_a_killed_dev_takes_its_programs_along(self):
        command = self.start("dev", "--free-ports", "--data", self.weir.path("dev"), "--json")
        command.take(event="ready")
        command.stop(signal.SIGKILL)
        wait_for(lambda: subprocess.run(["pgrep", "-f", self.weir.path("dev")], capture_output=True).stdout == b"", "end of its programs")


if __name__ == "__main__":
    main()
