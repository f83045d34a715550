# SPDX-License-Identifier: BSD-3-Clause
"""Processes of the SIP lab: started, pinned to a core, their CPU time and memory read, ended."""
import ctypes
import os
import signal
import subprocess
import time

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)


class LabError(Exception):
    """A sentence for whoever runs the lab."""


def die_with_parent():
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Process:
    """One program with its children, in a role: "sip", "media", "generator", ..."""

    def __init__(self, role, command, core, log):
        self.role, self.name, self.log = role, os.path.basename(command[0]), log
        with open(log, "ab") as out:
            self.child = subprocess.Popen(["taskset", "-c", str(core), *command],
                                          stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                          preexec_fn=die_with_parent)

    def alive(self):
        return self.child.poll() is None

    def pids(self):
        """This process and all that come from it."""
        found, queue = [], [self.child.pid]
        while queue:
            pid = queue.pop()
            found.append(pid)
            for task in list_folder(f"/proc/{pid}/task"):
                queue += [int(x) for x in read(f"/proc/{pid}/task/{task}/children").split()]
        return found

    def cpu_s(self):
        """Seconds on a CPU so far, of all threads that are there."""
        total = 0
        for pid in self.pids():
            for task in list_folder(f"/proc/{pid}/task"):
                words = read(f"/proc/{pid}/task/{task}/schedstat").split()
                total += int(words[0]) if words else 0
        return total / 1e9

    def memory_kib(self):
        """What is its own, and its share of what it shares (Pss)."""
        total = 0
        for pid in self.pids():
            for line in read(f"/proc/{pid}/smaps_rollup").splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
        return total

    def stop(self):
        if self.alive():
            self.child.terminate()
            try:
                self.child.wait(8)
            except subprocess.TimeoutExpired:
                self.child.kill()
        self.child.wait()


def list_folder(path):
    try:
        return os.listdir(path)
    except OSError:
        return []


def read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def tail(path, lines=12):
    return "\n".join(read(path).splitlines()[-lines:])


def run(command, **more):
    """A command that has to succeed."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, **({"stdin": subprocess.DEVNULL} | more))
    if done.returncode != 0:
        raise LabError(f"{' '.join(command)} failed: {done.stdout.strip()[-400:]}")
    return done.stdout


def listening(port):
    """Does anybody accept TCP at this port of the loopback? Asked without connecting."""
    wanted = f":{port:04X} "
    return any(wanted in line and line.split()[3] == "0A"
               for name in ("tcp", "tcp6") for line in read(f"/proc/net/{name}").splitlines())


def wait_until(process, question, seconds=20):
    """Until the question has an answer: it raises LabError while it has none."""
    until = time.monotonic() + seconds
    while True:
        try:
            return question()
        except LabError as error:
            if time.monotonic() > until or not process.alive():
                raise LabError(f"{process.name} does not start: {error}; its log ends:\n"
                               f"{tail(process.log)}") from error
        time.sleep(0.1)


def wait_listening(process, port):
    def ask():
        if not listening(port):
            raise LabError(f"nobody listens at port {port}")
    wait_until(process, ask)
