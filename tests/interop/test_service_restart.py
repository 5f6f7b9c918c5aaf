#!/usr/bin/env python3
"""Persistent logins are made when the service starts: a hundred of them at once, and one whose target comes up later.

    python3 tests/harness/run.py --build BUILD -- tests/interop/test_service_restart.py BUILD [TEST...]
"""

import os
import re
import signal
import subprocess
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "harness")]
import peers  # noqa: E402
import ports  # noqa: E402
import test_service  # noqa: E402

SESSIONS = 100
ALL_BACK, ONE_BACK = 5, 2  # seconds
DOWN = 3.5  # seconds until a target comes up: the pauses between the tries have grown by then


class EmbeddedAt(peers.OwnProgram):
    """The project's own target, on a port that is known before it runs."""

    kind = "embedded"
    program = "iscsi-test-target"

    def __init__(self, build, portal):
        super().__init__(build)
        self.portal = portal

    def options(self):
        return ["--portal", self.portal, "--standard"]


class Case(test_service.Case):
    def run_commands(self, commands):
        """One iscsicli for all of them; its output."""
        done = subprocess.run([test_service.program("iscsicli")], input="".join(line + "\n" for line in commands),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                              timeout=test_service.DEADLINE, env=self.environment("require"))
        self.assertEqual(done.stdout.count(test_service.SUCCESS), len(commands), done.stdout)
        return done.stdout

    def store_logins(self, targets, portal):
        address, port = portal.rsplit(":", 1)
        rest = " ".join(["*"] * 13 + ["0"])
        self.run_commands(["PersistentLoginTarget %s T %s %s %s" % (target, address, port, rest) for target in targets])

    def connected(self):
        """The targets of all sessions that have a connection."""
        output = self.succeed("SessionList")
        sessions = re.split(r"^Session Id +: ", output, flags=re.M)[1:]
        return sorted(re.search(r"^Target Node Name +: (\S+)$", session, re.M).group(1) for session in sessions
                      if re.search(r"^\s*Connection Id +: ", session, re.M))

    def wait_connected(self, targets, seconds, begin):
        """How long after `begin` the sessions are there: these and no others."""
        deadline = begin + seconds
        found = self.connected()
        while found != targets and time.monotonic() < deadline:
            found = self.connected()
        took = time.monotonic() - begin
        self.assertEqual(found, targets, "after %.1f s there are %d of %d sessions" % (took, len(found), len(targets)))
        self.assertLess(took, seconds)
        return took

    def restart(self, how, old):
        old.stop(how)
        begin = time.monotonic()
        return self.serve(), begin


class Hundred(Case):
    """Sessions to as many targets of one tgtd."""

    def setUp(self):
        super().setUp()
        self.peer = peers.TgtdMany(SESSIONS)
        self.addCleanup(self.peer.stop)
        self.peer.start()
        self.targets = ["%s:many-%03d" % (peers.PREFIX, number) for number in range(SESSIONS)]

    def seen_by_target(self):
        return len(re.findall(r"^ +I_T nexus: \d+$", self.peer.admin("target", "show"), re.M))

    def test_a_hundred_sessions_are_back_in_time(self):
        service = self.serve()
        address, port = self.peer.portals[0].rsplit(":", 1)
        self.succeed("AddTargetPortal", address, port)
        self.store_logins(self.targets, self.peer.portals[0])
        self.assertEqual(self.connected(), [])
        for how in signal.SIGTERM, signal.SIGKILL, signal.SIGTERM:
            service, begin = self.restart(how, service)
            took = self.wait_connected(self.targets, ALL_BACK, begin)
            print("%d sessions %.2f s after the start that followed %s" % (SESSIONS, took, how.name))
            for session in self.sessions()[::33]:
                self.succeed("ScsiInquiry", session, "0", "0", "0")
        test_service.wait_for(lambda: self.seen_by_target() == SESSIONS, "tgtd to have a session for each target")
        self.assertEqual(service.stop(), 0)
        self.assertEqual(self.seen_by_target(), 0, "the service ended and left sessions at the target")

    def test_a_login_that_was_removed_is_not_made(self):
        service = self.serve()
        self.store_logins(self.targets, self.peer.portals[0])
        address, port = self.peer.portals[0].rsplit(":", 1)
        self.run_commands(["RemovePersistentTarget ROOT\\ISCSIPRT\\0000_0 %s * %s %s" % (target, address, port)
                          for target in self.targets[::2]])
        _, begin = self.restart(signal.SIGTERM, service)
        self.wait_connected(self.targets[1::2], ALL_BACK, begin)


class Down(Case):
    """A target that is not there when the service starts."""

    def setUp(self):
        super().setUp()
        self.address = "127.0.0.1:%d" % ports.reserve()

    def start_target(self):
        """When it listens."""
        target = EmbeddedAt(test_service.BUILD, self.address)
        self.addCleanup(target.stop)
        target.start()
        return time.monotonic()

    def restart_without_target(self):
        service = self.serve()
        self.store_logins([test_service.OPEN_TARGET], self.address)
        self.restart(signal.SIGTERM, service)

    def test_its_session_comes_up_soon_after_it(self):
        self.restart_without_target()
        begin = time.monotonic()
        while time.monotonic() < begin + DOWN:
            self.assertEqual(self.connected(), [])
        took = self.wait_connected([test_service.OPEN_TARGET], ONE_BACK, self.start_target())
        print("the session of a target that was down came up %.2f s after it" % took)

    def test_what_is_stored_while_it_is_down_is_known_afterwards(self):
        self.restart_without_target()
        address, port = self.address.rsplit(":", 1)
        code, output = self.ask("AddTargetPortal", address, port)
        self.assertNotEqual(code, 0, output)
        self.wait_connected([test_service.OPEN_TARGET], ONE_BACK, self.start_target())
        self.succeed("ScsiInquiry", self.sessions()[0], "0", "0", "0")


if __name__ == "__main__":
    test_service.BUILD = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
