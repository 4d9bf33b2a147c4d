"""A weir that runs in a test, and the test case that all tests of the command share."""
import json
import os
import signal
import subprocess
import threading

from harness import DEADLINE_S, TestCase, die_with_parent, program, wait_for


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
