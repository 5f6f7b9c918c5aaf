#!/usr/bin/env python3
"""iscsicli and what is set by hand: static targets and what is known of a target, servers, keys, devices.

    python3 tests/harness/run.py --peers embedded --build BUILD -- tests/interop/test_iscsicli_targets.py ISCSICLI [TEST...]
"""

import os
import re

import iscsicli_case
import peers
from iscsicli_case import INVALID_PARAMETER, SUCCESS, Case, on_each_peer

TARGET = peers.PREFIX + ":by-hand"
NO_SUCH_TARGET = 0x29
NO_LUNS = ["0"]
OPTIONS = ["2", "1", "0", "3", "5", "7", "someone", "secret123456", "1"]


class Targets(Case):
    """Static targets and TargetInfo."""

    def mechanisms(self, target):
        return re.findall(r'^ {9}"(.*)"$', self.succeed("TargetInfo", target), re.M)

    def test_everything_that_is_given_is_shown(self):
        luns = ["2", "0x0000000000000001", "0", "4", "7", "0x0000000000000002", "0", "4", "8"]
        self.assertEqual(self.succeed("AddTarget", TARGET, "An alias", "2001:db8::9", "3261", "*", "T", *OPTIONS, *luns), "")
        self.assertEqual(self.succeed("ListTargets"), "Targets List:\n    %s\n" % TARGET)
        mechanism, = self.mechanisms(TARGET)
        self.assertRegex(self.succeed("TargetInfo", TARGET, mechanism), r"""(?x)\A
            Get\ Target\ information\ for\ %s\ discovered\ by\ %s\n
            \ {4}Discovery\ Mechanisms\ :\n
            \ {9}"%s"\n
            \ {4}Protocol\ Type\ {8}:\ iSCSI\ TCP\ Protocol\n
            \ {4}Target\ Alias\ {9}:\ An\ alias\n
            \ {4}PortalGroups\ {9}:\ 1\ portal\ groups\n
            \ {8}Group\ 0\ has\ 1\ portals\n
            \ {12}Address\ and\ Socket\ {4}:\ 2001:db8::9\ 3261\n
            \ {12}Symbolic\ Name\ {9}:\ \n
            \ {4}Initiator\ Name\ {7}:\ Root\\ISCSIPRT\\0000_0\n
            \ {4}Target\ Flags\ {9}:\ 0x0\n
            \ {4}Version\ {14}:\ 0\n
            \ {4}Information\ Specified:\ 0xff\n
            \ {4}Header\ Digest\ {8}:\ CRC-32C\n
            \ {4}Data\ Digest\ {10}:\ None\n
            \ {4}Maximum\ Connections\ \ :\ 3\n
            \ {4}Default\ Time\ 2\ Wait\ \ :\ 5\n
            \ {4}Default\ Time\ 2\ Retain:\ 7\n
            \ {4}Login\ Flags\ {10}:\ 0x2\n
            \ {27}Multipath\ Enabled\n
            \ {4}Authentication\ Type\ \ :\ CHAP\n
            \ {4}Username\ {13}:\ 73\ 6f\ 6d\ 65\ 6f\ 6e\ 65\ +someone\n
            \ {4}Password\ {13}:\ <is\ established>\n
            \ {4}Session\ Id\ {13}:\ 0-0\n
            \ {4}Target\ Name\ {12}:\ %s\n
            \ {4}Initiator\ {14}:\ Root\\ISCSIPRT\\0000_0\n
            \ {4}Initiator\ Scsi\ Device\ \ :\ .*\n
            \ {4}Initiator\ Bus\ {10}:\ 0\n
            \ {4}Initiator\ Target\ Id\ {4}:\ 4\n
            \ {8}Target\ LUN:\ 0x1\ <-->\ OS\ Lun:\ 0x7\n
            \ {8}Target\ LUN:\ 0x2\ <-->\ OS\ Lun:\ 0x8\n
            \n \n\Z""" % (re.escape(TARGET), re.escape(mechanism), re.escape(mechanism), re.escape(TARGET)))

    def test_a_target_that_lasts_and_one_that_does_not(self):
        """Each call has an engine of its own here: what is not persistent goes with it."""
        self.succeed("AddTarget", TARGET, "*", "*", "*", "*", "F", *["*"] * 9, *NO_LUNS)
        self.assertEqual(self.succeed("ListTargets"), "Targets List:\n")
        self.succeed("AddTarget", TARGET, "*", "*", "*", "*", "*", *["*"] * 9, *NO_LUNS)
        self.assertIn(TARGET, self.succeed("ListTargets"))
        self.assertEqual(self.succeed("RemoveTarget", TARGET), "")
        self.assertEqual(self.succeed("ListTargets"), "Targets List:\n")
        self.refuse(NO_SUCH_TARGET, "RemoveTarget", TARGET)

    def test_a_hidden_target_and_merging(self):
        conversation = self.converse()
        add = ["AddTarget", TARGET, "first", "192.0.2.1", "3260", "2", "T"] + ["*"] * 9 + ["*"]
        self.assert_done(conversation.say(*add))
        self.assertEqual(self.assert_done(conversation.say("ListTargets")), "Targets List:\n")
        shown = self.assert_done(conversation.say("TargetInfo", TARGET, *self.mechanisms(TARGET)))
        self.assertIn("    Target Flags         : 0x2\n%sTarget is hidden until dynamically discovered\n" % (" " * 27), shown)
        add[2:6] = "second", "*", "*", "6"
        self.assert_done(conversation.say(*add))
        shown = self.assert_done(conversation.say("TargetInfo", TARGET, *self.mechanisms(TARGET)))
        self.assertIn("    Target Alias         : second\n", shown)
        self.assertIn("192.0.2.1 3260", shown)

    def test_quick_form(self):
        self.assertEqual(self.succeed("QAddTarget", TARGET, "192.0.2.1"), "")
        mechanism, = self.mechanisms(TARGET)
        self.assertIn("            Address and Socket    : 192.0.2.1 3260\n", self.succeed("TargetInfo", TARGET, mechanism))
        self.succeed("QAddTarget", TARGET, "*")
        self.assertIn("        Group 0 has 0 portals\n", self.succeed("TargetInfo", TARGET, mechanism))

    def test_what_is_wrong(self):
        self.refuse(NO_SUCH_TARGET, "TargetInfo", TARGET)
        self.refuse(0x51, "QAddTarget", "a b", "*")
        self.refuse(INVALID_PARAMETER, "AddTarget", TARGET, "*", "192.0.2.1", "65536", "*", "*", *["*"] * 9, *NO_LUNS)
        self.refuse(0x2A, "AddTarget", TARGET, "*", "*", "*", "*", "*", "*", "*", "*", "0", *["*"] * 5, *NO_LUNS)
        self.succeed("QAddTarget", TARGET, "*")
        self.assertEqual(self.succeed("TargetInfo", TARGET, "nonsense").count("Failed"), 7)

    @on_each_peer
    def test_a_discovered_target(self, conversation):
        self.assert_done(conversation.say("AddTargetPortal", self.address, self.socket))
        answer = self.assert_done(conversation.say("TargetInfo", peers.PREFIX + ":open"))
        self.assertRegex(answer, r'\A.* discovered by <all mechanisms>\n    Discovery Mechanisms :\n'
                                 r'         "SendTargets:\*%s %07d Root\\ISCSIPRT\\0000_0 ?"\n\n\Z'
                         % (re.escape(self.address), int(self.socket)))
        mechanism = re.search(r'"(.*)"', answer).group(1)
        shown = self.assert_done(conversation.say("TargetInfo", peers.PREFIX + ":open", mechanism))
        self.assertIn("    Protocol Type        : iSCSI TCP Protocol\n", shown)
        self.assertIn("            Address and Socket    : %s %s\n" % (self.address, self.socket), shown)

    @on_each_peer
    def test_log_in_to_a_static_target_with_its_options(self, conversation):
        """No discovery: where it is and how to log in stands in the static target."""
        chap = ["*"] * 6 + [peers.CHAP_USER, peers.CHAP_SECRET, "1"]
        self.assert_done(conversation.say("AddTarget", peers.PREFIX + ":chap", "*", self.address, self.socket, "*", "*", *chap, "0"))
        self.assertIn("Session Id is 0x", self.assert_done(conversation.say(
            "LoginTarget", peers.PREFIX + ":chap", "T", *["*"] * 15, "0")))
        self.assertNotIn(SUCCESS, conversation.say("QLoginTarget", TARGET))


class Security(Case):
    """What is set for IPsec, which there is none of."""

    ANY = ["*", "*"]
    NO_AUTH_INFO = 0x34

    def test_flags_of_an_identity(self):
        for kind, identity, other in (("1", "192.0.2.7", "192.0.2.8"), ("2", "host.example", "other.example"),
                                      ("3", "user@host.example", "other@host.example"), ("5", "2001:db8::7", "2001:db8::8")):
            with self.subTest(kind=kind):
                self.assertEqual(self.succeed("PSKey", *self.ANY, "0x35", kind, identity, "a key", "T"), "")
                self.assertEqual(self.succeed("GetPSKey", *self.ANY, kind, identity),
                                 "    Security Flags        : 0x35\n        Transport Mode Preferred\n        PFS Enabled\n"
                                 "        Security Flags are Valid\n")
                self.refuse(self.NO_AUTH_INFO, "GetPSKey", *self.ANY, kind, other)
                self.succeed("PSKey", *self.ANY, "0", kind, identity, "*", "*")
                self.refuse(self.NO_AUTH_INFO, "GetPSKey", *self.ANY, kind, identity)

    def test_a_key_that_does_not_last(self):
        self.succeed("PSKey", *self.ANY, "1", "2", "host.example", "a key", "F")
        self.refuse(self.NO_AUTH_INFO, "GetPSKey", *self.ANY, "2", "host.example")

    def test_aggressive_mode_is_refused(self):
        self.refuse(INVALID_PARAMETER, "PSKey", *self.ANY, "0x9", "2", "host.example", "a key", "T")

    def test_group_key_and_tunnel_address(self):
        for words in (["GroupKey", "a key", "T"], ["GroupKey", "*", "*"], ["TunnelAddr", *self.ANY, "192.0.2.1", "192.0.2.9", "T"],
                      ["TunnelAddr", *self.ANY, "*", "2001:db8::9", "F"], ["TunnelAddr", *self.ANY, "*", "*", "*"]):
            with self.subTest(words=words):
                self.assertEqual(self.succeed(*words), "")
        self.refuse(INVALID_PARAMETER, "TunnelAddr", *self.ANY, "*", "host.example", "T")

    @on_each_peer
    def test_a_login_that_requires_ipsec_fails(self, conversation):
        self.assert_done(conversation.say("AddTargetPortal", self.address, self.socket))
        login = ["LoginTarget", peers.PREFIX + ":open", "T"] + ["*"] * 5 + ["1"] + ["*"] * 9 + ["0"]
        self.assertNotIn(SUCCESS, conversation.say(*login))
        login[7:9] = "0x3", "*"
        self.assertNotIn(SUCCESS, conversation.say(*login))
        self.assertTrue(conversation.say("SessionList").startswith("Total of 0 sessions\n"))


class Servers(Case):
    """iSNS servers; test_isns.py has real ones."""

    def test_the_list(self):
        server = os.environ.get("TEST_REFUSED_PORTAL", "127.0.0.1:1")
        self.assertEqual(self.succeed("ListiSNSServers"), "No SNS Servers\n")
        self.refuse(10061 & 0xFF, "AddiSNSServer", server)  # the code ends with its low byte
        self.assertEqual(self.succeed("ListiSNSServers"), "    %s\n" % server)
        self.assertEqual(self.succeed("RemoveiSNSServer", server), "")
        self.assertEqual(self.succeed("ListiSNSServers"), "No SNS Servers\n")
        self.refuse(0x3A, "RemoveiSNSServer", server)
        self.refuse(0x3A, "RefreshiSNSServer", server)
        self.assertEqual(self.succeed("RefreshiSNSServer", "*"), "")
        self.refuse(INVALID_PARAMETER, "AddiSNSServer", "a b")


if __name__ == "__main__":
    iscsicli_case.main(__doc__)
