#!/usr/bin/env python3
"""Hundreds of logins and logouts leave nothing behind: no file, descriptor, thread, mount or loop device. A service that is
killed at any moment, its start and its end among them, leaves nothing that the next one does not clean up.

    python3 tests/harness/run.py --build BUILD -- tests/interop/test_devices_cycles.py BUILD [TEST...]

TEST_KILLS (15) is how many; TEST_SEED repeats what is done, though not to the instant.
"""

import contextlib
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "harness")]
import device_case  # noqa: E402
import test_service  # noqa: E402

SEED = int(os.environ.get("TEST_SEED", random.getrandbits(30)))
CYCLES, WARM_UP = 500, 100
GROWTH_MOST = 256  # KiB; a sanitizer keeps what was freed, and is not asked
KILLS = int(os.environ.get("TEST_KILLS", 15))
KILLED_WITHIN = 0.12  # seconds
OTHER = device_case.TARGET + "-2"


def login(target):
    return " ".join(["LoginTarget", target, "T", *["*"] * 15, "0"])


class Console:
    """iscsicli that reads its commands one by one: what hundreds of programs would cost is not what is asked here."""

    PROMPT = "Enter command or ^C to exit\n"

    def __init__(self, environment):
        self.process = subprocess.Popen([test_service.program("iscsicli")], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, bufsize=1, env=environment)
        self.output()

    def output(self):
        lines = []
        while not lines or not lines[-1].endswith(self.PROMPT):
            line = self.process.stdout.readline()
            if not line:
                raise EOFError("".join(lines))
            lines.append(line)
        return "".join(lines[:-1])

    def command(self, line):
        self.process.stdin.write(line + "\n")
        return self.output()

    def succeed(self, line):
        output = self.command(line)
        assert test_service.SUCCESS in output, "%s\n%s" % (line, output)
        return output

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(test_service.DEADLINE)


class Case(device_case.Case):
    sizes = [1 << 20, 1 << 20]

    def setUp(self):
        super().setUp()
        print("TEST_SEED=%d" % SEED)
        self.dice = random.Random(SEED)

    def console(self):
        console = Console(self.environment("require"))
        self.addCleanup(console.close)
        return console

    def answers(self, lun):
        """A socket that has a name may listen only a moment later."""
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as client, contextlib.suppress(ConnectionError):
            client.connect(os.path.realpath(self.nbd(lun)))
            return client.recv(8) == b"NBDMAGIC"
        return False

    def left(self):
        """What there is of devices on this machine that belongs to this test."""
        found = []
        for place in self.root, self.root + ".sockets":
            with contextlib.suppress(FileNotFoundError):
                found += [os.path.join(place, name) for name in os.listdir(place) if name.startswith("bus")]
        with open("/proc/self/mountinfo") as mounts:
            points = [line.split()[4] for line in mounts if self.directory in line]
        found += ["mount " + point for point in points if point != self.root or self.service.process.poll() is not None]
        return found + device_case.loops_of(self.directory)

    def assert_nothing_left(self):
        try:
            test_service.wait_for(lambda: self.left() == [], "the devices to be gone", 20)
        except TimeoutError as late:
            self.fail("%s: %s" % (late, self.left()))


class Cycles(Case):
    def test_logins_and_logouts_leave_nothing(self):
        console = self.console()
        console.succeed("AddTargetPortal %s %s" % tuple(self.portal.rsplit(":", 1)))
        self.cycle(console, WARM_UP)
        self.assert_nothing_left()
        before, memory = self.resources(), self.memory()
        self.cycle(console, CYCLES - WARM_UP)
        self.assert_nothing_left()
        try:
            test_service.wait_for(lambda: self.resources() == before, "threads and descriptors to be as before", 10)
        except TimeoutError as late:
            self.fail("%s: %s, before that %s" % (late, self.resources(), before))
        print("%d cycles, descriptors and threads %s, memory %d and %d KiB" % (CYCLES, before, memory, self.memory()))
        if not self.is_sanitized():
            self.assertLess(self.memory(), memory + GROWTH_MOST, "the service has grown")
        self.assertEqual(self.service.stop(), 0)
        self.assert_nothing_left()

    def cycle(self, console, times):
        for _ in range(times):
            session = re.search(r"Session Id is (\S+)", console.succeed(login(device_case.TARGET))).group(1)
            use = self.dice.choice([None, self.use, self.read])
            if use is not None:
                use(self.dice.randrange(2))
            console.succeed("LogoutTarget " + session)

    def use(self, lun):
        """The devices of the others may or may not be there when the session ends."""
        path = os.path.realpath(self.wait_for(self.nbd(lun)))
        test_service.wait_for(lambda: self.answers(lun), "LUN %d to answer" % lun)
        test_service.wait_for(lambda: self.connections_at(path) == 0, "the service to see that its client is gone")

    def read(self, lun):
        if device_case.missing_fuse():
            return
        with open(self.wait_for(self.place(lun, "disk")), "rb") as file:
            self.assertEqual(file.read(8192), bytes(8192))

    @staticmethod
    def connections_at(path):
        with open("/proc/net/unix") as table:
            return sum(line.rstrip().endswith(path) and line.split()[5] == "03" for line in table)

    def resources(self):
        process = "/proc/%d/" % self.service.process.pid
        return len(os.listdir(process + "fd")), len(os.listdir(process + "task"))

    def memory(self):
        """KiB."""
        with open("/proc/%d/status" % self.service.process.pid) as status:
            return int(re.search(r"RssAnon:\s+(\d+) kB", status.read()).group(1))

    def is_sanitized(self):
        with open("/proc/%d/maps" % self.service.process.pid) as maps:
            return "libasan" in maps.read()


class Kills(Case):
    """The stored login has each service make devices as soon as it starts."""

    more = ["--target", OTHER, "--lun", "ram:64K"]

    def test_a_killed_service_is_cleaned_up_after(self):
        self.console().succeed("AddTargetPortal %s %s" % tuple(self.portal.rsplit(":", 1)))
        self.console().succeed("Persistent" + login(device_case.TARGET))
        moments = [self.killed_while_starting, self.killed_in_a_cycle, self.killed_while_ending]
        self.service.stop()
        for number in range(KILLS):
            moments[number % len(moments)](self.dice.uniform(0, KILLED_WITHIN))
            self.check_next(number)

    def check_next(self, number):
        """The next one has the devices that it should have, and no others, and in the end none."""
        self.service = self.serve()
        for lun in range(2):
            self.wait_for_nbd(lun)
            test_service.wait_for(lambda: self.answers(lun), "LUN %d to answer" % lun)
        if number == KILLS - 1:
            self.assertEqual([name for name in self.listed() if name.startswith("bus")], ["bus0"])
            self.assertEqual(os.listdir(os.path.join(self.root, "bus0")), ["target0"])
        self.assertEqual(self.service.stop(), 0)
        self.assert_nothing_left()

    def kill(self):
        self.assertEqual(self.service.stop(signal.SIGKILL), -signal.SIGKILL)

    def killed_while_starting(self, delay):
        self.service = test_service.Service(self.state)
        time.sleep(delay)
        self.kill()

    def killed_in_a_cycle(self, delay):
        self.service = self.serve()
        console = self.console()
        timer = threading.Timer(delay, self.service.process.kill)
        timer.start()
        try:
            while True:
                session = re.search(r"Session Id is (\S+)", console.succeed(login(OTHER))).group(1)
                console.succeed("LogoutTarget " + session)
        except AssertionError:
            if timer.is_alive():
                raise
        self.kill()

    def killed_while_ending(self, delay):
        self.service = self.serve()
        self.wait_for_nbd(self.dice.randrange(2))
        self.service.process.terminate()
        time.sleep(delay / 10)
        self.service.process.kill()
        self.assertIn(self.service.wait(), (0, -signal.SIGKILL))
        self.service.stop()


if __name__ == "__main__":
    test_service.BUILD = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
