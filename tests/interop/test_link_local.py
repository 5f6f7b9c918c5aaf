#!/usr/bin/env python3
"""A portal with a link-local address (RFC 4007): discovery and logins by the zone's name and number.

    python3 tests/harness/run.py --build BUILD -- tests/interop/test_link_local.py BUILD

The address is given to the loopback interface of a network namespace of the test's own; where there may be none, nothing is tested.
"""

import fcntl
import os
import re
import socket
import struct
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "harness")]
import iscsicli_case  # noqa: E402
import peers  # noqa: E402

NAMESPACE = ["unshare", "--user", "--map-root-user", "--net"]
INSIDE = "TEST_LINK_LOCAL_INSIDE"
ADDRESS, INTERFACE = "fe80::1234", "lo"
SIOCSIFFLAGS, SIOCSIFADDR, IFF_UP = 0x8914, 0x8916, 1


def give_address():
    """ip address add ADDRESS/64 dev INTERFACE, without the program."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ordinary:
        fcntl.ioctl(ordinary, SIOCSIFFLAGS, struct.pack("16sH14x", INTERFACE.encode(), IFF_UP))
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as ordinary:
        request = struct.pack("=16sIi", socket.inet_pton(socket.AF_INET6, ADDRESS), 64, socket.if_nametoindex(INTERFACE))
        fcntl.ioctl(ordinary, SIOCSIFADDR, request)


class LinkLocal(iscsicli_case.Case):
    def setUp(self):
        super().setUp()
        target = os.path.join(os.path.dirname(iscsicli_case.PROGRAM), "iscsi-test-target")
        self.target = subprocess.Popen([target, "--portal", "[%s%%%s]:0" % (ADDRESS, INTERFACE), "--standard"],
                                       stdout=subprocess.PIPE, text=True, preexec_fn=peers.die_with_parent)
        self.addCleanup(self.end_target)
        line = self.target.stdout.readline()
        found = re.match(r"portal \[(.*)\]:(\d+)$", line.strip())
        self.assertTrue(found, "the target said %r" % line)
        self.port = found.group(2)

    def end_target(self):
        self.target.terminate()
        self.target.wait(iscsicli_case.DEADLINE)
        self.target.stdout.close()

    def log_in_through(self, zone):
        address = "%s%%%s" % (ADDRESS, zone)
        conversation = iscsicli_case.Conversation(self.state)
        self.addCleanup(conversation.end)
        answer = conversation.say("AddTargetPortal", address, self.port)
        self.assertIn(iscsicli_case.SUCCESS, answer)
        self.assertIn(peers.PREFIX + ":open", conversation.say("ListTargets"))
        answer = conversation.say("QLoginTarget", peers.PREFIX + ":open")
        self.assertIn(iscsicli_case.SUCCESS, answer)
        session = iscsicli_case.SESSION_ID.search(answer).group(1)
        self.assertIn("%s%%" % ADDRESS, conversation.say("SessionList"))
        self.assertIn(iscsicli_case.SUCCESS, conversation.say("ReadCapacity", session, "0"))
        self.assertIn(iscsicli_case.SUCCESS, conversation.say("LogoutTarget", session))

    def test_the_zone_by_its_name(self):
        self.log_in_through(INTERFACE)

    def test_the_zone_by_its_number(self):
        self.log_in_through(socket.if_nametoindex(INTERFACE))


def main():
    if os.environ.get(INSIDE):
        give_address()
        return iscsicli_case.main(__doc__)
    try:
        refused = subprocess.run(NAMESPACE + ["true"], stderr=subprocess.PIPE, text=True)
        reason = refused.stderr.strip() if refused.returncode != 0 else None
    except FileNotFoundError:
        reason = "unshare is not installed"
    if reason is not None:
        print("skipped: no network namespace (%s)" % reason)
        return 0
    program = os.path.join(sys.argv[1], "iscsicli")
    return subprocess.run(NAMESPACE + [sys.executable, os.path.abspath(__file__), program] + sys.argv[2:],
                          env=dict(os.environ, **{INSIDE: "1"})).returncode


if __name__ == "__main__":
    sys.exit(main())
