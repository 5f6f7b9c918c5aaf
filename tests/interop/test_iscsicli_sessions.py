#!/usr/bin/env python3
"""iscsicli with every peer that runs: discovery, sessions and SCSI commands.

    python3 tests/harness/run.py --peers embedded,tgtd --build BUILD -- tests/interop/test_iscsicli_sessions.py ISCSICLI [TEST...]
"""

import re

import iscsicli_case
import peers
from iscsicli_case import ID, SESSION_ID, SUCCESS, Case, on_each_peer


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

if __name__ == "__main__":
    iscsicli_case.main(__doc__)
