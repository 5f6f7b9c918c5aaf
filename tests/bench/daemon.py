"""How long a service takes from its start until 200 targets on 4 discovery addresses are logged in to, with an empty state
directory and with that of the run before."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(ROOT, "tests", "harness"))
import peers  # noqa: E402
import ports  # noqa: E402

ADDRESSES, TARGETS, RUNS = 4, 50, 5
GOAL = 5  # seconds


class EmbeddedGroup(peers.Embedded):
    """The project's own target with a share of the targets, each with a disk."""

    def __init__(self, build, group):
        super().__init__(build)
        self.names = ["%s:group-%d-%02d" % (peers.PREFIX, group, number) for number in range(TARGETS)]

    def options(self):
        disks = (("--target", name, "--lun", "ram:64K") for name in self.names)
        return ["--portal", "127.0.0.1:0", *(word for disk in disks for word in disk)]


class TgtdGroup(peers.Tgtd):
    """The same of tgtd, which takes long to make disks: its targets have none."""

    def __init__(self, group):
        super().__init__()
        self.group = group

    def configure(self):
        self.wait(lambda: self.try_admin("target", "show").returncode == 0, "tgtd's control socket")
        for number in range(TARGETS):
            self.add_target("group-%d-%02d" % (self.group, number), disks=0)


def sessions(build, environment):
    listed = subprocess.run([os.path.join(build, "iscsicli"), "SessionList"], env=environment, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, text=True, check=False).stdout
    return len(re.findall(r"^\s*Connection Id +: ", listed, re.M))


def one_start(build, state):
    environment = dict(os.environ, ISCSIDSC_STATE=state, ISCSIDSC_SERVICE="require")
    begin = time.monotonic()
    service = subprocess.Popen([os.path.join(build, "iscsidscd"), "--foreground"], stderr=subprocess.DEVNULL,
                               env=environment, preexec_fn=peers.die_with_parent)
    try:
        ports.wait_until(lambda: sessions(build, environment) == ADDRESSES * TARGETS, "all sessions", 60)
        return time.monotonic() - begin
    finally:
        service.send_signal(signal.SIGTERM)
        service.wait(30)


def measure(build, kind, targets):
    cold, again = [], []
    for _ in range(RUNS):
        with tempfile.TemporaryDirectory(prefix="iscsidsc-bench-") as state:
            with open(os.path.join(state, "iscsi.conf"), "w") as file:
                file.write("".join("DiscoveryAddress = %s\n" % target.portals[0] for target in targets))
            cold.append(one_start(build, state))
            again.append(one_start(build, state))
    for name, times in ("empty state", cold), ("second start", again):
        print("  %-10s %-14s %5.2f s (%.2f to %.2f)" % (kind, name, sorted(times)[RUNS // 2], min(times), max(times)))
    return max(cold + again) < GOAL


def main():
    build = os.path.abspath(sys.argv[1])
    print("%d targets on %d discovery addresses, median of %d (goal: %d s)" % (ADDRESSES * TARGETS, ADDRESSES, RUNS, GOAL))
    good = True
    for kind, make in ("embedded", lambda group: EmbeddedGroup(build, group)), ("tgtd", TgtdGroup):
        targets = [make(group) for group in range(ADDRESSES)]
        try:
            for target in targets:
                target.start()
            good = measure(build, kind, targets) and good
        finally:
            for target in targets:
                target.stop()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
