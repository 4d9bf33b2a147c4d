#!/usr/bin/python3
"""The weir command against real programs: what admins see and do."""
import os

from command import CommandCase, lines_of
from harness import main, wait_for


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


if __name__ == "__main__":
    main()
