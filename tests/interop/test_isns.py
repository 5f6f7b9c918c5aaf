#!/usr/bin/env python3
"""iSNS against open-isns: its server is started, told of targets, killed and started again, and iscsicli has to know.

    python3 tests/harness/run.py --peers embedded --build BUILD -- tests/interop/test_isns.py ISCSICLI [TEST...]

Each test runs with an engine in iscsicli's own process, and with the native service.
"""

import contextlib
import os
import socket
import struct
import sys
import threading
import time
import unittest.mock

import iscsicli_case
from iscsicli_case import Case

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
import ports  # noqa: E402
import service  # noqa: E402
from isnsd import Isnsd  # noqa: E402
from peers import PREFIX  # noqa: E402

NOTICE_SECONDS = 1
# As exit codes, of which there are eight bits.
REFUSED, RESET = 10061 & 0xFF, 10054 & 0xFF
BAD_RESPONSE, ACCESS_DENIED = 58, 5
ISNS_SERVER_NOT_FOUND, OTHER_VERSION = 0x3A, 0x52


# What a rogue does with a request of that function and transaction: the bytes to send, and whether it closes then.
def answer(function, transaction, body=b"\0\0\0\0", version=1, flags=0x4C00, sequence=0):
    return struct.pack(">6H", version, function | 0x8000, len(body), flags, transaction, sequence) + body


def endless(function, transaction):
    first = answer(function, transaction, bytes(65532), flags=0x4400)
    return [first] + [answer(function, transaction, bytes(65532), flags=0x4000, sequence=n) for n in range(1, 600)]


ROGUES = {
    "closes": (lambda function, transaction: [], True, RESET),
    "garbage": (lambda function, transaction: [b"HTTP/1.1 400 Bad Request\r\n\r\n"], False, BAD_RESPONSE),
    "another version": (lambda function, transaction: [answer(function, transaction, version=2)], False, OTHER_VERSION),
    "another transaction": (lambda function, transaction: [answer(function, transaction + 1)], False, BAD_RESPONSE),
    "another function": (lambda function, transaction: [answer(14, transaction)], False, BAD_RESPONSE),
    "no status": (lambda function, transaction: [answer(function, transaction, b"")], False, BAD_RESPONSE),
    "an attribute that is cut": (lambda function, transaction: [answer(function, transaction, bytes(4) + b"\0\0\0\1\0\0\1\0")],
                                 False, BAD_RESPONSE),
    "cut in the middle": (lambda function, transaction: [answer(function, transaction, bytes(40))[:20]], True, RESET),
    "a message without an end": (endless, False, BAD_RESPONSE),
    "refuses": (lambda function, transaction: [answer(function, transaction, b"\0\0\0\x08")], False, ACCESS_DENIED),
    "silence": (lambda function, transaction: [], False, ISNS_SERVER_NOT_FOUND),
}


class Rogue:
    """A server that answers each request in the same way."""

    def __init__(self, replies, closes):
        self.replies, self.closes = replies, closes
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.connections = []
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                connection = self.listener.accept()[0]
                self.connections.append(connection)
                threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with contextlib.suppress(OSError):
            while True:
                header = connection.recv(12, socket.MSG_WAITALL)
                if len(header) < 12:
                    break
                _, function, length, _, transaction, _ = struct.unpack(">6H", header)
                connection.recv(length, socket.MSG_WAITALL)
                for reply in self.replies(function, transaction):
                    connection.sendall(reply)
                if self.closes:
                    break
        connection.close()

    def stop(self):
        self.listener.close()
        for connection in self.connections:
            connection.close()


class Behaviour:
    """What is the same wherever the engine is."""

    def setUp(self):
        super().setUp()
        sanitizer = os.environ.get("ASAN_OPTIONS", "") + ":log_path=" + os.path.join(self.state, "sanitizer")
        settings = unittest.mock.patch.dict(os.environ, ISCSIDSC_SERVICE=self.where, ASAN_OPTIONS=sanitizer)
        settings.start()
        if iscsicli_case.under_wine():
            self.lend_native_service()
        self.addCleanup(settings.stop)
        self.addCleanup(self.check_end)

    def lend_native_service(self):
        """The DLL finds it beside itself."""
        build = os.path.dirname(iscsicli_case.PROGRAM)
        with contextlib.suppress(FileExistsError):
            os.symlink(os.path.join(os.path.dirname(build), "linux", "iscsidscd"), os.path.join(build, "iscsidscd"))

    def check_end(self):
        started = os.path.exists(os.path.join(self.state, "door.key"))
        self.assertEqual(service.end_services(self.state), 0, "services that did not end")
        self.assertEqual(started, self.where == "auto", "a service was started")
        for name in os.listdir(self.state):
            if name.startswith("sanitizer"):
                with open(os.path.join(self.state, name), errors="replace") as report:
                    self.fail("a sanitizer found:\n" + report.read())

    def start_server(self, **options):
        server = Isnsd(**options).start()
        self.addCleanup(server.stop)
        return server

    def follow(self, server):
        conversation = self.converse()
        self.assert_done(conversation.say("AddiSNSServer", server.portals[0]))
        return conversation

    def targets(self, conversation, *arguments):
        answer = self.assert_done(conversation.say("ListTargets", *arguments))
        return [line.strip() for line in answer.splitlines() if line.startswith("    ")]

    def wait_targets(self, conversation, expected, seconds=iscsicli_case.DEADLINE):
        """How long it took. The list is the cached one: asking for it makes nobody look again."""
        began = time.monotonic()
        try:
            ports.wait_until(lambda: self.targets(conversation) == expected, "the targets", seconds)
        except TimeoutError:
            self.assertEqual(self.targets(conversation), expected, "after %d s" % seconds)
        return time.monotonic() - began

    def wait_node(self, server, node, registered=True):
        wanted = '"%s"' % node
        ports.wait_until(lambda: (wanted in server.nodes()) == registered,
                         "%s to be %sregistered; there are\n%s" % (node, "" if registered else "de", server.nodes()))

    def test_500_targets_are_found(self):
        server = self.start_server()
        server.register_many(500)
        conversation = self.follow(server)
        expected = [PREFIX + ":many-%04d" % number for number in range(500)]
        self.assertEqual(sorted(self.targets(conversation)), expected)
        self.assertEqual(sorted(self.targets(conversation, "T")), expected)
        self.assertIn(server.portals[0], self.assert_done(conversation.say("ListiSNSServers")))
        shown = self.assert_done(conversation.say("TargetInfo", expected[321], "iSNS:" + server.portals[0]))
        self.assertIn("Target Alias         : number 321\n", shown)
        self.assertIn("192.0.2.4 3260", shown)
        self.assertIn("2001:db8::4 3260", shown)
        # One more is told in time, whoever the machine is busy with.
        for attempt in range(3):
            server.register("late-%d" % attempt, ["%s:zz-late-%d" % (PREFIX, attempt)], ["192.0.2.100:%d" % (3260 + attempt)])
            expected.append("%s:zz-late-%d" % (PREFIX, attempt))
            began = time.monotonic()
            ports.wait_until(lambda: expected[-1] in self.targets(conversation), expected[-1])
            seconds = time.monotonic() - began
            if seconds < NOTICE_SECONDS:
                break
        self.assertLess(seconds, NOTICE_SECONDS)
        self.assertEqual(sorted(self.targets(conversation)), expected)

    def test_a_portal_group_tag_is_known(self):
        server = self.start_server()
        server.register("tagged", [PREFIX + ":tagged"], ["192.0.2.9:3261"], tag=7)
        conversation = self.follow(server)
        self.assertEqual(self.targets(conversation), [PREFIX + ":tagged"])
        shown = self.assert_done(conversation.say("TargetInfo", PREFIX + ":tagged", "iSNS:" + server.portals[0]))
        self.assertRegex(shown, r"Group 0 has 1 portals\n +Address and Socket    : 192.0.2.9 3261\n")

    def test_targets_come_and_go_without_being_asked_for(self):
        server = self.start_server()
        conversation = self.follow(server)
        self.assertEqual(self.targets(conversation), [])
        server.register("one", [PREFIX + ":a", PREFIX + ":b"])
        self.wait_targets(conversation, [PREFIX + ":a", PREFIX + ":b"])
        server.deregister(PREFIX + ":a")
        self.wait_targets(conversation, [PREFIX + ":b"])

    def test_a_server_that_was_killed_and_has_lost_its_database(self):
        server = self.start_server()
        server.register("one", [PREFIX + ":a"])
        conversation = self.follow(server)
        node = conversation.node_name
        self.wait_node(server, node)
        server.kill()
        self.assertEqual(self.targets(conversation), [PREFIX + ":a"])
        server.restart()
        self.wait_node(server, node)
        self.assertNotIn(PREFIX + ":a", server.nodes())
        # It was asked again, and follows again.
        self.wait_targets(conversation, [])
        server.register("two", [PREFIX + ":b"])
        self.wait_targets(conversation, [PREFIX + ":b"])

    def test_a_server_that_is_down_at_first(self):
        server = self.start_server()
        server.register("one", [PREFIX + ":a"])
        server.kill()
        conversation = self.converse()
        answer = conversation.say("AddiSNSServer", server.portals[0])
        self.assertNotIn(iscsicli_case.SUCCESS, answer)
        self.assertIn(server.portals[0], self.assert_done(conversation.say("ListiSNSServers")))
        self.assertEqual(self.targets(conversation), [])
        server.restart(forget=False)
        self.wait_targets(conversation, [PREFIX + ":a"])

    def test_discovery_domains_decide_what_is_seen(self):
        server = self.start_server()
        server.register("one", [PREFIX + ":a", PREFIX + ":b"])
        server.register("two", [PREFIX + ":c"], ["192.0.2.2:3260"])
        conversation = self.follow(server)
        self.assertEqual(self.targets(conversation), [PREFIX + ":a", PREFIX + ":b", PREFIX + ":c"])
        server.domain("ours", [conversation.node_name, PREFIX + ":a", PREFIX + ":c"])
        self.assert_done(conversation.say("RefreshiSNSServer", server.portals[0]))
        self.assertEqual(self.targets(conversation), [PREFIX + ":a", PREFIX + ":c"])

    def test_targets_of_a_removed_server_stay_until_a_full_refresh(self):
        first, second = self.start_server(), self.start_server()
        first.register("one", [PREFIX + ":a"])
        second.register("two", [PREFIX + ":b"])
        conversation = self.follow(first)
        self.assert_done(conversation.say("AddiSNSServer", second.portals[0]))
        self.assert_done(conversation.say("RemoveiSNSServer", first.portals[0]))
        self.assertEqual(self.assert_done(conversation.say("ListiSNSServers")), "    %s\n" % second.portals[0])
        self.assertEqual(self.targets(conversation), [PREFIX + ":a", PREFIX + ":b"])
        self.wait_node(first, conversation.node_name, registered=False)
        self.wait_node(second, conversation.node_name)
        self.assert_done(conversation.say("RefreshiSNSServer", "*"))
        self.assertEqual(self.targets(conversation, "T"), [PREFIX + ":b"])
        self.assert_done(conversation.say("RemoveiSNSServer", second.portals[0]))
        self.assertEqual(self.assert_done(conversation.say("ListiSNSServers")), "No SNS Servers\n")

    def test_the_list_outlasts_the_engine(self):
        """A service takes its leave; a program that ends leaves its registration to those that come after it."""
        server = self.start_server()
        server.register("one", [PREFIX + ":a"])
        conversation = self.follow(server)
        node = conversation.node_name
        self.wait_node(server, node)
        self.assertEqual(conversation.close(), 0)
        if self.where == "auto":
            # It stays for the sake of the notices, until it is told to end.
            self.wait_node(server, node)
            self.assertTrue(service.services_of(self.state))
            self.assertEqual(service.end_services(self.state), 0)
            self.wait_node(server, node, registered=False)
        self.assertEqual(self.targets(self.converse()), [PREFIX + ":a"])
        self.wait_node(server, node)

    def test_another_node_name_is_registered_in_place_of_the_old_one(self):
        server = self.start_server()
        conversation = self.follow(server)
        old = conversation.node_name
        self.wait_node(server, old)
        self.assert_done(conversation.say("NodeName", PREFIX + ":renamed"))
        self.wait_node(server, PREFIX + ":renamed")
        self.wait_node(server, old, registered=False)
        server.register("one", [PREFIX + ":a"])
        self.wait_targets(conversation, [PREFIX + ":a"])

    def test_status_inquiries_are_answered(self):
        server = self.start_server(ESIMinInterval="1s", ESIMaxInterval="1s", ESIRetries=2)
        conversation = self.follow(server)
        self.wait_node(server, conversation.node_name)
        ports.wait_until(lambda: server.log().count("Sending ESI") > 4, "five inquiries; isnsd said\n" + server.log())
        self.assertIn('"%s"' % conversation.node_name, server.nodes())

    def test_a_registration_is_renewed(self):
        """Without inquiries a server forgets who is silent for a period."""
        server = self.start_server(RegistrationPeriod="2s", ESIRetries=0)
        conversation = self.follow(server)
        self.wait_node(server, conversation.node_name)
        for number in range(2):
            silent = "%s:silent-%d" % (PREFIX, number)
            server.register("silent-%d" % number, [silent])
            self.wait_node(server, silent)
            self.wait_node(server, silent, registered=False)
            self.assertIn('"%s"' % conversation.node_name, server.nodes())

    def test_ipv6(self):
        if not ports.have_ipv6():
            self.skipTest("no IPv6 here")
        server = self.start_server(host="::1")
        conversation = self.follow(server)
        server.register("one", [PREFIX + ":a"])
        self.wait_targets(conversation, [PREFIX + ":a"])

    def test_a_target_found_so_can_be_logged_in_to(self):
        server = self.start_server()
        server.register("embedded", [PREFIX + ":open"], [os.environ["TEST_EMBEDDED_PORTAL"]], tag=1)
        conversation = self.follow(server)
        answer = self.assert_done(conversation.say("QLoginTarget", PREFIX + ":open"))
        session = iscsicli_case.SESSION_ID.search(answer).group(1)
        self.assert_done(conversation.say("LogoutTarget", session))

    def test_rogues_do_no_harm(self):
        with open(os.path.join(self.state, "iscsi.conf"), "w") as file:
            file.write("WMIRequestTimeout = 1\n")
        listed = ""
        for name, (replies, closes, code) in ROGUES.items():
            with self.subTest(name):
                rogue = Rogue(replies, closes)
                self.addCleanup(rogue.stop)
                self.refuse(code, "AddiSNSServer", rogue.address)
                listed += "    %s\n" % rogue.address
        conversation = self.converse()
        self.assertEqual(self.assert_done(conversation.say("ListiSNSServers")), listed)
        self.assertEqual(self.targets(conversation), [])
        server = self.start_server()
        server.register("one", [PREFIX + ":a"])
        self.assert_done(conversation.say("AddiSNSServer", server.portals[0]))
        self.assertEqual(self.targets(conversation), [PREFIX + ":a"])

    def test_what_goes_wrong_is_told(self):
        server = self.start_server()
        refused = os.environ["TEST_REFUSED_PORTAL"]
        self.refuse(REFUSED, "AddiSNSServer", refused)
        self.refuse(iscsicli_case.INVALID_PARAMETER, "AddiSNSServer", "no address")
        self.refuse(ISNS_SERVER_NOT_FOUND, "RemoveiSNSServer", server.portals[0])
        self.refuse(ISNS_SERVER_NOT_FOUND, "RefreshiSNSServer", server.portals[0])
        self.assertEqual(self.succeed("ListiSNSServers"), "    %s\n" % refused)
        self.succeed("RemoveiSNSServer", refused)
        self.assertEqual(self.succeed("ListiSNSServers"), "No SNS Servers\n")


class InProcess(Behaviour, Case):
    where = "never"


class ThroughService(Behaviour, Case):
    where = "auto"


if __name__ == "__main__":
    iscsicli_case.main(__doc__)
