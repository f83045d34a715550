#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Prints what the lab ran on, as JSON: {"machine": {...}}. Names no host and nobody.

usage: machine.py [--help]

With SALLYPORT_LAB_RUN in the environment, the run's id goes into it as "run".
"""
import json
import os
import re
import sys

CPUINFO = "/proc/cpuinfo"
MEMINFO = "/proc/meminfo"
CACHES = "/sys/devices/system/cpu/cpu0/cache"
# of the CPU's flags, those that decide which engines can run, and how fast
ISA = ("aes", "pclmulqdq", "avx", "avx2", "avx512f", "avx512bw", "avx512vl", "avx512ifma",
       "avx512vbmi", "vaes", "vpclmulqdq", "gfni", "sha_ni")


def read(path):
    """The file's text, or nothing if there is none."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def to_number(text):
    found = re.match(r"\s*\d+(\.\d+)?", text)
    return float(found.group()) if found else None


def first_cpu(text):
    """The first processor's lines of /proc/cpuinfo, by name."""
    pairs = (line.partition(":") for line in text.split("\n\n")[0].splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}


def integer(text):
    number = to_number(text or "")
    return None if number is None else int(number)


def tsc_mhz(cpu):
    """The kernel reckons BogoMIPS from the TSC where it uses that for its delays: twice its MHz.
    "cpu MHz" is another thing: it goes with the load."""
    twice = to_number(cpu.get("bogomips", ""))
    return None if twice is None else round(twice / 2)


def l3_kib(folder=CACHES):
    sizes = []
    try:
        names = os.listdir(folder)
    except OSError:
        return None
    for name in names:
        if read(f"{folder}/{name}/level").strip() == "3":
            size = read(f"{folder}/{name}/size").strip()
            sizes.append((integer(size) or 0) * (1024 if size.endswith("M") else 1))
    return max(sizes, default=None)


def memory(text):
    """Of /proc/meminfo: all memory, and what of it is reserved as huge pages, in MB (2**20)."""
    kib = {name: to_number(value) for name, _, value in
           (line.partition(":") for line in text.splitlines())}
    total, huge = kib.get("MemTotal"), kib.get("Hugetlb")
    return (None if total is None else round(total / 1024),
            None if huge is None else round(huge / 1024))


def describe():
    cpu = first_cpu(read(CPUINFO))
    flags = cpu.get("flags", "").split()
    total, huge = memory(read(MEMINFO))
    return {
        "cpu": cpu.get("model name", "unknown"), "vendor": cpu.get("vendor_id", "unknown"),
        "family": integer(cpu.get("cpu family")), "model": integer(cpu.get("model")),
        "cores": len(os.sched_getaffinity(0)), "tsc_mhz": tsc_mhz(cpu), "l3_kib": l3_kib(),
        "memory_mb": total, "kernel": os.uname().release, "hugepages_mb": huge,
        "isa": [flag for flag in ISA if flag in flags], "virtual": "hypervisor" in flags,
    }


def main():
    if len(sys.argv) > 1:
        asked = sys.argv[1] in ("-h", "--help")
        print(__doc__.strip(), file=sys.stdout if asked else sys.stderr)
        return 0 if asked else 2
    result = {"machine": describe()}
    if os.environ.get("SALLYPORT_LAB_RUN"):
        result["run"] = os.environ["SALLYPORT_LAB_RUN"]
    json.dump(result, sys.stdout, indent=1)
    print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
