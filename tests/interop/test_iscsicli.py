#!/usr/bin/env python3
"""Drives samples/iscsicli as users and their scripts do: single commands, and a conversation through pipes.

    python3 tests/harness/run.py --peers embedded,tgtd --build BUILD -- tests/interop/test_iscsicli.py ISCSICLI [TEST...]

ISCSICLI that ends in .exe runs under Wine, in the prefix of the build directory it lies in. Without peers only the
tests that need none run.
"""

import os
import queue
import re
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
import peers  # noqa: E402
import wineprefix  # noqa: E402

PROGRAM = ""
DEADLINE = 60
SUCCESS = "The operation completed successfully. "
PROMPT = re.compile(r"\[(.*)\] Enter command or \^C to exit$")
BANNER = re.compile(r"Microsoft iSCSI Initiator Version \d+\.\d+ Build \d+$")
SESSION_ID = re.compile(r"^Session Id is (0x[0-9a-f]+-0x[0-9a-f]+)$", re.M)
ID = r"[0-9a-f]+-[0-9a-f]+"
INVALID_PARAMETER, INVALID_SESSION_ID = 87, 0x1C
COMMANDS = """AddTarget RemoveTarget AddTargetPortal RemoveTargetPortal RefreshTargetPortal ListTargets
    ListTargetPortals TargetInfo AddiSNSServer RemoveiSNSServer RefreshiSNSServer ListiSNSServers LoginTarget
    PersistentLoginTarget LogoutTarget ListPersistentTargets RemovePersistentTarget AddConnection RemoveConnection
    SessionList ReportTargetMappings ScsiInquiry ReadCapacity ReportLUNs ListInitiators NodeName CHAPSecret TunnelAddr
    GroupKey PSKey GetPSKey BindPersistentVolumes BindPersistentDevices ReportPersistentDevices AddPersistentDevice
    RemovePersistentDevice ClearPersistentDevices Monitor QLoginTarget QAddTarget QAddTargetPortal QAddConnection""".split()


def under_wine():
    return PROGRAM.lower().endswith(".exe")


def command_and_environment(state):
    """How to start the program so that it keeps its state in that directory."""
    if not under_wine():
        return [PROGRAM], dict(os.environ, ISCSIDSC_STATE=state)
    prefix = wineprefix.WinePrefix(os.path.dirname(PROGRAM))
    prefix.ensure()
    return prefix.wine + [PROGRAM], dict(prefix.environment(), ISCSIDSC_STATE=wineprefix.windows_path(state))


def start(state):
    command, environment = command_and_environment(state)
    return lambda arguments: subprocess.Popen(
        command + arguments, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        preexec_fn=peers.die_with_parent)


def text(data):
    return data.decode(errors="replace").replace("\r\n", "\n")


class Conversation:
    """The program without arguments: commands in, answers out, both through pipes."""

    def __init__(self, state):
        self.process = start(state)([])
        self.lines = queue.Queue()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        self.greeting = self.answer()

    def read(self):
        for line in self.process.stdout:
            self.lines.put(text(line).rstrip("\n"))
        self.lines.put(None)

    def answer(self):
        """The lines up to the next prompt, which shows the node name."""
        answer, until = [], time.monotonic() + DEADLINE
        while True:
            try:
                line = self.lines.get(timeout=max(0, until - time.monotonic()))
            except queue.Empty:
                raise AssertionError("no prompt within %d s; so far:\n%s" % (DEADLINE, "\n".join(answer))) from None
            if line is None:
                raise AssertionError("the program ended; its last words:\n%s" % "\n".join(answer))
            prompt = PROMPT.match(line)
            if prompt:
                self.node_name = prompt.group(1)
                return "\n".join(answer)
            answer.append(line)

    def say(self, *words):
        quoted = ['"%s"' % word if " " in word or not word else word for word in words]
        return self.type(" ".join(quoted))

    def type(self, line):
        self.process.stdin.write((line + "\n").encode())
        self.process.stdin.flush()
        return self.answer()

    def close(self):
        """End of input; the exit code."""
        self.process.stdin.close()
        try:
            return self.process.wait(DEADLINE)
        finally:
            self.end()

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.reader.join(DEADLINE)
        self.process.stdin.close()
        self.process.stdout.close()


class Case(unittest.TestCase):
    longMessage = True

    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="iscsicli-")
        self.addCleanup(directory.cleanup)
        self.state = directory.name

    def run_once(self, *arguments, stdin=b""):
        """Exit code and output without the banner."""
        process = start(self.state)(list(arguments))
        try:
            output = text(process.communicate(stdin, timeout=DEADLINE)[0])
        finally:
            process.kill()
            process.wait()
        banner, _, rest = output.partition("\n\n")
        self.assertRegex(banner, BANNER)
        return process.returncode, rest

    def succeed(self, *arguments):
        """What a command prints before its status line."""
        code, output = self.run_once(*arguments)
        self.assertEqual((code, output[-len(SUCCESS) - 1:]), (0, SUCCESS + "\n"), output)
        return output[:-len(SUCCESS) - 1]

    def refuse(self, code, *arguments):
        """What a command prints that ends with that exit code, its status line included."""
        got, output = self.run_once(*arguments)
        self.assertEqual(got, code, "%s\n%s" % (arguments, output))
        self.assertNotIn(SUCCESS, output)
        return output

    def converse(self):
        conversation = Conversation(self.state)
        self.addCleanup(conversation.end)
        return conversation

    def assert_done(self, answer):
        self.assertTrue(answer.endswith(SUCCESS), "expected success:\n" + answer)
        return answer[:-len(SUCCESS)]


class Usage(Case):
    """What the program does before it asks the library."""

    def usage_of(self, answer):
        return re.findall(r"^iscsicli (\w+)", answer, re.M)

    def test_unknown_command_gives_the_full_usage_and_success(self):
        self.assertEqual(self.usage_of(self.succeed("Frobnicate"))[1:], COMMANDS)

    def test_ping_is_not_offered(self):
        self.assertEqual(self.usage_of(self.succeed("Ping", "*", "127.0.0.1"))[1:], COMMANDS)

    def test_wrong_number_of_arguments_gives_that_commands_usage_and_success(self):
        login = ["x", "T"] + ["*"] * 15
        lun = ["0x0000000000000001", "0", "0", "0"]
        cases = [["LogoutTarget"], ["LogoutTarget", "1-1", "1"], ["ListTargets", "T", "T"], ["ListInitiators", "x"],
                 ["AddTargetPortal", "h"], ["AddTargetPortal", "h", "1", "*"], ["AddTargetPortal"] + ["*"] * 13,
                 ["RemoveTargetPortal", "h"], ["RemoveTargetPortal"] + ["*"] * 5, ["QLoginTarget"],
                 ["QLoginTarget", "x", "user"], ["QLoginTarget", "x", "user", "password", "1"],
                 ["QAddTargetPortal", "h", "3260"], ["QAddConnection", "1-1", "*"], ["ScsiInquiry", "1-1", "0", "0"],
                 ["ReadCapacity", "1-1"], ["ReportLUNs"], ["LoginTarget"] + login, ["LoginTarget"] + login + ["2"],
                 ["LoginTarget"] + login + ["0"] + lun, ["LoginTarget"] + login + ["2"] + lun,
                 ["LoginTarget"] + login + ["1073741825"] + lun, ["AddTarget"] + ["*"] * 15, ["AddConnection"] + ["*"] * 15,
                 ["PSKey"] + ["*"] * 6, ["GroupKey", "key"], ["RemovePersistentTarget", "*", "x", "*", "*"]]
        conversation = self.converse()
        for words in cases:
            with self.subTest(words=words):
                self.assertEqual(self.usage_of(self.assert_done(conversation.say(*words))), [words[0]])

    def test_persistent_logins_are_stored_listed_and_removed(self):
        target = "iqn.2026-11.org.Example:Kept"
        conversation = self.converse()
        self.assertIn("Total of 0 peristent targets\n", self.assert_done(conversation.say("ListPersistentTargets")))
        login = [target, "T", "192.0.2.1", "3260", "*", "*", "*"] + ["*"] * 9 + ["*", "1", "0x0000000000000005", "1", "2", "3"]
        output = self.assert_done(conversation.say("PersistentLoginTarget", *login))
        self.assertNotIn("Session Id", output)
        output = self.assert_done(conversation.say("ListPersistentTargets"))
        self.assertIn("Total of 1 peristent targets\n", output)
        self.assertIn(target, output)
        self.assertIn("192.0.2.1 3260", output)
        removal = ["RemovePersistentTarget", "*", target, "*", "192.0.2.1", "3260"]
        self.assert_done(conversation.say(*removal))
        self.assertIn("Total of 0 peristent targets\n", self.assert_done(conversation.say("ListPersistentTargets")))
        self.assertNotIn(SUCCESS, conversation.say(*removal))

    def test_monitor_ends_after_its_time(self):
        self.assertLess(len(self.succeed("Monitor", "1").splitlines()), 3)

    def test_names_are_compared_without_case(self):
        self.assertEqual(self.succeed("LISTinitiators"), self.succeed("ListInitiators"))

    def test_an_id_that_is_none_is_shown_and_refused(self):
        for word in "zz", "1", "1-", "-1", "1-2-3", "1-g", "0x-1", "12345678901234567-1", "1-12345678901234567", "":
            with self.subTest(id=word):
                self.assertIn("Invalid sessionid: %s\n" % word, self.converse().say("LogoutTarget", word) + "\n")
        self.assertIn("Invalid sessionid: zz\n", self.refuse(INVALID_PARAMETER, "ReadCapacity", "zz", "0"))

    def test_an_id_of_no_session_is_echoed_and_not_found(self):
        for word in "0xABC-0x1", "abc-1", "0xabc-1", "abc-0x0000000000000001":
            with self.subTest(id=word):
                self.assertTrue(self.refuse(INVALID_SESSION_ID, "LogoutTarget", word)
                                .startswith("Logout Target 0xabc-0x1\n"))

    def test_lun_is_hexadecimal_without_0x(self):
        for lun in "0x0", "", "1g", "12345678901234567":
            with self.subTest(lun=lun):
                self.assertIn("Invalid LUN: %s\n" % lun, self.refuse(INVALID_PARAMETER, "ReadCapacity", "1-1", lun))
        self.refuse(INVALID_SESSION_ID, "ReadCapacity", "1-1", "fF")

    def test_numbers_out_of_range_are_refused(self):
        self.refuse(INVALID_PARAMETER, "ScsiInquiry", "1-1", "0", "0", "256")
        self.refuse(INVALID_SESSION_ID, "ScsiInquiry", "1-1", "0", "1", "0xff")
        self.refuse(INVALID_PARAMETER, "AddTargetPortal", "127.0.0.1", "65536")
        self.refuse(INVALID_PARAMETER, "AddTargetPortal", "a" * 256, "3260")
        self.assertEqual(self.succeed("ListTargetPortals"), "", "a refused portal was kept")

    def test_login_needs_both_halves_of_a_portal(self):
        self.refuse(INVALID_PARAMETER, "LoginTarget", "x", "T", "127.0.0.1", "*", *["*"] * 13, "0")
        self.refuse(INVALID_PARAMETER, "LoginTarget", "x", "T", "*", "3260", *["*"] * 13, "0")

    def test_mappings_are_checked(self):
        def login(*luns):
            return self.refuse(INVALID_PARAMETER, "LoginTarget", "x", "T", *["*"] * 15, str(len(luns)), *sum(luns, ()))
        good = ("0x0000000000000001", "0", "0", "0")
        self.assertIn("Target LUN must be in 0x0123456789abcdef format", login(("1", "0", "0", "0")))
        self.assertIn("OSBus number must be the same for all LUNs", login(good, (good[0], "1", "0", "0")))
        self.assertIn("OSTarget number must be the same for all LUNs", login(good, (good[0], "0", "1", "0")))

    def test_unsupported_identity_type_names_those_there_are(self):
        self.assertIn("IPv4", self.succeed("GetPSKey", "*", "*", "4", "x"))
        self.refuse(INVALID_PARAMETER, "GetPSKey", "*", "*", "1", "1.2.3")
        self.refuse(INVALID_PARAMETER, "GetPSKey", "*", "*", "5", "1.2.3.4")

    def test_unknown_target_is_announced_and_not_found(self):
        output = self.refuse(0x29, "LoginTarget", "iqn.2026-11.org.example:nowhere", "T", *["*"] * 15, "0")
        self.assertTrue(output.startswith(
            "LoginTarget to iqn.2026-11.org.example:nowhere on <no init instance> to <no portal>/0\n"), output)


class Interactive(Case):
    """Reading commands from standard input."""

    def test_prompt_shows_the_node_name_and_end_of_input_ends_the_program(self):
        conversation = self.converse()
        self.assertRegex(conversation.greeting, r"^Microsoft iSCSI Initiator Version \S+ Build \d+\n$")
        self.assertRegex(conversation.node_name, r"^iqn\.")
        self.assertEqual(conversation.close(), 0)

    def test_exit_code_is_that_of_the_last_command(self):
        conversation = self.converse()
        conversation.say("ListInitiators")
        conversation.say("LogoutTarget", "1-1")
        self.assertEqual(conversation.close(), INVALID_SESSION_ID)

    def test_quotes_keep_blanks_and_backslashes_are_plain(self):
        conversation = self.converse()
        self.assertIn("Invalid sessionid: a  b\\c", conversation.say("LogoutTarget", "a  b\\c"))
        self.assertIn("Initiators List:", conversation.type('\t"List"Initiators  '))

    def test_an_overlong_line_is_not_run(self):
        code, output = self.run_once(stdin=b"ListInitiators " + b" " * 200000 + b"\nListInitiators")
        self.assertEqual((code, output.count("The line is too long"), output.count("Initiators List:")), (0, 1, 1))


class Settings(Case):
    """The initiator's own settings, and that they last."""

    def test_initiators(self):
        self.assertRegex(self.succeed("ListInitiators"), r"^Initiators List:\n(    \S+\n)+$")
        self.assertIn("    Root\\ISCSIPRT\\0000_0\n", self.succeed("ListInitiators"))

    def test_node_name_lasts_and_star_brings_the_default_back(self):
        default = self.converse().node_name
        self.succeed("NodeName", "iqn.2026-11.org.example:me")
        self.assertEqual(self.converse().node_name, "iqn.2026-11.org.example:me")
        self.succeed("NodeName", "*")
        self.assertEqual(self.converse().node_name, default)

    def test_chap_secret_is_text_or_hexadecimal(self):
        short = 0x4C
        for secret in "secretsecret", "0x" + "00ff" * 6, "0X" + "aB" * 16, "*":
            with self.subTest(secret=secret):
                self.assertEqual(self.succeed("CHAPSecret", secret), "")
        for secret in "short", "a" * 17, "0x" + "aa" * 17, "0x" + "aa" * 11:
            with self.subTest(secret=secret):
                self.refuse(short, "CHAPSecret", secret)
        for secret in "0x" + "a" * 25, "0x", "0x" + "g" * 24:
            with self.subTest(secret=secret):
                self.refuse(INVALID_PARAMETER, "CHAPSecret", secret)


@unittest.skipUnless("TEST_REFUSED_PORTAL" in os.environ, "not run by the harness")
class Portals(Case):
    """The list of portals; a portal that cannot be reached stays on it, as on Windows."""

    def setUp(self):
        super().setUp()
        self.address, self.socket = os.environ["TEST_REFUSED_PORTAL"].split(":")

    def test_shape_of_the_list(self):
        self.assertEqual(self.succeed("ListTargetPortals"), "")
        output = self.refuse(3, "AddTargetPortal", self.address, self.socket)
        self.assertEqual(output.count("\n"), 1, "only the status line")
        self.assertRegex(self.succeed("ListTargetPortals"), r"""(?x)\A
            Total\ of\ 1\ portals\ are\ persisted:\n \n
            \ {4}Address\ and\ Socket\ {3}:\ %s\ %s\n
            \ {4}Symbolic\ Name\ {8}:\ .*\n
            \ {4}Initiator\ Name\ {7}:\ .*\n
            \ {4}Port\ Number\ {10}:\ <Any\ Port>\n
            \ {4}Security\ Flags\ {8}:\ 0x0\n
            \ {4}Version\ {14}:\ 0\n
            \ {4}Information\ Specified:\ 0x0\n
            \ {4}Login\ Flags\ {10}:\ 0x0\n
            \n\Z""" % (re.escape(self.address), self.socket))

    def test_login_options_of_a_portal(self):
        self.refuse(3, "AddTargetPortal", self.address, self.socket, "*", "-1", "0x5", "2", "1", "0", "2", "5", "7",
                  "somebody", "secretsecret", "1")
        listing = self.succeed("ListTargetPortals")
        for line in ("    Security Flags        : 0x5", "        Security Flags are Valid",
                     "    Information Specified: 0xff", "    Header Digest        : CRC-32C",
                     "    Data Digest          : None", "    Maximum Connections  : 2", "    Default Time 2 Wait  : 5",
                     "    Default Time 2 Retain: 7", "    Login Flags          : 0x2",
                     " " * 27 + "Multipath Enabled", "    Authentication Type  : CHAP",
                     "    Username             : 73 6f 6d 65 62 6f 64 79 " + " " * 28 + "somebody"):
            self.assertIn(line + "\n", listing)
        self.assertNotIn("secretsecret", listing)
        self.assertNotIn(" ".join("%02x" % c for c in b"secretsecret"), listing)

    def test_remove_and_refresh(self):
        self.refuse(3, "AddTargetPortal", self.address, self.socket)
        self.refuse(3, "RefreshTargetPortal", self.address, self.socket)
        self.assertEqual(self.succeed("RemoveTargetPortal", self.address, self.socket), "")
        self.assertEqual(self.succeed("ListTargetPortals"), "")
        self.refuse(0x43, "RemoveTargetPortal", self.address, self.socket, "*", "*")

    def test_quick_form_takes_the_standard_port(self):
        self.run_once("QAddTargetPortal", "127.0.0.1", "somebody", "secretsecret")
        listing = self.succeed("ListTargetPortals")
        self.assertIn("    Address and Socket   : 127.0.0.1 3260\n", listing)
        self.assertIn("    Authentication Type  : CHAP\n", listing)

    def test_no_targets(self):
        self.assertEqual(self.succeed("ListTargets"), "Targets List:\n")


def on_each_peer(test):
    """Run a test against every peer there is, with a conversation and a state directory of its own."""
    def run(self):
        if not os.environ.get("TEST_PEERS"):
            self.skipTest("no peers")
        for self.kind in os.environ["TEST_PEERS"].split(","):
            with self.subTest(peer=self.kind), tempfile.TemporaryDirectory(prefix="iscsicli-") as self.state:
                self.address, self.socket = os.environ["TEST_%s_PORTAL" % self.kind.upper()].rsplit(":", 1)
                self.lun = os.environ["TEST_%s_LUN" % self.kind.upper()]
                conversation = Conversation(self.state)
                try:
                    test(self, conversation)
                finally:
                    conversation.end()
    return run


class Sessions(Case):
    """Discovery, sessions and SCSI commands on every peer that runs."""

    def log_in(self, conversation, target="open", *credentials):
        self.assert_done(conversation.say("AddTargetPortal", self.address, self.socket))
        answer = self.assert_done(conversation.say("QLoginTarget", "%s:%s" % (peers.PREFIX, target), *credentials))
        ids = r"\ASession Id is (0x%s-0x%s)\nConnection Id is 0x%s-0x%s\n\Z" % ((r"[0-9a-f]+",) * 4)
        self.assertRegex(answer, ids)
        return re.match(ids, answer).group(1)

    def data(self, answer, indent=8):
        """The bytes of a hex dump."""
        rows = re.findall(r"^ {%d}((?:[0-9a-f]{2} ){1,16}) *    (\S+)$" % indent, answer, re.M)
        data = bytes.fromhex("".join(row for row, _ in rows))
        shown = "".join(characters for _, characters in rows)
        self.assertEqual(shown, "".join(chr(b) if 0x21 <= b <= 0x7E else "." for b in data))
        return data

    @on_each_peer
    def test_targets_are_listed(self, conversation):
        self.assert_done(conversation.say("AddTargetPortal", self.address, self.socket))
        for words in ["ListTargets"], ["ListTargets", "T"]:
            listing = self.assert_done(conversation.say(*words))
            self.assertRegex(listing, r"\ATargets List:\n(    \S+\n)+\Z")
            self.assertEqual(sorted(listing.split()[2:]),
                             sorted("%s:%s" % (peers.PREFIX, name) for name, _, _ in peers.TARGETS))

    @on_each_peer
    def test_session_list(self, conversation):
        self.assertEqual(self.assert_done(conversation.say("SessionList")), "Total of 0 sessions\n\n")
        session = self.log_in(conversation)
        target = re.escape(peers.PREFIX + ":open")
        self.assertRegex(self.assert_done(conversation.say("SessionList", "F")), r"""(?x)\A
            Total\ of\ 1\ sessions\n \n
            Session\ Id\ {13}:\ %s\n
            Initiator\ Node\ Name\ {4}:\ %s\n
            Target\ Node\ Name\ {7}:\ %s\n
            Target\ Name\ {12}:\ %s\n
            ISID\ {19}:\ [0-9a-f]{2}(\ [0-9a-f]{2}){5}\n
            TSID\ {19}:\ [0-9a-f]{2}\ [0-9a-f]{2}\n
            Number\ Connections\ {5}:\ 1\n
            \n\ {4}Connections:\n
            \ {8}Connection\ Id\ {5}:\ %s\n
            \ {8}Initiator\ Portal\ \ :\ \S+/\d+\n
            \ {8}Target\ Portal\ {5}:\ %s/%s\n
            \ {8}CID\ {15}:\ [0-9a-f]{2}\ [0-9a-f]{2}\n
            \n\Z""" % (session.replace("0x", ""), re.escape(conversation.node_name), target, target, ID,
                       re.escape(self.address), self.socket))

    @on_each_peer
    def test_scsi_commands(self, conversation):
        session = self.log_in(conversation)
        answer = self.assert_done(conversation.say("ScsiInquiry", session, self.lun, "0", "0"))
        inquiry = self.data(answer)
        self.assertTrue(answer.startswith("    ScsiStatus             : 0x0\n"
                                          "    Response Buffer Size   : 0x%x\n" % len(inquiry)), answer)
        self.assertGreaterEqual(len(inquiry), 36)
        self.assertEqual(inquiry[0] & 0x1F, 0, "a disk")
        pages = self.data(self.assert_done(conversation.say("ScsiInquiry", session, self.lun, "1", "0")))
        self.assertEqual(pages[1], 0, "the list of pages")
        capacity = self.data(self.assert_done(conversation.say("ReadCapacity", session, self.lun)))
        self.assertEqual(capacity, (16383).to_bytes(4, "big") + (512).to_bytes(4, "big"))
        luns = self.data(self.assert_done(conversation.say("ReportLUNs", session)))
        self.assertEqual(int.from_bytes(luns[:4], "big") + 8, len(luns))

    @on_each_peer
    def test_a_scsi_error_shows_the_sense_data(self, conversation):
        answer = conversation.say("ReadCapacity", self.log_in(conversation), "9")  # there is no such LUN
        self.assertRegex(answer, r"\A    ScsiStatus             : 0x2\n    Sense Buffer Size      : 0x[0-9a-f]+\n")
        self.assertIn(self.data(answer, 4)[2] & 0xF, (5,), "ILLEGAL REQUEST")
        self.assertNotIn(SUCCESS, answer)

    @on_each_peer
    def test_logout_and_second_logout(self, conversation):
        session = self.log_in(conversation)
        self.assertEqual(self.assert_done(conversation.say("LogoutTarget", session)), "Logout Target %s\n" % session)
        self.assertNotIn(SUCCESS, conversation.say("LogoutTarget", session))
        self.assertEqual(self.assert_done(conversation.say("SessionList")), "Total of 0 sessions\n\n")
        self.assertEqual(conversation.close(), 0)

    @on_each_peer
    def test_second_login_is_refused_unless_multipath(self, conversation):
        self.log_in(conversation)
        login = ["LoginTarget", peers.PREFIX + ":open", "T"] + ["*"] * 15 + ["0"]
        self.assertIn("already been logged", conversation.say(*login))
        login[8] = "0x00000002"
        answer = self.assert_done(conversation.say(*login))
        self.assertRegex(answer, r"\ALoginTarget to \S+ on <no init instance> to <no portal>/0\nSession Id is 0x")
        self.assertTrue(conversation.say("SessionList").startswith("Total of 2 sessions\n"))

    @on_each_peer
    def test_login_through_a_named_portal_and_instance_without_devices(self, conversation):
        self.assert_done(conversation.say("AddTargetPortal", self.address, self.socket))
        answer = self.assert_done(conversation.say(
            "LoginTarget", peers.PREFIX + ":open", "F", self.address, self.socket, "Root\\ISCSIPRT\\0000_0", "-1",
            "*", "0x00000002", *["*"] * 8, "*", "0"))
        self.assertTrue(answer.startswith("LoginTarget to %s:open on Root\\ISCSIPRT\\0000_0 to %s/%s\n"
                                          % (peers.PREFIX, self.address, self.socket)), answer)
        session = SESSION_ID.search(answer).group(1)
        self.assert_done(conversation.say("ReadCapacity", session, self.lun))

    @on_each_peer
    def test_digests(self, conversation):
        if self.kind == "tgtd":  # its targets without digests refuse them
            return
        self.assert_done(conversation.say("AddTargetPortal", self.address, self.socket))
        answer = self.assert_done(conversation.say("LoginTarget", peers.PREFIX + ":open", "T", *["*"] * 5, "0", "1",
                                                   "1", *["*"] * 7, "0"))
        self.assert_done(conversation.say("ReadCapacity", SESSION_ID.search(answer).group(1), self.lun))

    @on_each_peer
    def test_chap(self, conversation):
        self.log_in(conversation, "chap", peers.CHAP_USER, peers.CHAP_SECRET)
        self.assertIn("Authentication Failure", conversation.say(
            "QLoginTarget", peers.PREFIX + ":mutual", peers.CHAP_USER, "wrongsecret12"))
        self.assertTrue(conversation.say("SessionList").startswith("Total of 1 sessions\n"))

    @on_each_peer
    def test_mutual_chap_with_hexadecimal_secrets(self, conversation):
        self.assert_done(conversation.say("AddTargetPortal", self.address, self.socket))
        login = ["LoginTarget", peers.PREFIX + ":mutual", "T"] + ["*"] * 5 + [
            "0", "*", "*", "*", "*", "*", peers.CHAP_USER, "0x" + peers.CHAP_SECRET.encode().hex(), "2", "*", "0"]
        self.assert_done(conversation.say("CHAPSecret", "0x" + b"nottherightone".hex()))
        self.assertNotIn(SUCCESS, conversation.say(*login))
        self.assert_done(conversation.say("CHAPSecret", "0x" + peers.TARGET_SECRET.encode().hex()))
        self.assert_done(conversation.say(*login))


def main():
    global PROGRAM
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)


if __name__ == "__main__":
    main()
