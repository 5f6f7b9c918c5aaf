"""A list of a thousand sessions: in process, through the service, and from Wine through the service; and what an idle
session weighs. In one run against one target."""

import os
import re
import signal
import subprocess
import sys
import tempfile

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(ROOT, "tests", "harness"))
import peers  # noqa: E402
import ports  # noqa: E402
import wineprefix  # noqa: E402

SESSIONS, CALLS = 1000, 200
TARGET = peers.PREFIX + ":open"


def private_memory(pid):
    """KiB of memory that the process has written to."""
    with open("/proc/%d/smaps_rollup" % pid) as rollup:
        return int(re.search(r"Private_Dirty:\s+(\d+) kB", rollup.read()).group(1))


class Bench:
    """One run of bench_service. `pid` is the process whose memory counts, by default its own."""

    def __init__(self, command, portal, environment, pid=None):
        address, port = portal.rsplit(":", 1)
        with subprocess.Popen([*command, address, port, TARGET, str(SESSIONS), str(CALLS)], env=environment, text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as program:
            self.expect(program, "ready")
            before = private_memory(pid or program.pid)
            self.go_on(program)
            self.expect(program, "logged-in")
            self.kib = (private_memory(pid or program.pid) - before) / SESSIONS
            self.go_on(program)
            line = program.stdout.readline()
            self.median = int(re.search(r"sessions %d .*median_us (\d+)" % SESSIONS, line).group(1))

    def expect(self, program, word):
        line = program.stdout.readline().strip()
        if line != word:
            raise RuntimeError("bench_service said %r instead of %s" % (line, word))

    def go_on(self, program):
        program.stdin.write("\n")
        program.stdin.flush()


def in_process(build, portal, state):
    return Bench([os.path.join(build, "bench_service")], portal,
                 dict(os.environ, ISCSIDSC_STATE=state, ISCSIDSC_SERVICE="never"))


def start_service(build, state):
    service = subprocess.Popen([os.path.join(build, "iscsidscd"), "--foreground"], stderr=subprocess.DEVNULL,
                               env=dict(os.environ, ISCSIDSC_STATE=state), preexec_fn=peers.die_with_parent)
    ports.wait_until(lambda: os.path.exists(os.path.join(state, "door.port")), "the service")
    return service


def through_service(build, windows_build, portal, state):
    """The native bench, and the one under Wine (None without it)."""
    service = start_service(build, state)
    try:
        environment = dict(os.environ, ISCSIDSC_STATE=state, ISCSIDSC_SERVICE="require")
        native = Bench([os.path.join(build, "bench_service")], portal, environment, service.pid)
        program = os.path.join(windows_build, "bench_service.exe")
        if not os.path.exists(program):
            return native, None
        prefix = wineprefix.WinePrefix(windows_build)
        prefix.start()
        environment = dict(prefix.environment(), ISCSIDSC_STATE=wineprefix.windows_path(state),
                           ISCSIDSC_SERVICE="require")
        return native, Bench([*prefix.wine, program], portal, environment, service.pid)
    finally:
        service.send_signal(signal.SIGTERM)
        service.wait(30)


def main():
    build = os.path.abspath(sys.argv[1])
    windows_build = os.path.join(os.path.dirname(build), "win64")
    with peers.Embedded(build) as target, tempfile.TemporaryDirectory(prefix="iscsidsc-bench-") as directory:
        states = [os.path.join(directory, name) for name in ("process", "service")]
        for state in states:
            os.mkdir(state, 0o700)
        own = in_process(build, target.portals[0], states[0])
        native, wine = through_service(build, windows_build, target.portals[0], states[1])
    print("GetIScsiSessionList with %d sessions, median of %d calls" % (SESSIONS, CALLS))
    print("  in process               %6d us" % own.median)
    print("  through the service      %6d us  %.2f times" % (native.median, native.median / own.median))
    if wine:
        print("  from Wine                %6d us  %.2f times" % (wine.median, wine.median / own.median))
    print("memory of an idle session (goal: 7 KiB)")
    print("  in process               %6.1f KiB" % own.kib)
    print("  in the service           %6.1f KiB" % native.kib)
    return 0


if __name__ == "__main__":
    sys.exit(main())
