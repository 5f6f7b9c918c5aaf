#!/usr/bin/env python3
"""Stored logins whose CHAP secrets a RADIUS server has: over kills of the service and of the server, and where the secret that
they share can be seen.

    python3 tests/harness/run.py --build BUILD -- tests/interop/test_service_radius.py BUILD [TEST...]
"""

import os
import signal
import stat
import subprocess
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "harness")]
import freeradius  # noqa: E402
import peers  # noqa: E402
import test_service  # noqa: E402
import test_service_restart  # noqa: E402

MUTUAL_TARGET = peers.PREFIX + ":mutual"
RESPONSE_AND_VERIFICATION, MUTUAL = "0x30", "2"
AUTHENTICATION_FAILURE = 0x09  # of 0xEFFF0009
DOWN = 2.5  # seconds: more than one try
BACK = 20  # seconds: RadiusTimeout, a pause between two tries, and a slow machine
CALL = """
import ctypes, sys
library = ctypes.CDLL(sys.argv[1])
secret, servers = sys.argv[2].encode(), sys.argv[3:]
code = library.SetIScsiInitiatorRADIUSSharedSecret(len(secret), secret)
for server in servers:
    code = code or library.AddRadiusServerA(server.encode())
print(code & 0xFFFFFFFF)
"""


class Radius(test_service_restart.Case):
    def setUp(self):
        super().setUp()
        self.target = peers.Embedded(test_service.BUILD)
        self.addCleanup(self.target.stop)
        self.target.start()
        self.server = self.start_server()
        os.mkdir(self.state, 0o700)
        with open(os.path.join(self.state, "iscsi.conf"), "w") as file:
            file.write("RadiusTimeout = 1\nDelayBetweenReconnect = 1\n")

    def start_server(self, port=None):
        server = freeradius.Freeradius()
        server.port = port or server.port
        self.addCleanup(server.stop)
        server.start()
        return server

    def configure(self):
        host, port = self.target.portals[0].rsplit(":", 1)
        self.succeed("AddTargetPortal", host, port)
        address = self.server.environment()["TEST_FREERADIUS_SERVER"]
        library = os.path.join(test_service.BUILD, "libiscsidsc.so")
        done = subprocess.run([sys.executable, "-c", CALL, library, freeradius.SECRET, address], check=True, text=True,
                              stdout=subprocess.PIPE, timeout=test_service.DEADLINE, env=self.environment("require"))
        self.assertEqual(done.stdout, "0\n")

    def store_login(self):
        address, port = self.target.portals[0].rsplit(":", 1)
        self.run_commands([" ".join(["PersistentLoginTarget", MUTUAL_TARGET, "T", address, port, "* * *",
                                     RESPONSE_AND_VERIFICATION, "* * * * *", peers.CHAP_USER, "*", MUTUAL, "* 0"])])

    def log_in(self):
        """The outcome of a login by RADIUS in both directions."""
        address, port = self.target.portals[0].rsplit(":", 1)
        return self.ask("LoginTarget", MUTUAL_TARGET, "T", address, port, "*", "*", "*", RESPONSE_AND_VERIFICATION,
                        "*", "*", "*", "*", "*", peers.CHAP_USER, "*", MUTUAL, "*", "0")

    def wait_connected_by_radius(self, begin):
        self.wait_connected([MUTUAL_TARGET], BACK, begin)

    def test_a_killed_service_asks_again(self):
        service = self.serve()
        self.configure()
        self.store_login()
        for how in signal.SIGKILL, signal.SIGTERM:
            service, begin = self.restart(how, service)
            self.wait_connected_by_radius(begin)

    def test_a_login_comes_up_with_its_server(self):
        service = self.serve()
        self.configure()
        port = self.server.port
        self.server.stop()
        code, output = self.log_in()
        self.assertEqual(code, AUTHENTICATION_FAILURE, output)
        self.store_login()
        _, begin = self.restart(signal.SIGTERM, service)
        while time.monotonic() < begin + DOWN:
            self.assertEqual(self.connected(), [])
        self.start_server(port)
        self.wait_connected_by_radius(time.monotonic())

    def test_the_secret_stays_where_it_belongs(self):
        service = self.serve()
        self.configure()
        code, output = self.log_in()
        self.assertEqual(code, 0, output)
        secret = freeradius.SECRET
        found = self.files_with(secret.encode())
        self.assertTrue(found, "the secret is stored nowhere")
        for path in found:
            mode = os.stat(path).st_mode
            self.assertEqual(stat.S_IMODE(mode) & 0o077, 0, "%s has mode %o" % (path, mode))
        self.assertEqual(stat.S_IMODE(os.stat(self.state).st_mode) & 0o077, 0)
        with open("/proc/%d/cmdline" % service.process.pid, "rb") as file:
            self.assertNotIn(secret.encode(), file.read())
        self.assertEqual(service.stop(), 0)
        for text in secret, secret.encode().hex(), peers.CHAP_SECRET, peers.TARGET_SECRET:
            self.assertNotIn(text, "\n".join(service.lines))
        self.assertTrue(service.lines)

    def files_with(self, text):
        found = []
        for directory, _, names in os.walk(self.directory):
            for name in names:
                path = os.path.join(directory, name)
                if os.path.isfile(path):
                    with open(path, "rb") as file:
                        if text in file.read():
                            found.append(path)
        return found


if __name__ == "__main__":
    test_service.BUILD = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
