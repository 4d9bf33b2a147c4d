#!/usr/bin/python3
"""The link between the coordinator and everybody else is cut again and again, under load: two network namespaces and a veth pair between
them, one end set down. Most cuts are shorter than three heartbeats and are sat out; every tenth is longer, so that both sides give up.
Nothing is left behind: namespaces and link end with the processes that are in them. Where no namespace may be made it is skipped, with
exit code 77.

  partition_test.py [--rounds N] [--seed S]
"""
import argparse
import os
import subprocess
import sys
import time

from harness import die_with_parent
from load import Load, add_options

SKIPPED = 77
HEARTBEAT_MS = 300
THERE, HERE = "10.99.0.1", "10.99.0.2"
SETTINGS = {"WEIR_COORDINATOR_PEERS_ADOPT_GRACE": "300ms", "WEIR_COORDINATOR_PEERS_HEARTBEAT": f"{HEARTBEAT_MS}ms"}


def ip(*words, through=()):
    subprocess.run([*through, "ip", *words], check=True)


class Partition(Load):
    """This process is in a network namespace of its own, with the clients; the coordinator is in another one."""

    def __init__(self, options):
        super().__init__(options)
        self.keeper = subprocess.Popen(["unshare", "--net", "cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, preexec_fn=die_with_parent)
        self.keeper.stdin.write(b"\n")
        self.keeper.stdin.flush()
        self.keeper.stdout.read(1)  # cat runs: the namespace is there
        self.there = ["nsenter", "--net", "--target", str(self.keeper.pid)]
        ip("link", "add", "here", "type", "veth", "peer", "name", "there", "netns", str(self.keeper.pid))
        for through, name, address in (((), "here", HERE), (self.there, "there", THERE)):
            ip("link", "set", "lo", "up", through=through)
            ip("address", "add", f"{address}/24", "dev", name, through=through)
            ip("link", "set", name, "up", through=through)
        self.weir.endpoint = f"tcp://{THERE}:7400"  # nobody else is in that namespace

    def start_coordinator(self):
        self.weir.start_coordinator("--insecure", through=self.there, environment=SETTINGS)

    def break_things(self, number):
        long = number % 10 == 9
        seconds = self.rng.uniform(4, 5) * HEARTBEAT_MS / 1000 if long else self.rng.uniform(0.01, 0.3)
        ip("link", "set", "here", "down")
        time.sleep(seconds)  # the fault itself, not a wait for something
        ip("link", "set", "here", "up")
        return f"link cut for {seconds * 1000:.0f} ms"

    def end(self):
        self.keeper.kill()
        self.keeper.wait()


def enter_namespace():
    """Runs this program again in a network namespace of its own, as root or as who may be root in there; or says that it cannot."""
    for unshare in (["unshare", "--net"], ["unshare", "--map-root-user", "--net"]):
        if subprocess.run([*unshare, "ip", "link", "show"], capture_output=True).returncode == 0:
            os.execvp(unshare[0], [*unshare, sys.executable, *sys.argv, "--inside"])
    print("skipped: no network namespace can be made here (it needs root, or user namespaces, and iproute2)")
    return SKIPPED


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser, rounds=100)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not options.inside:
        return enter_namespace()
    partition = Partition(options)
    try:
        found, _ = partition.run()
    finally:
        partition.end()
    return partition.clean(not found)


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    sys.exit(main())
