#!/usr/bin/python3
"""kill -9 with events in flight: coordinator, gateway, workers and publishers in turn and all at once, at random times under load; then
everything is drained and the history checker judges what the clients saw. A kill alone shows recovery, not durability: the kernel keeps what a dead process wrote.
With --power the machine goes down with the coordinator: what it had not synced is thrown away.

  kill_loop.py [--rounds N] [--seed S] [--victims coordinator,gateway,worker,publisher,everything] [--power] [--durability HOW] [--expect-losses]
"""
import argparse
import sys

from load import Load, add_options
from power import Power

SETTINGS = {"WEIR_COORDINATOR_PEERS_ADOPT_GRACE": "300ms",  # a killed worker never comes back for what it held
            "WEIR_COORDINATOR_LOG_SNAPSHOT_BLOCKS": "50"}  # several in each life


class KillLoop(Load):
    def __init__(self, options):
        super().__init__(options)
        self.drains = self.web.delays = not options.expect_losses  # what is lost cannot be settled, nor told from what is delayed
        self.power = Power(self.weir, self.rng) if options.power else None
        self.victims = options.victims.split(",")

    def start_coordinator(self):
        environment = {**SETTINGS, **(self.power.environment if self.power else {})}
        self.weir.start_coordinator("--durability", self.options.durability, environment=environment)

    def break_things(self, number):
        victim = self.victims[number % len(self.victims)]
        getattr(self, "kill_" + victim)()
        return f"{victim} killed"

    def kill_coordinator(self):
        self.weir.coordinator.kill()
        self.restart_coordinator()

    def restart_coordinator(self):
        if self.power:
            self.power.off()
        self.start_coordinator()

    def kill_gateway(self):
        self.weir.gateway.kill()
        self.weir.start_gateway()

    def kill_worker(self):
        name = self.rng.choice(sorted(self.workers))
        group, worker = self.workers.pop(name)
        worker.kill()
        self.start_worker(group)

    def kill_publisher(self):
        self.publisher.kill()
        self.start_publisher()

    def kill_everything(self):
        """At one moment, as when the machine goes down."""
        groups = [group for group, _ in self.workers.values()]
        for victim in (self.weir.coordinator, self.weir.gateway, self.publisher, *(worker for _, worker in self.workers.values())):
            victim.kill()
        self.workers.clear()
        self.restart_coordinator()
        self.weir.start_gateway()
        for group in groups:
            self.start_worker(group)
        self.start_publisher()

    def tally(self):
        return self.power.tally() if self.power else {}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser, rounds=20)
    parser.add_argument("--victims", default="coordinator,gateway,worker,publisher,everything")
    parser.add_argument("--power", action="store_true", help="what the coordinator did not sync is gone with it")
    parser.add_argument("--durability", default="fsync", help="of the coordinator: fsync, interval:MS or os")
    parser.add_argument("--expect-losses", action="store_true", help="fail if nothing was lost: shows that the checks bite")
    options = parser.parse_args()
    loop = KillLoop(options)
    found, losses = loop.run()
    return loop.clean(losses > 0 if options.expect_losses else not found)


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    sys.exit(main())
