#!/usr/bin/python3
"""Groups as a person at the prompt has them: made by the configuration or by a worker."""
import datetime
import json
import time

from harness import TestCase, main, wait_for
from wire import Peer, event

CONFIG = """
[group ocr]
filters = docs.*.uploaded, mail.>
lease = 10s
start = first
[group recent]
filters = docs.>
start = 1h
"""


class Groups(TestCase):
    def groups(self):
        return {line["name"]: line for line in map(json.loads, self.weir.weir("groups", "--json").stdout.splitlines())}

    def publish(self, count, topic="docs.1.uploaded"):
        with Peer(self.weir.endpoint) as peer:
            peer.hello("CLIENT")
            first = peer.publish(*[event(topic, f'{{"n":{i}}}') for i in range(count)])
            return [peer.outcome(first + i)[1] for i in range(count)]

    def worker(self, *arguments):
        """`weir worker …` in the background."""
        return self.weir.background("worker", *arguments)

    def configure(self, text):
        with open(self.weir.path("groups.conf"), "w", encoding="utf-8") as file:
            file.write(text)
        return ["--config", self.weir.path("groups.conf")]

    def warnings(self, event_name):
        return [line for line in self.weir.coordinator.lines() if line.get("event") == event_name]

    def test_sections_of_the_configuration_make_groups_once(self):
        self.weir.start_coordinator(*self.configure(CONFIG))
        wait_for(lambda: len(self.groups()) == 2, "both groups")
        self.assertEqual(self.groups()["ocr"]["filters"], ["docs.*.uploaded", "mail.>"])
        self.publish(3)
        worker = self.worker("--group", "ocr", "--topic", "mail.>", "--topic", "docs.*.uploaded", "--exec", "true")
        wait_for(lambda: self.groups()["ocr"]["acked"] == 3, "acks")
        worker.stop()
        self.assertEqual(self.weir.coordinator.stop(), 0)
        self.weir.start_coordinator(*self.configure(CONFIG.replace("lease = 10s", "lease = 20s")))
        wait_for(lambda: self.warnings("group_differs"), "a warning")
        self.assertIn("lease_ms", self.warnings("group_differs")[0]["reason"])
        self.assertEqual(len(self.groups()), 2)
        self.assertEqual(self.groups()["ocr"]["workers"], 0)

    def json(self, *arguments):
        return [json.loads(line) for line in self.weir.weir(*arguments, "--json").stdout.splitlines()]

    def test_a_group_is_paused_moved_changed_and_deleted_at_the_prompt(self):
        self.weir.start_coordinator()
        worker = self.worker("--group", "g", "--topic", "docs.>", "--exec", "true")
        wait_for(lambda: self.groups().get("g", {}).get("workers") == 1, "the worker")
        seqs = self.publish(5)
        wait_for(lambda: self.groups()["g"]["acked"] == 5, "acks")
        self.assertIn("paused", self.weir.weir("group", "pause", "g").stdout)
        late = self.publish(3)
        wait_for(lambda: self.groups()["g"]["lag"] == 3, "a lag of 3")
        self.assertEqual(self.groups()["g"]["wait"], "paused")
        self.assertEqual([row["wait"] for row in self.json("why", late[0])], ["paused"])
        self.assertEqual([row["wait"] for row in self.json("why", seqs[0])], ["settled"])
        wait_for(lambda: self.weir.metric("group_lag_events", 'group="g"') == 3, "the metric")
        self.assertEqual(self.weir.metric("group_paused", 'group="g"'), 1)
        self.weir.weir("group", "resume", "g")
        wait_for(lambda: self.groups()["g"]["acked"] == 8, "acks")
        self.weir.weir("group", "seek", "g", "first")
        wait_for(lambda: self.groups()["g"]["acked"] == 16, "all of it again")
        self.assertEqual(self.groups()["g"]["generation"], 2)
        refused = self.weir.weir("group", "delete", "g", check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("stop them first", refused.stderr)
        self.assertEqual(worker.stop(), 0)
        wait_for(lambda: self.groups()["g"]["workers"] == 0, "nobody")
        place = self.json("group", "set", "g", "--topic", "mail.>", "--lease-ms", 5000)[0]["seq"]
        self.assertGreater(place, late[-1])
        self.assertEqual((self.groups()["g"]["filters"], self.groups()["g"]["lease_ms"]), (["mail.>"], 5000))
        self.publish(2)
        mail = self.publish(1, "mail.x")
        self.assertEqual([row["wait"] for row in self.json("why", mail[0])], ["no_worker"])
        self.assertIn("no_worker", self.weir.weir("group", "show", "g").stdout)
        self.weir.weir("group", "delete", "g")
        self.assertEqual(self.groups(), {})

    def test_what_fails_in_a_mass_waits_for_the_budget_of_retries(self):
        budget = "[group g]\nfilters = docs.>\nbackoff = 1ms\nretry_percent = 1\nretry_floor = 1\n"
        self.weir.start_coordinator(*self.configure(budget))
        mended = self.weir.path("mended")
        self.worker("--group", "g", "--topic", "docs.>", "--handlers", 8, "--exec", f"test -e '{mended}' || exit 75")
        wait_for(lambda: self.groups()["g"]["workers"] == 1, "the worker")
        seqs = self.publish(40)
        wait_for(lambda: self.groups()["g"]["retries_waiting"] >= 25, "retries that wait")
        self.assertEqual(self.groups()["g"]["wait"], "retry_budget")
        self.assertIn("wait for the budget of retries", self.weir.weir("group", "show", "g").stdout)
        self.assertIn("retry_budget", [row["wait"] for seq in seqs for row in self.json("why", seq)])
        wait_for(lambda: self.weir.metric("group_retries_waiting", 'group="g"') >= 25, "the metric")
        self.assertGreaterEqual(self.weir.metric("retries_delayed_total"), 25)
        refused = self.weir.weir("group", "set", "g", "--retry-floor", 1000001, check=False)
        self.assertIn("retry_floor is 1 to 1000000", refused.stderr)
        open(mended, "w", encoding="utf-8").close()
        self.weir.weir("group", "set", "g", "--retry-floor", 1000000)
        wait_for(lambda: self.groups()["g"]["acked"] == 40, "all of them")

    def test_a_delayed_event_says_until_when(self):
        self.weir.start_coordinator()
        self.worker("--group", "g", "--topic", "docs.>", "--exec", "true")
        wait_for(lambda: self.groups().get("g", {}).get("workers") == 1, "the worker")
        soon = self.weir.weir("publish", "docs.1", "{}", "--delay-ms", 100).stdout.strip()
        late = self.weir.weir("publish", "docs.1", "{}", "--delay-ms", 600000).stdout.strip()
        row = self.json("why", late)[0]
        self.assertEqual(row["wait"], "delayed")
        self.assertIn("until", row)
        wait_for(lambda: self.json("why", soon)[0]["wait"] == "settled", "the end of the first one")

    def test_a_worker_begins_at_a_time(self):
        self.weir.start_coordinator()
        early = self.publish(2)
        between = time.time() + 0.01
        wait_for(lambda: time.time() > between + 0.01, "the next moment")
        self.publish(2)
        start = datetime.datetime.fromtimestamp(between, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
        self.worker("--group", "late", "--topic", "docs.>", "--start", start, "--exec", "true")
        wait_for(lambda: self.groups().get("late", {}).get("acked") == 2, "acks of the later half")
        self.assertGreaterEqual(self.groups()["late"]["floor"], max(early))


if __name__ == "__main__":
    main()
