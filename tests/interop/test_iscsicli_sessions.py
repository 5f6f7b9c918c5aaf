#!/usr/bin/env python3
"""iscsicli with every peer that runs: discovery, sessions and SCSI commands.

    python3 tests/harness/run.py --peers embedded,tgtd --build BUILD -- tests/interop/test_iscsicli_sessions.py ISCSICLI [TEST...]
"""

import os
import re

import iscsicli_case
import peers
from iscsicli_case import ID, SESSION_ID, SUCCESS, Case, on_each_peer


class PeerCase(Case):
    def log_in(self, conversation, target="open", *credentials):
        self.assert_done(conversation.say("AddTargetPortal", self.address, self.socket))
        answer = self.assert_done(conversation.say("QLoginTarget", "%s:%s" % (peers.PREFIX, target), *credentials))
        ids = r"\ASession Id is (0x%s-0x%s)\nConnection Id is 0x%s-0x%s\n\Z" % ((r"[0-9a-f]+",) * 4)
        self.assertRegex(answer, ids)
        return re.match(ids, answer).group(1)


class Sessions(PeerCase):
    """Discovery, sessions and SCSI commands on every peer that runs."""

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
    def test_connections(self, conversation):
        if self.kind != "embedded":  # tgtd takes one in a session
            return
        session = self.log_in(conversation)
        connection = re.compile(r"^        Connection Id     : (%s)$" % ID, re.M)
        leading, = connection.findall(conversation.say("SessionList", "F"))
        add = ["AddConnection", session, "*", "*", self.address, self.socket, "*"] + ["*"] * 9 + ["*"]
        self.assertEqual(self.assert_done(conversation.say(*add)), "", "no id is shown")
        answer = conversation.say("SessionList", "F")
        self.assertIn("Number Connections     : 2\n", answer)
        _, added = connection.findall(answer)
        self.assertEqual(answer.count("        Target Portal     : %s/%s\n" % (self.address, self.socket)), 2)
        add[4:6] = "*", "*"  # where the first one goes
        self.assert_done(conversation.say(*add))
        self.assertIn("Number Connections     : 3\n", conversation.say("SessionList", "F"))
        for word, reason in ((leading, "leading"), ("1-1", "")):
            answer = conversation.say("RemoveConnection", session, word)
            self.assertNotIn(SUCCESS, answer)
            self.assertIn(reason, answer)
        self.assertIn("Invalid connectionid: zz", conversation.say("RemoveConnection", session, "zz"))
        self.assertEqual(self.assert_done(conversation.say("RemoveConnection", session, "0x" + added.replace("-", "-0x"))), "")
        self.assertIn("Number Connections     : 2\n", conversation.say("SessionList", "F"))
        self.assertNotIn(SUCCESS, conversation.say("QAddConnection", session, "*", "a b"))
        self.assertRegex(self.assert_done(conversation.say("QAddConnection", session, "*", "*")),
                         r"\AConnection Id is 0x[0-9a-f]+-0x[0-9a-f]+\n\Z")

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


class Connections(PeerCase):
    """Several connections in a session."""

    def connections(self, conversation):
        """(id, target portal, CID) of each, in the order of the list."""
        listing = self.assert_done(conversation.say("SessionList", "F"))
        found = re.findall(r"^ {8}Connection Id {5}: (%s)\n {8}Initiator Portal  : \S+/[1-9]\d*\n"
                           r" {8}Target Portal {5}: (\S+)\n {8}CID {15}: ([0-9a-f]{2} [0-9a-f]{2})$" % ID, listing, re.M)
        self.assertIn("Number Connections     : %d\n" % len(found), listing)
        return found

    def add(self, conversation, session, address="*", socket="*", *more):
        options = list(more) + ["*"] * (10 - len(more))
        return conversation.say("AddConnection", session, "*", "*", address, socket, "*", *options)

    @on_each_peer
    def test_connections_are_added_and_removed(self, conversation):
        session = self.log_in(conversation)
        portal2 = os.environ["TEST_%s_PORTAL2" % self.kind.upper()]
        self.assertEqual(self.assert_done(self.add(conversation, session, *portal2.rsplit(":", 1))), "")
        answer = self.assert_done(conversation.say("QAddConnection", session, "*", "*"))
        self.assertRegex(answer, r"\AConnection Id is 0x%s-0x%s\n\Z" % ((r"[0-9a-f]+",) * 2))
        found = self.connections(conversation)
        first = "%s/%s" % (self.address, self.socket)
        self.assertEqual([one[1:] for one in found],
                         [(first, "01 00"), (portal2.replace(":", "/"), "02 00"), (first, "03 00")])
        self.assertEqual("0x%s-0x%s" % tuple(found[2][0].split("-")), answer.split()[-1])
        self.assert_done(conversation.say("ReadCapacity", session, self.lun))
        self.assertEqual(self.assert_done(conversation.say("RemoveConnection", session, found[1][0])), "")
        self.assertEqual(self.connections(conversation), [found[0], found[2]])
        self.assert_done(conversation.say("LogoutTarget", session))

    @on_each_peer
    def test_what_may_not_be_removed(self, conversation):
        session = self.log_in(conversation)
        leading = self.connections(conversation)[0][0]
        self.assertNotIn(SUCCESS, conversation.say("RemoveConnection", session, leading))
        self.assert_done(self.add(conversation, session))
        self.assertNotIn(SUCCESS, conversation.say("RemoveConnection", session, leading))
        self.assertNotIn(SUCCESS, conversation.say("RemoveConnection", session, "0-0"))
        self.assertNotIn(SUCCESS, conversation.say("RemoveConnection", "0-0", leading))
        self.assertEqual(len(self.connections(conversation)), 2)

    @on_each_peer
    def test_no_more_than_were_agreed_on(self, conversation):
        self.assert_done(conversation.say("AddTargetPortal", self.address, self.socket))
        login = ["LoginTarget", peers.PREFIX + ":open", "T"] + ["*"] * 8 + ["2"] + ["*"] * 6 + ["0"]
        session = SESSION_ID.search(self.assert_done(conversation.say(*login))).group(1)
        self.assert_done(self.add(conversation, session))
        self.assertIn("onnections", self.add(conversation, session))
        self.assertEqual(len(self.connections(conversation)), 2)

    @on_each_peer
    def test_a_connection_proves_who_we_are(self, conversation):
        session = self.log_in(conversation, "chap", peers.CHAP_USER, peers.CHAP_SECRET)
        self.assert_done(self.add(conversation, session))  # as the session did
        self.assert_done(conversation.say("QAddConnection", session, "*", "*", peers.CHAP_USER, peers.CHAP_SECRET))
        self.assertIn("Authentication Failure", conversation.say(
            "QAddConnection", session, "*", "*", peers.CHAP_USER, "wrongsecret12"))
        self.assertEqual(len(self.connections(conversation)), 3)


if __name__ == "__main__":
    iscsicli_case.main(__doc__)
