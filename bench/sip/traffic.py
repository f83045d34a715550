# SPDX-License-Identifier: BSD-3-Clause
"""SIPp behind stunnel: the trunk's side, which is there all the time, and trials of callers or
registrations at one rate, each a SIPp of its own that counts what came of them."""
import csv
import os
import time

from processes import LabError, Process, tail, wait_listening
from products import CALLEE, DOMAIN, SIP_PORT, TRUNK, TRUNK_PORT, password, user_name

HERE = os.path.dirname(os.path.abspath(__file__))
OUT_PORT, CALLEE_PORT, CALLER_PORT = 6060, 6070, 6080
CALLERS = 4      # SIPp processes, each with one connection that its calls share, as behind proxies
CALL_MS = 200    # from ACK to BYE
GIVE_UP_S = 12   # after the last call has begun
REFUSED = "GenericCounter1(C)"

STUNNEL = """foreground = yes
pid =
debug = 3
socket = l:TCP_NODELAY=1
socket = r:TCP_NODELAY=1
[{name}]
client = {client}
accept = 127.0.0.1:{accept}
connect = 127.0.0.1:{connect}
{more}
"""


class Traffic:
    """Everything that is not measured, on one core."""

    def __init__(self, folder, core, tls, users):
        self.folder, self.core, self.users = folder, core, users
        self.next_user, self.trials = 0, 0
        os.makedirs(folder)
        trust = f"CAfile = {tls}/ca.pem\nverifyChain = yes"
        self.stunnels = [
            self.stunnel("out", "yes", OUT_PORT, SIP_PORT, f"{trust}\ncheckHost = {DOMAIN}"),
            self.stunnel("trunk", "no", TRUNK_PORT, CALLEE_PORT,
                         f"cert = {tls}/trunk.pem\nkey = {tls}/trunk.key\n{trust}")]
        self.callee = None
        self.during = None # (seconds, what to do then) of the next trial

    def stunnel(self, name, client, accept, connect, more):
        path = f"{self.folder}/stunnel-{name}.conf"
        with open(path, "w", encoding="ascii") as file:
            file.write(STUNNEL.format(name=name, client=client, accept=accept, connect=connect,
                                      more=more))
        process = Process("generator", ["stunnel", path], self.core, f"{self.folder}/stunnel.log")
        wait_listening(process, accept)
        return process

    def sipp(self, scenario, name, *more):
        return Process("generator", [
            "sipp", "-sf", f"{HERE}/{scenario}.xml", "-nostdin", "-i", "127.0.0.1",
            "-key", "domain", DOMAIN, "-key", "callee", CALLEE,
            "-key", "trunk", f"127.0.0.1:{TRUNK_PORT}", "-buff_size", "1048576",
            "-trace_err", "-error_file", f"{self.folder}/{name}-errors.log", *more],
            self.core, f"{self.folder}/{name}.log")

    def answer(self):
        """The trunk's phones are there, anew for each product."""
        if self.callee:
            self.callee.stop()
        self.callee = self.sipp("callee", "callee", "-t", "t1", "-p", str(CALLEE_PORT))
        wait_listening(self.callee, CALLEE_PORT)

    def inject(self, name, count):
        """The users of a trial: those that come next, of all."""
        path = f"{self.folder}/{name}-users.csv"
        with open(path, "w", encoding="ascii") as file:
            file.write("SEQUENTIAL\n")
            for n in range(self.next_user, self.next_user + min(count, self.users)):
                n %= self.users
                file.write(f"{user_name(n)};[authentication username={user_name(n)} "
                           f"password={password(n)}]\n")
        self.next_user = (self.next_user + count) % self.users
        return path

    def caller(self, what, number, rate, count, hold_ms, timeout_s):
        name = f"{what}-{number}"
        stats = f"{self.folder}/{name}.csv"
        if os.path.exists(stats):
            os.remove(stats)
        uri = DOMAIN if what == "register" else f"{CALLEE}@{DOMAIN}"
        return self.sipp(
            what, name, "-t", "t1", "-p", str(CALLER_PORT + number), "-inf",
            self.inject(name, count), "-auth_uri", uri, "-r", f"{1000 * rate:.0f}",
            "-rp", "1000000", "-m", str(count), "-l", str(count), "-d", str(hold_ms),
            "-trace_stat", "-stf", stats, "-fd", "1", "-timeout", f"{timeout_s:.0f}",
            "-deadcall_wait", "0", f"127.0.0.1:{OUT_PORT}"), stats

    def trial(self, product, what, rate, seconds, hold_ms=None):
        """`what` is "register" or "caller". Offers `rate` a second for so many seconds. Returns what
        came of it; CPU time by role is that from start to end."""
        if hold_ms is None:
            hold_ms = 0 if what == "register" else CALL_MS
        count = max(1, round(rate * seconds / CALLERS))
        roles = [*product.processes, *self.stunnels, self.callee]
        before = {process: process.cpu_s() for process in roles}
        began = time.monotonic()
        callers = [self.caller(what, number, rate / CALLERS, count, hold_ms,
                               seconds + GIVE_UP_S + hold_ms / 1000) for number in range(CALLERS)]
        used = {process: 0 for process, _ in callers}
        while any(process.alive() for process in used):
            for process in used:
                used[process] = max(used[process], process.cpu_s())
            if self.during and time.monotonic() - began >= self.during[0]:
                self.during[1]()
                self.during = None
            time.sleep(0.05)
        passed = time.monotonic() - began
        cpu = {"generator": sum(used.values())}
        for process, first in before.items():
            if not process.alive():
                raise LabError(f"{process.name} ended under load; its log ends:\n"
                               f"{tail(process.log)}")
            cpu[process.role] = cpu.get(process.role, 0) + process.cpu_s() - first
        for process, _ in callers:
            process.stop()
        return judge([read_stats(stats) for _, stats in callers], count * CALLERS,
                     {"offered_per_s": rate, "seconds": seconds, "hold_ms": hold_ms}, passed, cpu)

    def stop(self):
        for process in [self.callee, *self.stunnels]:
            if process:
                process.stop()


def done_until(rows, at):
    """How many were completed `at` so many seconds after the start, and when that was counted."""
    start = epoch(rows[0]["StartTime"])
    row = min(rows, key=lambda row: abs(epoch(row["CurrentTime"]) - start - at))
    return (int(row["SuccessfulCall(C)"]) - int(row.get(REFUSED) or 0),
            epoch(row["CurrentTime"]) - start)


def steady_rate(files, seconds):
    """Completed a second while calls were offered, without the first quarter of the time."""
    total = 0
    for rows in files:
        first, began = done_until(rows, seconds / 4)
        last, ended = done_until(rows, seconds)
        total += (last - first) / max(ended - began, 0.1)
    return round(total, 1)


def judge(files, count, trial, passed, cpu):
    """A trial's result, of SIPp's statistics and of who used the CPUs meanwhile."""
    rows = [file[-1] for file in files]
    refused = sum(int(row.get(REFUSED) or 0) for row in rows)
    done = sum(int(row["SuccessfulCall(C)"]) for row in rows) - refused
    took = max(epoch(row["CurrentTime"]) - epoch(row["StartTime"]) for row in rows)
    late = max(0, took - trial["seconds"] - trial["hold_ms"] / 1000)
    setup = sum(clock(row["ResponseTime1(C)"]) * int(row["SuccessfulCall(C)"]) for row in rows)
    return {**trial, "calls": count, "completed": done, "refused": refused,
            "failed": count - done - refused,
            "completed_per_s": round(done / (trial["seconds"] + late), 1),
            "steady_per_s": steady_rate(files, trial["seconds"]),
            "late_s": round(late, 3), "setup_ms": round(1000 * setup / max(done, 1), 2),
            "busy": {role: round(value / passed, 3) for role, value in cpu.items()},
            "cpu_ms": {role: round(1000 * value / max(done, 1), 4) for role, value in cpu.items()}}


def clock(text):
    """SIPp's HH:MM:SS:mmmuuu, in seconds."""
    hours, minutes, seconds, micros = text.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds) + int(micros) / 10 ** len(micros)


def epoch(text):
    """SIPp's date, time and seconds since 1970."""
    return float(text.split()[-1])


def read_stats(path):
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            rows = list(csv.DictReader(file, delimiter=";"))
    except OSError:
        rows = []
    if not rows:
        raise LabError(f"SIPp left no statistics at {path}")
    return rows
