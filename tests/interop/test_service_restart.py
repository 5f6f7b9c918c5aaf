#!/usr/bin/env python3
"""Persistent logins are made when the service starts: a hundred of them at once, and one whose target comes up later.

    python3 tests/harness/run.py --build BUILD -- tests/interop/test_service_restart.py BUILD [TEST...]
"""

import os
import re
import signal
import socket
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


class Bound(Case):
    """A service whose start waits for the devices that are bound."""

    def setUp(self):
        super().setUp()
        self.address = "127.0.0.1:%d" % ports.reserve()

    def start_target(self):
        target = EmbeddedAt(test_service.BUILD, self.address)
        self.addCleanup(target.stop)
        return target.start()

    def bind(self):
        """One disk of a target is bound; then neither service nor target runs."""
        target = self.start_target()
        service = self.serve()
        address, port = self.address.rsplit(":", 1)
        self.succeed("AddTargetPortal", address, port)
        self.store_logins([test_service.OPEN_TARGET], self.address)
        self.succeed("QLoginTarget", test_service.OPEN_TARGET)
        self.succeed("BindPersistentDevices")
        bound = re.findall(r'^ *"(.+)"$', self.succeed("ReportPersistentDevices"), re.M)
        self.assertEqual(len(bound), 1, bound)
        self.assertRegex(bound[0], r"^\\\\\?\\scsi#disk&ven_iscsidsc&prod_virtual_disk#1&")
        service.stop()
        target.stop()

    def configure(self, text):
        with open(os.path.join(self.state, "iscsi.conf"), "w") as file:
            file.write(text)

    def start_waiting(self, **more):
        """A service that answers, and does not say that it has started."""
        service = test_service.Service(self.state, **more)
        self.addCleanup(service.stop, signal.SIGKILL)
        test_service.wait_for(lambda: self.ask("ListInitiators")[0] == 0, "the service to answer")
        self.assertEqual(self.connected(), [])
        self.assertEqual(service.lines, [])
        return service

    def test_a_start_waits_for_the_target(self):
        self.bind()
        service = self.start_waiting()
        self.start_target()
        self.assertIn("event=started", service.wait_event("started"))
        self.assertEqual(len(service.lines), 1, service.lines)
        self.assertEqual(self.connected(), [test_service.OPEN_TARGET])

    def test_but_not_for_ever(self):
        self.bind()
        self.configure("PersistentDeviceTime = 2\n")
        begin = time.monotonic()
        service = self.start_waiting()
        self.assertIn("count=1", service.wait_event("devices-missing"))
        service.wait_event("started")
        self.assertGreater(time.monotonic() - begin, 2)
        self.start_target()
        self.wait_connected([test_service.OPEN_TARGET], ONE_BACK, time.monotonic())

    def test_a_stop_meanwhile(self):
        self.bind()
        service = self.start_waiting()
        self.assertEqual(service.stop(), 0)

    def test_the_service_manager_is_told(self):
        self.bind()
        path = os.path.join(self.directory, "notify")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(path)
            manager.settimeout(test_service.DEADLINE)
            service = self.start_waiting(environment=dict(os.environ, NOTIFY_SOCKET=path))
            extension = re.match(rb"^EXTEND_TIMEOUT_USEC=(\d+)$", manager.recv(1000))
            self.assertTrue(60e6 < int(extension.group(1)) <= 70e6, extension.group(0))
            service.process.send_signal(signal.SIGHUP)  # which is no reason to call itself ready
            service.wait_event("configured")
            self.start_target()
            self.assertEqual(manager.recv(1000), b"READY=1")
            service.process.send_signal(signal.SIGTERM)
            self.assertEqual(manager.recv(1000), b"STOPPING=1")

    def test_who_starts_it_in_the_background_waits_too(self):
        self.bind()
        starting = subprocess.Popen([test_service.program("iscsidscd"), "--state", self.state], stdin=subprocess.DEVNULL)
        test_service.wait_for(lambda: self.ask("ListInitiators")[0] == 0, "the service to answer")
        self.assertIsNone(starting.poll())
        self.start_target()
        self.assertEqual(starting.wait(test_service.DEADLINE), 0)
        self.assertEqual(self.connected(), [test_service.OPEN_TARGET])

    def test_a_caller_does_not(self):
        """Who starts it on demand wants an answer to his call."""
        self.bind()
        self.configure("PersistentDeviceTime = 3600\n")
        begin = time.monotonic()
        self.succeed("ListInitiators", mode="auto")
        self.assertLess(time.monotonic() - begin, 5)


if __name__ == "__main__":
    test_service.BUILD = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
