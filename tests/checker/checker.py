#!/usr/bin/env python3
"""The verdict over a history (history.py): does what clients saw keep the promises of weir? The log, read once more at the end,
is the witness of order, so nothing has to be searched. Knows nothing of weir but its promises; shares no code with it.

  checker.py FILE…    prints every violation and a tally; exit code 1 if there is one
"""
import argparse
import bisect
import collections
import json
import sys

from history import load, matches

UNKNOWN, OK, REFUSED = "unknown", "ok", "refused"
ENDS = ("ack", "reject")


class Call:
    """A publish or an emit: what was asked, and what became of it as far as its client knows."""

    def __init__(self, line, emitted_by=None):
        self.id, self.topic = line["id"], line.get("topic")
        self.key, self.session, self.token = line.get("key"), line.get("session"), line.get("token")
        self.at_most_once = line.get("semantics") == "at_most_once"
        self.called = line.get("t")
        self.outcome, self.seq, self.duplicate = UNKNOWN, None, False
        self.emitted_by = emitted_by


class Settle:
    def __init__(self, line):
        self.group, self.worker, self.seq, self.attempt = line["group"], line["worker"], line["seq"], line["attempt"]
        self.verb, self.called, self.answered, self.outcome = line["verb"], line["t"], None, UNKNOWN
        self.emits = line.get("emits", [])


class History:
    """The lines, sorted into what the checks ask for."""

    def __init__(self, lines):
        self.calls, self.settles, self.offers, self.log = {}, [], [], []
        self.groups, self.ended, self.readers = {}, set(), collections.OrderedDict()
        self.log_gap, self.log_complete = False, False
        self.dead, self.dead_read = collections.Counter(), False
        self.malformed = []
        self.last_settle = {}
        for line in lines:
            getattr(self, "take_" + line["op"])(line)
        self.seq_of = {row["id"]: row["seq"] for row in self.log}
        place_of = {row["first"]: row["seq"] for row in self.log if row.get("first")}
        self.told_of = {row["id"]: row.get("first") or row["seq"] for row in self.log}
        self.dead = collections.Counter({(group, place_of.get(seq, seq)): count for (group, seq), count in self.dead.items()})
        self.settles_of = collections.defaultdict(list)
        for settle in self.settles:
            self.settles_of[settle.group, settle.seq].append(settle)

    def take_group(self, line):
        self.groups[line["group"]] = line

    def take_publish(self, line):
        if line["id"] in self.calls:
            self.malformed.append(f"id {line['id']} is called twice")
        self.calls[line["id"]] = Call(line)

    def take_answer(self, line):
        call = self.calls.get(line["id"])
        if call is None or call.outcome != UNKNOWN:
            self.malformed.append(f"id {line['id']} has an answer and no open call")
            return
        call.answered = line["t"]
        call.outcome = OK if line["ok"] else REFUSED
        call.seq = line.get("seq")
        call.duplicate = line.get("duplicate", False) and call.token is not None  # else it is of itself, sent again

    def take_offer(self, line):
        self.offers.append(line)

    def take_settle(self, line):
        settle = Settle(line)
        self.settles.append(settle)
        self.last_settle[line["group"], line["worker"], line["seq"], line["attempt"]] = settle
        for emit in settle.emits:
            self.calls[emit["id"]] = Call({**emit, "t": line["t"]}, emitted_by=settle)

    def take_settled(self, line):
        settle = self.last_settle.get((line["group"], line["worker"], line["seq"], line["attempt"]))
        if settle is None or settle.outcome != UNKNOWN:
            self.malformed.append(f"group {line['group']} seq {line['seq']}: settled without an open settle")
            return
        settle.answered, settle.outcome = line["t"], OK if line["ok"] else REFUSED

    def take_ended(self, line):
        self.ended.add((line["group"], line["seq"]))

    def take_reader(self, line):
        self.readers[line["reader"]] = {"filter": line["filter"], "cursor": line["cursor"], "seen": [], "gaps": []}

    def take_event(self, line):
        self.readers[line["reader"]]["seen"].append(line)

    def take_gap(self, line):
        self.readers[line["reader"]]["gaps"].append((line["from"], line["to"]))

    def take_log(self, line):
        self.log.append(line)

    def take_dead(self, line):
        self.dead[line["group"], line["seq"]] += 1

    def take_log_read(self, line):
        self.log_complete, self.log_gap, self.dead_read = True, line["gap"], line.get("dead", False)


def check_wellformed(history):
    """The history itself can be judged: calls have one answer, the last read came to its end."""
    yield from history.malformed
    if not history.log_complete:
        yield "the last read of the log did not come to its end"


def check_log_set(history):
    """The log read back is all ok plus some unknown: nothing lost, nothing refused, nothing twice."""
    rows = collections.Counter(row["id"] for row in history.log)
    for id_, count in rows.items():
        if count > 1:
            yield f"id {id_} stands in the log {count} times"
        call = history.calls.get(id_)
        if call and call.outcome == REFUSED and not call.emitted_by:
            yield f"id {id_} was refused and stands in the log"
    if history.log_gap:
        return  # the window has moved on: absence proves nothing
    for call in history.calls.values():
        if call.outcome != OK or call.duplicate:
            continue
        if call.id not in rows:
            yield f"id {call.id} was answered ok (seq {call.seq}) and is not in the log"
        elif history.told_of[call.id] != call.seq:
            yield f"id {call.id} was answered seq {call.seq} and is {history.told_of[call.id]} in the log"


def check_log_order(history):
    """The last read is in the order of seq, and no seq stands for two events."""
    for before, after in zip(history.log, history.log[1:]):
        if after["seq"] <= before["seq"]:
            yield f"the log gave seq {after['seq']} (id {after['id']}) after seq {before['seq']}"


def check_nothing_from_nowhere(history):
    """What is in the log, was offered or was seen by a reader had been called, under that seq."""
    for row in history.log:
        if row["id"] not in history.calls:
            yield f"seq {row['seq']} (id {row['id']}) is in the log and nobody published it"
    seen = [("offered to " + offer["worker"], offer) for offer in history.offers]
    for name, reader in history.readers.items():
        seen += [("seen by " + name, event) for event in reader["seen"]]
    for where, line in seen:
        if line["id"] not in history.calls:
            yield f"seq {line['seq']} (id {line['id']}) was {where} and nobody published it"
        elif not history.log_gap and history.seq_of.get(line["id"]) != line["seq"]:
            if not history.calls[line["id"]].at_most_once:
                yield f"id {line['id']} was {where} as seq {line['seq']}, the log has it at {history.seq_of.get(line['id'])}"


def check_real_time_order(history):
    """ok(A) before call(B) means seq(A) < seq(B)."""
    oks = sorted((c.answered, c.seq, c.id) for c in history.calls.values()
                 if c.outcome == OK and not c.duplicate and not c.emitted_by)
    times, highest, best = [], [], (0, None)
    for answered, seq, id_ in oks:
        best = max(best, (seq, id_), key=lambda pair: pair[0])
        times.append(answered)
        highest.append(best)
    for call in history.calls.values():
        seq = call.seq if call.outcome == OK and not call.duplicate else history.told_of.get(call.id)
        before = bisect.bisect_left(times, call.called)
        if seq is not None and not call.duplicate and before and highest[before - 1][0] >= seq:
            high, id_ = highest[before - 1]
            yield f"id {id_} (seq {high}) was ok before id {call.id} was called, which has seq {seq}"


def check_total_queue(history):
    """Every ok is settled, dead-lettered, expired, or still there; in a group that was drained it is not still there."""
    for name, group in history.groups.items():
        if not group.get("drained"):
            continue
        for call in history.calls.values():
            seq = history.seq_of.get(call.id)
            if seq is None or call.at_most_once or not any(matches(f, call.topic) for f in group["filters"]):
                continue
            if seq <= group.get("start", 0) or (name, seq) in history.ended or (name, seq) in history.dead:
                continue
            settles = history.settles_of[name, seq]
            if not any(s.verb in ENDS and s.outcome in (OK, UNKNOWN) for s in settles):
                yield f"group {name} is drained, and id {call.id} (seq {seq}) was never settled"


def check_dead_letters(history):
    """What a worker rejected, and nothing that one acked, is a dead letter of the group, once."""
    if not history.dead_read:
        return
    logged = {row["seq"]: history.calls.get(row["id"]) for row in history.log}
    for (group, seq), count in history.dead.items():
        if count > 1:
            yield f"group {group} seq {seq}: {count} dead letters"
        if any(s.verb == "ack" and s.outcome == OK for s in history.settles_of[group, seq]):
            yield f"group {group} seq {seq}: acked, and a dead letter"
    for settle in history.settles:
        once = logged.get(settle.seq) is not None and logged[settle.seq].at_most_once
        if settle.verb == "reject" and settle.outcome == OK and not once and (settle.group, settle.seq) not in history.dead:
            yield f"group {settle.group} seq {settle.seq}: rejected, and no dead letter"


def check_nothing_after_settle(history):
    """Nothing is offered after its settle was answered. (An offer of an earlier attempt is a worker reading late.)"""
    for offer in history.offers:
        for settle in history.settles_of[offer["group"], offer["seq"]]:
            if settle.outcome == OK and settle.verb in ENDS and settle.answered < offer["t"] and offer["attempt"] >= settle.attempt:
                yield (f"group {offer['group']} seq {offer['seq']}: {settle.verb} of attempt {settle.attempt} was answered, "
                       f"then attempt {offer['attempt']} offered to {offer['worker']}")


def check_one_settle(history):
    """At most one accepted settle that ends an event, per group and event."""
    for (group, seq), settles in history.settles_of.items():
        ends = [s for s in settles if s.outcome == OK and s.verb in ENDS]
        if len(ends) > 1:
            who = ", ".join(f"{s.worker}/{s.attempt}" for s in ends)
            yield f"group {group} seq {seq}: {len(ends)} settles were accepted ({who})"


def check_one_holder(history):
    """An attempt is one worker's; attempts of an event rise."""
    given = {}
    for offer in history.offers:
        place = (offer["group"], offer["seq"], offer["attempt"])
        first = given.setdefault(place, offer["worker"])
        if first != offer["worker"]:
            yield f"group {place[0]} seq {place[1]}: attempt {place[2]} was given to {first} and to {offer['worker']}"


def lane_of(ordering, line):
    """None: the event waits for no other. Order holds within a priority."""
    value = "group" if ordering == "group" else line.get(ordering)
    if value is None or line.get("semantics") == "at_most_once":
        return None
    return value, line.get("priority", 0)


def check_key_order(history):
    """In an ordered group the next event of a key (session, group) is offered only after the one before it is settled."""
    for name, group in history.groups.items():
        ordering = group.get("ordering", "none")
        if ordering == "none":
            continue
        lanes = collections.defaultdict(list)
        for row in history.log:
            lane = lane_of(ordering, row)
            if lane is not None and any(matches(f, row["topic"]) for f in group["filters"]) and row["seq"] > group.get("start", 0):
                lanes[lane].append(row["seq"])
        place = {seq: (lane, i) for lane, seqs in lanes.items() for i, seq in enumerate(seqs)}
        for offer in history.offers:
            if offer["group"] != name or offer["seq"] not in place:
                continue
            lane, i = place[offer["seq"]]
            if i == 0:
                continue
            before = lanes[lane][i - 1]
            ended = (name, before) in history.ended or (name, before) in history.dead or any(
                s.verb in ENDS and s.outcome != REFUSED and s.called < offer["t"] for s in history.settles_of[name, before])
            if not ended:
                yield f"group {name} {ordering} {lane}: seq {offer['seq']} was offered while seq {before} was not settled"


def check_tokens(history):
    """One seq per token, in answers and in the log."""
    seqs = collections.defaultdict(set)
    for call in history.calls.values():
        if call.token is not None and call.outcome == OK:
            seqs[call.token].add(call.seq)
    for row in history.log:
        if row.get("token") is not None:
            seqs[row["token"]].add(row.get("first") or row["seq"])
    for token, found in seqs.items():
        if len(found) > 1:
            yield f"token {token} has the seqs {sorted(found)}"


def check_emits(history):
    """Emits stand in the log with their settle, all of them next to each other, or not at all."""
    for settle in history.settles:
        if not settle.emits:
            continue
        found = [history.seq_of[e["id"]] for e in settle.emits if e["id"] in history.seq_of]
        where = f"group {settle.group} seq {settle.seq} attempt {settle.attempt}"
        if found and settle.outcome == REFUSED:
            yield f"{where}: the settle was refused and {len(found)} of its emits are in the log"
        elif len(found) != len(settle.emits) and settle.outcome == OK and not history.log_gap:
            yield f"{where}: the settle was accepted and {len(settle.emits) - len(found)} of its emits are not in the log"
        elif found and len(found) != len(settle.emits):
            yield f"{where}: {len(found)} of {len(settle.emits)} emits are in the log"
        elif found and found != list(range(found[0], found[0] + len(found))):
            yield f"{where}: its emits do not stand together: {found}"


def check_at_most_once(history):
    """An at-most-once event is offered at most once per group."""
    count = collections.Counter((o["group"], o["id"]) for o in history.offers
                                if o["id"] in history.calls and history.calls[o["id"]].at_most_once)
    for (group, id_), offers in count.items():
        if offers > 1:
            yield f"group {group}: id {id_} is at-most-once and was offered {offers} times"


def check_readers(history):
    """A reader sees its events once, in order, and misses only what it was told is missing. (At-most-once events are for those who are live.)"""
    for name, reader in history.readers.items():
        last = reader["cursor"]
        for event in reader["seen"]:
            if event["seq"] <= last:
                yield f"reader {name} got seq {event['seq']} after seq {last}"
            last = max(last, event["seq"])
        seen = {event["seq"] for event in reader["seen"]}
        for row in history.log:
            seq = row["seq"]
            if not reader["cursor"] < seq <= last or seq in seen or not matches(reader["filter"], row["topic"]):
                continue
            call = history.calls.get(row["id"])
            if not (call and call.at_most_once) and not any(low <= seq <= high for low, high in reader["gaps"]):
                yield f"reader {name} missed seq {seq} (id {row['id']}) and was not told"


CHECKS = [check_wellformed, check_log_set, check_log_order, check_nothing_from_nowhere, check_real_time_order, check_total_queue, check_dead_letters,
          check_nothing_after_settle, check_one_settle, check_one_holder, check_key_order, check_tokens, check_emits,
          check_at_most_once, check_readers]


def verdict(lines):
    """Lines of a history -> (violations as (check, text), tally)."""
    history = History(lines)
    found = [(check.__name__.removeprefix("check_"), text) for check in CHECKS for text in check(history)]
    calls = history.calls.values()
    tally = {"published": sum(not c.emitted_by for c in calls), "ok": sum(c.outcome == OK for c in calls),
             "refused": sum(c.outcome == REFUSED for c in calls),
             "unknown": sum(c.outcome == UNKNOWN and not c.emitted_by for c in calls),
             "dead_letters": sum(history.dead.values()), "delayed": sum(bool(row.get("first")) for row in history.log),
             "duplicates": sum(c.duplicate for c in calls), "offers": len(history.offers), "redelivered": sum(o["attempt"] > 1 for o in history.offers),
             "settles": len(history.settles), "settles_ok": sum(s.outcome == OK for s in history.settles),
             "settles_refused": sum(s.outcome == REFUSED for s in history.settles), "log": len(history.log),
             "read": sum(len(r["seen"]) for r in history.readers.values()), "violations": len(found)}
    return found, tally


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="+")
    found, tally = verdict(load(parser.parse_args().file))
    for check, text in found:
        print(f"{check}: {text}")
    print(json.dumps(tally))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
