"""Load for the tests that break things under it: publishers and a reader over the gateway, an SDK publisher and SDK workers as processes of
their own, all writing histories; then everything is drained and the history checker judges. What is broken, and when, the test says."""
import asyncio
import glob
import json
import random
import shutil
import tempfile
import time

from harness import DEADLINE_S, Socket, Weir, wait_for

import checker  # noqa: E402  (harness has put tests/checker into the path)
import history  # noqa: E402
from wire import ENUMS, read_log  # noqa: E402

GROUPS = {"mixed": ["load.>", "large.>"], "second": ["load.1", "load.*.web"], "ordered": ["load.>"]}
ORDERING = {"ordered": "key"}
WORKERS = ("mixed", "mixed", "second", "ordered", "ordered")
DRAIN_S, PROGRESS_S, FLUSH_S = 120, 60, 90
OUTSTANDING = 50  # publishes of one socket without an answer
LOSSES = ("log_set", "total_queue", "emits")  # the checks that find what is gone


class WebClients:
    """Publishers and a reader over the gateway. A socket is opened again whenever it ends; what had no answer then stays unknown."""

    def __init__(self, weir, rng):
        self.weir, self.rng, self.stopping, self.delays = weir, rng, False, True
        self.oks, self.told_gap = 0, None

    async def publisher(self, name):
        recorder, number = history.Recorder(self.weir.path(name + ".jsonl")), 0
        while not self.stopping:
            try:
                socket = await Socket.open(self.weir.port)
            except Exception:  # a gateway that is just starting answers in many ways
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

    @classmethod
    async def all_answered(cls, open_calls, answers):
        for _ in range(OUTSTANDING):
            if not await cls.room(open_calls, answers):
                return

    async def publish(self, socket, recorder, id_):
        fields = {"topic": f"load.{self.rng.randrange(5)}.web", "key": f"k{self.rng.randrange(10)}"}
        if self.rng.random() < 0.2:  # every other token comes again later, with another event
            fields["token"] = f"t{self.rng.randrange(200)}"
        elif self.rng.random() < 0.1:
            fields["semantics"] = "at_most_once"
        elif self.delays and self.rng.random() < 0.1:
            fields["delay_ms"] = self.rng.randrange(1, 3000)
        recorder.write("publish", id=id_, **fields)
        if self.rng.random() < 0.3:
            fields["priority"] = self.rng.randrange(4)
        await socket.send({"type": "publish", "id": id_, **fields, "data": {"id": id_, "pad": "x" * self.rng.randrange(300)}})

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
        """One subscription that goes on after its last event whenever the connection ends. Nothing leaves the window here: no gap."""
        recorder, last = history.Recorder(self.weir.path(name + ".jsonl")), None
        recorder.write("reader", reader=name, filter="load.>", cursor=0)
        while not self.told_gap:
            try:
                socket = await Socket.open(self.weir.port)
                ok = await socket.call("subscribe", topic="load.>", since=last or "start")
                if ok.get("gap"):
                    self.told_gap = f"subscribe since {last}: {ok}"
                while ok["type"] == "ok":
                    event = await socket.take(type="event")
                    recorder.write("event", reader=name, seq=event["seq"], id=event["data"]["id"])
                    last = event.get("cursor") or event["event"]
            except Exception:  # as above
                await asyncio.sleep(0.02)


class Load:
    """One run: start, `break_things`, stop, drain, judge. A test derives from it and says how the coordinator starts and what is broken."""

    faults, drains = 0, True

    def __init__(self, options):
        self.options, self.rng = options, random.Random(options.seed)
        self.weir = Weir(tempfile.mkdtemp(prefix="weir-load-"))
        self.web, self.workers, self.publisher, self.born = WebClients(self.weir, self.rng), {}, None, 0

    def start_coordinator(self):
        raise NotImplementedError

    def break_things(self, number):
        """One round; -> a few words on what was broken."""
        raise NotImplementedError

    def start_worker(self, group):
        self.born += 1
        name = f"{group}{self.born}"
        arguments = ["--group", group, "--mode", "mixed", "--emit", "emitted", "--lease-ms", "3000", "--backoff-ms", "50", "--handlers", "2",
                     "--first", "--seed", str(self.rng.randrange(1000)), "--credit", "32", "--ordering", ORDERING.get(group, "none")]
        for filter_ in GROUPS[group]:
            arguments += ["--topic", filter_]
        self.workers[name] = (group, self.weir.start_worker(*arguments, name=name))

    def start_publisher(self):
        self.born += 1
        name = f"sdk{self.born}"
        self.publisher = self.weir.start("e2e_publisher", ["--endpoint", self.weir.endpoint, "--name", name, "--history",
                                                           self.weir.path(name + ".jsonl"), "--rate", "100", "--large-every", "25"], log=name)

    async def rounds(self):
        for number in range(self.options.rounds):
            await asyncio.sleep(self.rng.uniform(0.05, 0.6))
            what = await asyncio.to_thread(self.break_things, number)
            self.faults += 1
            had = self.web.oks
            await asyncio.to_thread(wait_for, lambda: self.web.oks > had + 20, f"progress after round {number + 1}, {what}", PROGRESS_S)
            print(f"round {number + 1}: {what}; {self.web.oks} ok so far", flush=True)

    def histories(self):
        return history.load(sorted(glob.glob(self.weir.path("*.jsonl"))))

    def log_lines(self):
        rows, gap = read_log(self.weir.endpoint)
        lines = [{"op": "log", "seq": seq, "first": event["first"] or None, "id": event["type"].decode() or json.loads(event["data"])["id"], "topic": event["topic"].decode(),
                  "key": event["key"].decode() or None, "token": event["token"].decode() or None, "priority": event["priority"],
                  "semantics": "at_most_once" if event["semantics"] == ENUMS["Semantics"]["AT_MOST_ONCE"] else None}
                 for seq, event in rows]  # a large event comes without its data: it has its id as its type
        for _, event in read_log(self.weir.endpoint, "$dlq.>", role="ADMIN")[0]:
            headers = {header["name"]: header["value"].decode() for header in event["headers"]}
            lines.append({"op": "dead", "group": event["topic"].decode().removeprefix("$dlq."), "seq": int(headers[b"weir-seq"])})
        return lines + [{"op": "log_read", "gap": gap, "dead": True}]

    def await_drained(self):
        """Until every event in the log is settled in every group that wants it, as the clients see it."""
        groups = [{"op": "group", "group": group, "filters": filters, "drained": self.drains, "ordering": ORDERING.get(group, "none")}
                  for group, filters in GROUPS.items()]
        deadline = time.monotonic() + DRAIN_S
        while True:
            lines = groups + self.histories() + self.log_lines()
            so_far = checker.History(lines)
            left = [*checker.check_total_queue(so_far), *checker.check_log_set(so_far)]  # a delayed event is not in the log yet
            if not left or not self.drains or time.monotonic() > deadline:
                return lines  # the checker says what is left
            time.sleep(1)

    async def lines(self):
        """Runs it all; -> the history."""
        self.start_coordinator()
        self.weir.start_gateway()
        for group in WORKERS:
            self.start_worker(group)
        self.start_publisher()
        publishers = [asyncio.create_task(self.web.publisher(f"web{i}")) for i in range(2)]
        reader = asyncio.create_task(self.web.reader("reader"))
        await self.rounds()
        self.web.stopping = True
        await asyncio.gather(*publishers)
        code = await asyncio.to_thread(self.publisher.stop, FLUSH_S)
        lines = await asyncio.to_thread(self.await_drained)
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)
        if code != 0 and self.drains:
            raise AssertionError(f"the SDK's publisher ended with {code}: {self.publisher.lines()[-3:]}")
        return lines

    def run(self, **tally):
        """-> (the checks that found something, with what; the tally), after printing both."""
        print(f"seed {self.options.seed}", flush=True)
        try:
            found, counts = checker.verdict(asyncio.run(self.lines()))
        except BaseException:
            print(f"everything is kept in {self.weir.directory}; again: --rounds {self.options.rounds} --seed {self.options.seed}", flush=True)
            raise
        finally:
            self.weir.stop_all()
        if self.web.told_gap:
            found.append(("readers", self.web.told_gap))
        for check, text in found[:50]:
            print(f"{check}: {text}")
        losses = sum(check in LOSSES for check, _ in found)
        print(json.dumps({"rounds": self.options.rounds, "seed": self.options.seed, "events": counts["published"], "faults": self.faults,
                          "losses": losses, **counts, **self.tally()}))
        return found, losses

    def tally(self):
        return {}

    def clean(self, fine):
        """The directory stays when something is wrong."""
        if fine:
            shutil.rmtree(self.weir.directory, ignore_errors=True)
        else:
            print(f"everything is kept in {self.weir.directory}")
        return 0 if fine else 1


def add_options(parser, rounds):
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--seed", type=int, default=int(time.time()))
