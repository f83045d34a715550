#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""bench/datapath.sh: which CPU does what, and what is skipped on a small machine. Needs no root."""
import os
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
import counted # noqa: E402

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../bench/datapath.sh")


def call(*arguments, cpus=None):
    environment = {key: value for key, value in os.environ.items() if key != "SALLYPORT_BENCH_CPUS"}
    if cpus is not None:
        environment["SALLYPORT_BENCH_CPUS"] = cpus
    return subprocess.run([SCRIPT, *arguments], env=environment, text=True, timeout=30, check=False,
                          stdin=subprocess.DEVNULL, capture_output=True)


class Plan(unittest.TestCase):
    def plan(self, cpus):
        done = call("--plan", cpus=cpus)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout.splitlines()

    def test_two_workers_where_there_are_three_cores(self):
        self.assertEqual(self.plan("0 1 2"), ["generator 0", "one worker 2", "two workers 1,2"])
        self.assertEqual(self.plan("2 4 6 8"), ["generator 2", "one worker 8", "two workers 6,8"])

    def test_two_workers_are_skipped_where_there_are_two(self):
        self.assertEqual(self.plan("0 1"), [
            "generator 0", "one worker 1", "two workers skipped: two workers and the generator need "
            "3 cores, and here are 2"])

    def test_one_core_is_too_few(self):
        done = call("--plan", cpus="0")
        self.assertEqual((done.returncode, done.stdout), (77, ""))
        self.assertIn("one core", done.stderr)

    def test_this_machine_has_a_plan(self):
        done = call("--plan")
        self.assertIn(done.returncode, (0, 77))
        if done.returncode == 0:
            used = [line.split()[-1] for line in done.stdout.splitlines()[:2]]
            self.assertLessEqual({int(cpu) for cpu in used}, os.sched_getaffinity(0))
            self.assertEqual(len(set(used)), 2)


class Use(unittest.TestCase):
    def test_help(self):
        done = call("--help")
        self.assertEqual(done.returncode, 0)
        self.assertIn("SALLYPORT_BENCH_CPUS", done.stdout)

    def test_wrong_use(self):
        for words in ([], ["--what"], ["--out", "x"]):
            self.assertEqual(call(*words).returncode, 2)


if __name__ == "__main__":
    sys.exit(counted.run(sys.modules[__name__]))
