# SPDX-License-Identifier: BSD-3-Clause
"""sallyctl tune on boxes that we have not: made from descriptions, looked at, tuned, and spoilt.

usage: tune_test.py SALLYCTL FIXTURES
"""
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile

SALLYCTL, FIXTURES = sys.argv[1:3]
sys.path.insert(0, FIXTURES)
import box  # noqa: E402

work = tempfile.mkdtemp(prefix="sallyport-tune-")
bad = 0
boxes = 0


def check(sentence, holds, shown=""):
    global bad
    print(f"{'ok' if holds else 'NOT OK'}: {sentence}{'' if holds else f' ({shown})'}")
    bad += not holds


def new_box(name):
    global boxes
    boxes += 1
    root = os.path.join(work, f"{name}-{boxes}")
    return root, box.make(os.path.join(FIXTURES, name + ".box"), root)


def run(root, *words):
    return subprocess.run([SALLYCTL, "tune", "--root", root, *words], capture_output=True,
                          stdin=subprocess.DEVNULL, timeout=20)


def tune(root, *words):
    done = run(root, "--json", *words)
    report = json.loads(done.stdout)
    return done.returncode, report, {line["item"]: line for line in report["lines"]}


def verdicts(what, lines, expected):
    for item, verdict, found in expected:
        line = lines.get(item, {"verdict": "no such line", "found": ""})
        check(f"{what}: {item} is {verdict}: {found}",
              line["verdict"] == verdict and found in line["found"], line)


def read(root, path):
    with open(os.path.join(root, path), encoding="ascii") as file:
        return file.read()


def write(root, path, text):
    with open(os.path.join(root, path), "w", encoding="ascii") as file:
        file.write(text)


def configure(root, text):
    os.makedirs(os.path.join(root, "etc/sallyport"), exist_ok=True)
    write(root, "etc/sallyport/sallyport.yaml", text)


def well_tuned():
    root, _ = new_box("intel-e810")
    status, report, lines = tune(root)
    check("intel: nothing is missing", status == 0 and report["verdict"] != "missing", report)
    check("intel: nothing wants a reboot", report["boot_parameters"] == "", report["boot_parameters"])
    better = [item for item, line in lines.items() if line["verdict"] != "good"]
    check("intel: only RSS could be better", better == ["0000:3b:00.0 RSS", "0000:3b:00.1 RSS"], better)
    verdicts("intel", lines, [
        ("crypto engine", "good", "avx512"), ("isolated cores", "good", "2-5,18-21"),
        ("no timer ticks", "good", "2-5"), ("SMT", "good", "two threads"), ("NUMA nodes", "good", "2"),
        ("irqbalance", "good", "running"), ("hugepages of node 0", "good", "4096 MiB free"),
        ("hugepages of node 1", "good", "0 MiB"), ("IOMMU", "good", "41 groups"),
        ("vfio-pci", "good", "loaded"), ("0000:3b:00.0 driver", "good", "E810"),
        ("0000:3b:00.1 queues", "good", "256"), ("mgmt0 driver", "good", "tg3"),
        ("mgmt0 link", "good", "1000 Mbit/s"), ("interface access", "good", "0000:3b:00.0")])
    status, report, _ = tune(root, "--apply")
    check("intel: there is nothing to apply", report["done"] == [] and len(report["not_done"]) == 1, report)


def judged_by_configuration():
    base = "media:\n  memory: hugepages\n  workers: 4\n"
    nic = "  interfaces:\n    - {name: access, device: \"%s\", address: 192.0.2.1/24}\n"
    cases = [
        ("workers of the other node", base + "  cpus: [8, 9, 10, 11]\n" + nic % "0000:3b:00.0", 0, [
            ("isolated cores", "could be better", "2-5"), ("NUMA nodes", "could be better", "2"),
            ("0000:3b:00.0 node", "could be better", "0")]),
        ("two workers on one core", base + "  cpus: [2, 18, 3, 4]\n" + nic % "3b:00.0", 0, [
            ("SMT", "could be better", ""), ("0000:3b:00.0 driver", "good", "vfio-pci")]),
        ("a CPU that is not there", base + "  cpus: [2, 3, 4, 99]\n" + nic % "0000:3b:00.0", 1, [
            ("workers", "missing", "99")]),
        ("more memory than there is", base + "  memory_mb: 8192\n  cpus: [2, 3, 4, 5]\n" + nic % "0000:3b:00.0", 1, [
            ("hugepages of node 0", "missing", "4096 MiB free")]),
        ("an absent NIC", base + nic % "0000:99:00.0", 1, [
            ("interface access", "missing", "0000:99:00.0"), ("workers", "could be better", "not set")]),
        ("an absent interface", base + nic % "net_af_xdp0,iface=none0", 1, [
            ("interface access", "missing", "none0")]),
        ("the NIC that the box lives on", base + nic % "0000:18:00.0", 1, [
            ("mgmt0 driver", "missing", "tg3")]),
    ]
    for what, text, expected, lines_expected in cases:
        root, _ = new_box("intel-e810")
        configure(root, text)
        status, _, lines = tune(root)
        check(f"{what}: exit status {expected}", status == expected, status)
        verdicts(what, lines, lines_expected)
    root, _ = new_box("intel-e810")
    configure(root, "media:\n  wrokers: 4\n")
    done = run(root)
    check("a wrong configuration is told", done.returncode == 2 and b"wrokers" in done.stderr, done)


def untuned():
    root, _ = new_box("amd-untuned")
    status, report, lines = tune(root)
    check("amd: something is missing", status == 1 and report["verdict"] == "missing", status)
    verdicts("amd", lines, [
        ("configuration", "could be better", "none"), ("crypto engine", "could be better", "avx2"),
        ("isolated cores", "could be better", "none"), ("frequency governor", "could be better", "powersave"),
        ("NMI watchdog", "could be better", "on"), ("irqbalance", "could be better", "running"),
        ("CPU mitigations", "could be better", "off"), ("transparent hugepages", "could be better", "always"),
        ("memory lock limit", "could be better", "64 MiB"), ("IOMMU", "missing", "none"),
        ("vfio-pci", "could be better", "not loaded"), ("media NIC", "good", "3 NICs, 2 free"),
        ("ens1f0 driver", "good", "i40e"), ("ens1f1 driver", "could be better", "X710"),
        ("ens2 link", "could be better", "100 Mbit/s"), ("ens2 driver", "good", "ConnectX-5")])
    check("amd: each line that is not good has reason and cure",
          all(line["reason"] and line["cure"] for line in lines.values() if line["verdict"] != "good"), lines)
    check("amd: the kernel's command line", report["boot_parameters"] ==
          "isolcpus=managed_irq,domain,1 nohz_full=1 rcu_nocbs=1 default_hugepagesz=2M hugepagesz=2M "
          "hugepages=0:128 iommu=pt", report["boot_parameters"])
    table = run(root)
    check("amd: the table says the same", table.returncode == 1 and b"could be better  NMI watchdog" in table.stdout
          and b"sysctl kernel.nmi_watchdog=0" in table.stdout, table.stdout)


MLX_AND_INTEL = """media:
  workers: 2
  memory_mb: 512
  cpus: [4, 5]
  interfaces:
    - {name: access, device: "0000:41:00.1", address: 192.0.2.1/24}
    - {name: own, device: "0000:41:00.0", address: 192.0.3.1/24}
    - {name: trunks, device: "0000:01:00.0", address: 198.51.100.1/24}
"""


def applied():
    root, _ = new_box("amd-untuned")
    configure(root, MLX_AND_INTEL)
    nodes = "sys/devices/system/node/node%d/hugepages/hugepages-2048kB/nr_hugepages"
    port = "sys/devices/pci0000:40/0000:41:00.%d/driver_override"
    status, report, lines = tune(root, "--apply")
    check("apply: hugepages on the NICs' nodes", read(root, nodes % 1) == "256\n" and
          read(root, nodes % 0) == "256\n", report)
    check("apply: the workers' governor", [read(root, f"sys/devices/system/cpu/cpu{cpu}/cpufreq/scaling_governor")
          for cpu in (3, 4, 5)] == ["powersave\n", "performance\n", "performance\n"], report)
    check("apply: without vfio-pci nothing is bound", read(root, port % 1) == "(null)\n" and
          any("0000:41:00.1: not bound: there is no vfio-pci" in deed for deed in report["not_done"]), report)
    verdicts("after apply", lines, [("frequency governor", "good", "performance"),
                                    ("ens1f0 driver", "missing", "i40e")])
    check("apply: the configured workers want a reboot",
          "isolcpus=managed_irq,domain,4-5 " in report["boot_parameters"], report["boot_parameters"])

    os.makedirs(os.path.join(root, "sys/bus/pci/drivers/vfio-pci"))
    status, report, _ = tune(root, "--apply")
    check("apply: a free NIC is bound", read(root, port % 1) == "vfio-pci\n" and
          read(root, "sys/bus/pci/drivers/i40e/unbind") == "0000:41:00.1\n" and
          read(root, "sys/bus/pci/drivers_probe") == "0000:41:00.1\n" and
          "0000:41:00.1: bound to vfio-pci" in report["done"], report)
    check("apply: the NIC under the bond that the box lives on is not",
          read(root, port % 0) == "(null)\n" and
          any("0000:41:00.0 (ens1f0): not bound" in deed and "--bind" in deed for deed in report["not_done"]), report)
    check("apply: nor one whose DPDK driver works beside the kernel's",
          any("0000:01:00.0: not bound" in deed and "beside" in deed for deed in report["not_done"]), report)
    status, report, _ = tune(root, "--apply", "--bind", "0000:41:00.0", "--bind", "0000:77:00.0")
    check("apply: unless it is named", read(root, port % 0) == "vfio-pci\n", report)
    check("apply: a NIC that is not there is told",
          any("0000:77:00.0: not bound: there is no such NIC" in deed for deed in report["not_done"]), report)


def virtual_machine():
    root, _ = new_box("vm-virtio")
    status, report, lines = tune(root)
    check("vm: nothing is missing", status == 0, report)
    verdicts("vm", lines, [
        ("crypto engine", "good", "avx512"), ("IOMMU", "good", "none"), ("vfio-pci", "good", "not in this kernel"),
        ("frequency governor", "good", "none"), ("eth0 driver", "good", "virtio-pci"), ("eth1 driver", "good", "virtio"),
        ("eth1 RSS", "good", "none"), ("workers", "could be better", "not set"),
        ("hugepages of node 0", "good", "512 MiB free")])
    configure(root, "media:\n  workers: 2\n  engine: ipsec-mb\n  interfaces:\n"
              "    - {name: access, device: \"net_af_xdp0,iface=eth1\", address: 192.0.2.1/24}\n")
    status, _, lines = tune(root)
    check("vm: two workers on one queue can't be", status == 1, status)
    verdicts("vm", lines, [("eth1 queues", "missing", "1"), ("media.engine", "could be better", "ipsec-mb")])


def usage():
    root, _ = new_box("vm-virtio")
    for words in (["--bind", "0000:41:00.0"], ["--apply", "--bind", "eth0"], ["more"], ["--frob"]):
        check(f"wrong usage: {words}", run(root, *words).returncode == 2)
    check("a root that is none", run(os.path.join(work, "nowhere")).returncode == 2)
    done = subprocess.run([SALLYCTL, "--json", "tune", "-r", root], capture_output=True, timeout=20)
    check("options may stand before the word", done.returncode == 0 and json.loads(done.stdout)["lines"] != [])


def survives(what, root, *words):
    done = run(root, "--json", *words)
    try:
        report = json.loads(done.stdout)
        good = done.returncode in (0, 1) and len(report["lines"]) > 10
    except ValueError:
        good = done.returncode == 2 and b"sallyport.yaml" in done.stderr
    if not good:
        check(what, False, (done.returncode, done.stdout[-200:], done.stderr[-300:]))
    return good


def spoil(path, kind, dice):
    if os.path.islink(path) or os.path.isfile(path):
        os.unlink(path)
    if kind == "garbage":
        with open(path, "wb") as out:
            out.write(dice.randbytes(dice.choice((1, 30, 5000, 200000))))
    elif kind == "numbers":
        with open(path, "w", encoding="ascii") as out:
            out.write(dice.choice(("-1", "99999999999999999999", "0x", "0-4294967295", "7-3", "0-4095", "1,,2",
                                   "-9223372036854775808", "\x1b[2J\n\n", "0" * 70000)))
    elif kind == "huge":
        with open(path, "wb") as out:
            out.truncate(1 << 34)
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        os.mkdir(path)
    elif kind == "loop":
        os.symlink(os.path.basename(path), path)


def hostile():
    dice = random.Random(5)
    held = True
    for kind in ("garbage", "numbers", "huge", "pipe", "folder", "loop", "gone"):
        for name in ("intel-e810", "amd-untuned"):
            root, made = new_box(name)
            # all of it, then one in ten
            for path in [path for path in made if not path.endswith(".yaml") and os.path.dirname(path) and
                         os.path.lexists(path)]:
                spoil(path, kind, dice)
            held = survives(f"{name}, all {kind}", root) and survives(f"{name}, all {kind}, applied", root, "--apply") \
                and held
            for _ in range(4):
                root, made = new_box(name)
                for path in dice.sample(made, len(made) // 10):
                    if os.path.lexists(path) and not os.path.isdir(path):
                        spoil(path, kind, dice)
                held = survives(f"{name}, some {kind}", root, "--apply") and held
                shutil.rmtree(root)
    check("garbage, huge files, pipes, folders, loops and absent files are survived", held)
    empty = os.path.join(work, "empty")
    os.mkdir(empty)
    check("an empty root is survived", survives("an empty root", empty))

    # links that lead out of the root lead back into it: nothing outside is read or written
    root, _ = new_box("amd-untuned")
    outside = os.path.join(work, "outside")
    with open(outside, "w", encoding="ascii") as out:
        out.write("7\n")
    pool = os.path.join(root, "sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages")
    for target in (outside, "../" * 20 + outside):
        os.unlink(pool)
        os.symlink(target, pool)
        _, report, _ = tune(root, "--apply")
        with open(outside, encoding="ascii") as file:
            check("nothing outside of the root is written", file.read() == "7\n", report)


try:
    well_tuned()
    judged_by_configuration()
    untuned()
    applied()
    virtual_machine()
    usage()
    hostile()
    status, report, lines = tune("/", "--config", os.path.join(FIXTURES, "../../../deploy/sallyport.yaml"))
    check("this very machine is looked at", status in (0, 1) and "crypto engine" in lines, report)
finally:
    shutil.rmtree(work)
sys.exit(1 if bad else 0)
