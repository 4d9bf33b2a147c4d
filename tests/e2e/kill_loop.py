#!/usr/bin/python3
"""kill -9 with events in flight: coordinator, gateway and workers in turn, at random times under load; then everything is drained and
the history checker judges what the clients saw. A kill shows recovery, not durability: the kernel keeps what a dead process wrote.

  kill_loop.py [--rounds N] [--seed S] [--victims coordinator,gateway,worker]
"""
import argparse
import asyncio
import glob
import json
import random
import shutil
import sys
import tempfile
import time

from harness import DEADLINE_S, Socket, Weir, wait_for

import checker  # noqa: E402  (harness has put tests/checker into the path)
import history  # noqa: E402
from wire import read_log  # noqa: E402

GROUPS = {"mixed": ["load.>"], "second": ["load.1", "load.*.web"]}
DRAIN_S = 120
OUTSTANDING = 50  # publishes of one socket without an answer
CONNECTION_LOST = (OSError, EOFError, asyncio.TimeoutError, AssertionError)


class Load:
    """Publishers and a reader over the gateway; the SDK's publisher and workers are processes of their own."""

    def __init__(self, weir, rng):
        self.weir, self.rng, self.stopping = weir, rng, False
        self.oks = 0

    async def publisher(self, name):
        """Over a WebSocket that is opened again whenever it ends. What had no answer then stays unknown."""
        recorder, number = history.Recorder(self.weir.path(name + ".jsonl")), 0
        while not self.stopping:
            try:
                socket = await Socket.open(self.weir.port)
            except (*CONNECTION_LOST, Exception):  # a gateway that is just starting answers in many ways
                await asyncio.sleep(0.02)
                continue
            open_calls = asyncio.Semaphore(OUTSTANDING)
            answers = asyncio.create_task(self.take_answers(socket, recorder, open_calls))
            try:
                while not self.stopping and not answers.done():
                    if await self.room(open_calls, answers):
                        number += 1
                        await self.publish(socket, recorder, f"{name}-{number}")
                        await asyncio.sleep(self.rng.uniform(0, 0.01))
                if self.stopping:
                    await asyncio.wait_for(self.all_answered(open_calls, answers), DEADLINE_S)
            except Exception:  # the connection is gone; websockets has many words for it
                pass
            answers.cancel()
            await asyncio.gather(answers, return_exceptions=True)
            await asyncio.gather(socket.connection.close(), return_exceptions=True)

    @staticmethod
    async def room(open_calls, answers):
        waiting = asyncio.create_task(open_calls.acquire())
        await asyncio.wait({waiting, answers}, return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            waiting.cancel()
        return waiting.done()

    @staticmethod
    async def all_answered(open_calls, answers):
        for _ in range(OUTSTANDING):
            if not await Load.room(open_calls, answers):
                return

    async def publish(self, socket, recorder, id_):
        topic, key = f"load.{self.rng.randrange(5)}.web", f"k{self.rng.randrange(10)}"
        recorder.write("publish", id=id_, topic=topic, key=key)
        await socket.send({"type": "publish", "id": id_, "topic": topic, "key": key, "data": {"id": id_, "pad": "x" * self.rng.randrange(300)}})

    async def take_answers(self, socket, recorder, open_calls):
        while True:
            frame = json.loads(await socket.connection.recv())
            for answer in frame if isinstance(frame, list) else [frame]:
                if answer.get("id") is None or answer["type"] not in ("ok", "error"):
                    continue
                if answer["type"] == "ok":
                    recorder.write("answer", id=answer["id"], ok=True, seq=answer["seq"], duplicate=answer["duplicate"])
                    self.oks += 1
                elif answer["code"] != "internal":  # `internal` after a lost uplink: the outcome is unknown
                    recorder.write("answer", id=answer["id"], ok=False, code=answer["code"])
                open_calls.release()

    async def reader(self, name):
        """One subscription that goes on after its last event whenever the connection ends."""
        recorder, last = history.Recorder(self.weir.path(name + ".jsonl")), None
        recorder.write("reader", reader=name, filter="load.>", cursor=0)
        while not self.stopping:
            try:
                socket = await Socket.open(self.weir.port)
                ok = await socket.call("subscribe", topic="load.>", since=last or "start")
                if ok["type"] != "ok" or ok["gap"]:
                    raise AssertionError(f"subscribe since {last}: {ok}")
                while True:
                    event = await socket.take(type="event")
                    recorder.write("event", reader=name, seq=event["seq"], id=event["data"]["id"])
                    last = event["event"]
            except asyncio.CancelledError:
                raise
            except Exception:
                await asyncio.sleep(0.02)


class Loop:
    def __init__(self, options, directory):
        self.rng = random.Random(options.seed)
        self.options, self.weir = options, Weir(directory)
        self.load, self.workers, self.born = Load(self.weir, self.rng), {}, 0

    def start_worker(self, group):
        self.born += 1
        name = f"{group}{self.born}"
        arguments = ["--group", group, "--mode", "mixed", "--emit", "emitted", "--lease-ms", "3000", "--backoff-ms", "50", "--handlers", "2",
                     "--first", "--seed", str(self.rng.randrange(1000)), "--credit", "32"]
        for filter_ in GROUPS[group]:
            arguments += ["--topic", filter_]
        self.workers[name] = (group, self.weir.start_worker(*arguments, name=name))

    def kill(self, victim):
        if victim == "coordinator":
            self.weir.coordinator.kill()
            self.weir.start_coordinator()
        elif victim == "gateway":
            self.weir.gateway.kill()
            self.weir.start_gateway()
        else:
            name = self.rng.choice(sorted(self.workers))
            group, worker = self.workers.pop(name)
            worker.kill()
            self.start_worker(group)

    async def rounds(self):
        victims = self.options.victims.split(",")
        for number in range(self.options.rounds):
            await asyncio.sleep(self.rng.uniform(0.05, 0.6))
            victim = victims[number % len(victims)]
            await asyncio.to_thread(self.kill, victim)
            had = self.load.oks
            await asyncio.to_thread(wait_for, lambda: self.load.oks > had + 20, f"progress after round {number + 1}, {victim} killed", 60)
            print(f"round {number + 1}: {victim} killed; {self.load.oks} ok so far", flush=True)

    def histories(self):
        return history.load(sorted(glob.glob(self.weir.path("*.jsonl"))))

    def log_lines(self):
        rows, gap = read_log(self.weir.endpoint)
        lines = [{"op": "log", "seq": seq, "id": json.loads(event["data"])["id"], "topic": event["topic"].decode(), "key": event["key"].decode() or None}
                 for seq, event in rows]
        return lines + [{"op": "log_read", "gap": gap}]

    def await_drained(self):
        """Until every event in the log is settled in every group that wants it, as the clients see it."""
        groups = [{"op": "group", "group": group, "filters": filters, "drained": True} for group, filters in GROUPS.items()]

        def look():
            lines = groups + self.histories() + self.log_lines()
            left = list(checker.check_total_queue(checker.History(lines)))
            return lines if not left else None
        deadline = time.monotonic() + DRAIN_S
        while time.monotonic() < deadline:
            lines = look()
            if lines:
                return lines
            time.sleep(1)
        return groups + self.histories() + self.log_lines()  # the checker says what is left

    async def run(self):
        self.weir.start_coordinator()
        self.weir.start_gateway()
        for group in ("mixed", "mixed", "second"):
            self.start_worker(group)
        publisher = self.weir.start("e2e_publisher", ["--endpoint", self.weir.endpoint, "--name", "sdk", "--history", self.weir.path("sdk.jsonl"),
                                                      "--rate", "100"])
        publishers = [asyncio.create_task(self.load.publisher(f"web{i}")) for i in range(2)]
        reader = asyncio.create_task(self.load.reader("reader"))
        await self.rounds()
        self.load.stopping = True
        await asyncio.gather(*publishers)
        code = await asyncio.to_thread(publisher.stop, 90)
        lines = await asyncio.to_thread(self.await_drained)
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)
        if code != 0:
            raise AssertionError(f"the SDK's publisher ended with {code}: {publisher.lines()[-3:]}")
        return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--victims", default="coordinator,gateway,worker")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    directory = tempfile.mkdtemp(prefix="weir-kill-")
    loop = Loop(options, directory)
    try:
        found, tally = checker.verdict(asyncio.run(loop.run()))
    except BaseException:
        print(f"everything is kept in {directory}; again: --rounds {options.rounds} --seed {options.seed}", flush=True)
        raise
    finally:
        loop.weir.stop_all()
    for check, text in found[:50]:
        print(f"{check}: {text}")
    print(json.dumps({"rounds": options.rounds, "seed": options.seed, **tally}))
    if found:
        print(f"everything is kept in {directory}")
        return 1
    shutil.rmtree(directory, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    sys.exit(main())
