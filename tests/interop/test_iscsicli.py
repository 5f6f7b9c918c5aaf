#!/usr/bin/env python3
"""iscsicli without a target: usage, interactive mode, settings, the list of portals.

    python3 tests/harness/run.py --peers embedded --build BUILD -- tests/interop/test_iscsicli.py ISCSICLI [TEST...]
"""

import os
import re
import unittest

import iscsicli_case
from iscsicli_case import INVALID_PARAMETER, INVALID_SESSION_ID, SUCCESS, Case, under_wine

NOT_SUPPORTED, BAD_CONFIGURATION, INVALID_NAME = 50, 1610 & 0xFF, 0x51

COMMANDS = """AddTarget RemoveTarget AddTargetPortal RemoveTargetPortal RefreshTargetPortal ListTargets
    ListTargetPortals TargetInfo AddiSNSServer RemoveiSNSServer RefreshiSNSServer ListiSNSServers LoginTarget
    PersistentLoginTarget LogoutTarget ListPersistentTargets RemovePersistentTarget AddConnection RemoveConnection
    SwitchPortal SessionList ReportTargetMappings EffectiveParameters ScsiInquiry ReadCapacity ReportLUNs ListInitiators NodeName CHAPSecret TunnelAddr
    GroupKey PSKey GetPSKey BindPersistentVolumes BindPersistentDevices ReportPersistentDevices AddPersistentDevice
    RemovePersistentDevice ClearPersistentDevices Monitor QLoginTarget QAddTarget QAddTargetPortal QAddConnection""".split()


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
                 ["QAddTargetPortal", "h", "3260"], ["QAddConnection", "1-1", "*"], ["SwitchPortal", "1-1"], ["EffectiveParameters", "x", "127.0.0.1"], ["ScsiInquiry", "1-1", "0", "0"],
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


def every_line(text):
    """Those that set something or begin a section."""
    return [line for line in text.splitlines() if line and not line.startswith("#")]


class Parameters(Case):
    """What iscsi.conf has become."""

    FILE = """LoginTimeout = 21
Password = "of everybody 12"
Subnet = 192.0.2.0/24
    LoginTimeout = 22
DiscoveryAddress = finder.example:3261
    IdleTimeout = 23
    DataDigest = always
TargetName = iqn.2026-11.org.example:a
    IdleTimeout = 0x18
    IncomingPassword = another one 12

"""

    def shown(self, *arguments):
        """Name: (value, where it is from)."""
        output = self.succeed("EffectiveParameters", *arguments)
        for secret in "of everybody 12", "another one 12":
            self.assertNotIn(secret, output)
        rows = re.findall(r"^(\w+) = (.*) \(([^()]+)\)$", output, re.M)
        self.assertEqual(len(rows), len(output.splitlines()), output)
        return {name: (value, source.replace(self.path, "f")) for name, value, source in rows}

    def setUp(self):
        super().setUp()
        self.path = os.path.join(self.state, "iscsi.conf")
        if under_wine():
            self.refuse(NOT_SUPPORTED, "EffectiveParameters")
            self.skipTest("the DLL has no function for it")

    def write(self, text):
        with open(self.path, "w") as file:
            file.write(text)
        os.chmod(self.path, 0o600)

    def test_defaults_without_a_file(self):
        shown = self.shown()
        self.assertEqual({source for _, source in shown.values()}, {"default"})
        self.assertEqual((shown["LoginTimeout"][0], shown["Password"][0], shown["TCPConnectTime"][0]), ("30", "", "15"))

    def test_each_has_its_line_and_its_scope(self):
        self.write(self.FILE)
        shown = self.shown()
        self.assertEqual(shown["LoginTimeout"], ("21", "f:1, global"))
        self.assertEqual(shown["Password"], ("(set)", "f:2, global"))
        self.assertEqual(shown["IdleTimeout"], ("15", "default"))
        shown = self.shown("*", "192.0.2.7", "3260")
        self.assertEqual(shown["LoginTimeout"], ("22", "f:4, Subnet"))
        self.assertEqual(shown["IdleTimeout"], ("15", "default"))
        shown = self.shown("*", "*", "*", "finder.example", "3261")
        self.assertEqual(shown["IdleTimeout"], ("23", "f:6, DiscoveryAddress"))
        self.assertEqual(self.shown("*", "*", "*", "finder.example", "*")["IdleTimeout"], ("15", "default"))
        shown = self.shown("iqn.2026-11.org.example:A", "192.0.2.7", "3260", "finder.example", "3261")
        self.assertEqual(shown["IdleTimeout"], ("24", "f:9, TargetName"))
        self.assertEqual(shown["IncomingPassword"], ("(set)", "f:10, TargetName"))
        self.assertEqual(shown["DataDigest"], ("always", "f:7, DiscoveryAddress"))
        self.assertEqual(shown["LoginTimeout"], ("22", "f:4, Subnet"))

    def test_login_options_of_a_target_come_first(self):
        self.write(self.FILE)
        conversation = self.converse()
        self.assert_done(conversation.say("AddTarget", "iqn.2026-11.org.example:a", "*", "192.0.2.7", "3260", "*", "F",
                                          "*", "1", "0", "*", "*", "*", "user", "usersecret12", "1", "0"))
        answer = self.assert_done(conversation.say("EffectiveParameters", "iqn.2026-11.org.example:a"))
        self.assertIn("HeaderDigest = prefer-on (options)\n", answer)
        self.assertIn("DataDigest = never (options)\n", answer)
        self.assertIn("Username = user (options)\nPassword = (set) (options)\n", answer)
        self.assertIn("IdleTimeout = 24 (%s:9, TargetName)\n" % self.path, answer)
        self.assertNotIn("usersecret12", answer)

    # Whom each section of the sample counts for, in its order; nobody else has a more specific one.
    SECTIONS = {
        "Subnet": ("10.1.0.0/16", ("*", "10.1.9.9", "3260")),
        "TargetIPAddress": ("10.1.2.0/24", ("*", "10.1.2.9", "3260")),
        "Address": ("10.1.2.3/32", ("*", "10.1.2.3", "3260")),
        "DiscoveryAddress": ("10.1.2.3:3260", ("*", "*", "*", "10.1.2.3", "3260")),
        "TargetName": ("iqn.2026-11.org.example:disk", ("iqn.2026-11.org.example:disk",)),
    }

    def values(self, subject):
        return {name: value for name, (value, _) in self.shown(*subject).items()}

    def print_again(self, secrets):
        """A file of what is set, as it is shown for everything and for each section."""
        def lines(shown, scope, margin):
            return ['%s%s = "%s"' % (margin, name, secrets[name] if value == "(set)" else value)
                    for name, (value, source) in shown.items() if source.endswith(", " + scope)]
        text = lines(self.shown(), "global", "")
        for kind, (name, subject) in self.SECTIONS.items():
            own = lines(self.shown(*subject), kind, "    ")
            text += ['%s = "%s"' % (kind, name)] + own if own else []
        return "\n".join(text) + "\n"

    def assert_round_trip(self, text, secrets=()):
        subjects = [()] + [subject for _, subject in self.SECTIONS.values()]
        self.write(text)
        before = [self.values(subject) for subject in subjects]
        printed = self.print_again(dict(secrets))
        self.write(printed)
        self.assertEqual([self.values(subject) for subject in subjects], before, printed)
        self.assertEqual(self.print_again(dict(secrets)), printed)
        return printed

    def test_the_sample_is_the_same_when_it_is_printed_and_read_again(self):
        with open(os.path.join(os.path.dirname(__file__), "..", "..", "samples", "iscsi.conf")) as file:
            sample = file.read()
        defaults = self.values(())
        self.assert_round_trip(sample)
        self.assertEqual(self.values(()), defaults)
        every = re.sub(r"^#(?=\w+ = )", "", sample, flags=re.M)
        self.assert_round_trip(every)
        self.assertEqual(self.values(()), defaults, "the sample shows other values than the defaults")
        # What has no default, too, and the sections at the sample's beginning.
        every = re.sub(r"^# No default; for example (?=\w+ = )", "", every, flags=re.M)
        every = re.sub(r"^# ((?:    )?\w+ = .*)$", r"\1", every, flags=re.M)
        secrets = dict(re.findall(r'^((?:Incoming)?Password) = "(.*)"$', every, re.M))
        self.assertEqual(sorted(secrets), ["IncomingPassword", "Password"])
        every = every.replace('IncomingPassword = "', 'IncomingPassword = "of the target, ')
        secrets["IncomingPassword"] = "of the target, " + secrets["IncomingPassword"]
        printed = self.assert_round_trip(every, secrets)
        for kind, (name, _) in self.SECTIONS.items():
            self.assertIn('\n%s = "%s"\n    ' % (kind, name), printed)
        self.assertEqual(len(printed.splitlines()), len(every_line(every)), printed)

    def test_what_cannot_be_is_refused(self):
        self.refuse(INVALID_NAME, "EffectiveParameters", "no target name")
        for arguments in ("*", "192.0.2.7", "x"), ("*", "192.0.2.7", "65536"), ("*", "*", "*", "h", "0"):
            self.refuse(INVALID_PARAMETER, "EffectiveParameters", *arguments)
        self.write("Typo = 1\n")
        self.refuse(BAD_CONFIGURATION, "EffectiveParameters")


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

if __name__ == "__main__":
    iscsicli_case.main(__doc__)
