#!/usr/bin/python3
"""What the weir command prints and exits with where no event is needed: usage, keys, dev, simtest."""
import os
import re
import signal
import stat
import subprocess

from command import CommandCase, lines_of
from harness import main, program, wait_for


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


if __name__ == "__main__":
    main()
