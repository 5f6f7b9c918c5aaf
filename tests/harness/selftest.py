"""Starts every peer the harness knows and sees by raw iSCSI that it offers what README.md promises."""

import argparse
import os
import socket
import sys
import traceback

import freeradius
import peers
import rawiscsi
import rawradius
import registry


def expect(what, expected, got):
    if expected != got:
        raise AssertionError("%s: expected %.200r, got %.200r" % (what, expected, got))


def name(suffix):
    return "%s:%s" % (peers.PREFIX, suffix)


def login_status(portal, target, chap=None):
    """The login's status, 0 for success."""
    try:
        rawiscsi.Initiator(portal, target, chap).close()
        return 0
    except rawiscsi.Refused as refused:
        return refused.args[0]


def check_discovery(portal, suffixes, chap=None):
    initiator = rawiscsi.Initiator(portal, chap=chap)
    found = initiator.send_targets()
    initiator.close()
    names = [value for key, value in found if key == "TargetName"]
    expect("targets at " + portal, sorted(map(name, suffixes)), sorted(names))
    return [value.rsplit(",", 1)[0] for key, value in found if key == "TargetAddress"]


def check_disk(portal, suffix, lun):
    initiator = rawiscsi.Initiator(portal, name(suffix))
    block = 9
    data = initiator.read_block(lun, block)
    initiator.close()
    expected = b"".join(offset.to_bytes(8, "big") for offset in range(block * 512, (block + 1) * 512, 8))
    expect("block 9 of %s LUN %d" % (suffix, lun), expected, data)


def check_full(peer):
    """A peer with all the targets."""
    suffixes = [target[0] for target in peers.TARGETS]
    for portal in peer.portals:
        addresses = check_discovery(portal, suffixes)
        for other in [portal] if peer.kind == "tgtd" else peer.portals:
            expect("%s is advertised at %s" % (other, portal), True, other in addresses)
    portal, right = peer.portals[0], (peers.CHAP_USER, peers.CHAP_SECRET)
    check_disk(portal, "open", peer.first_lun)
    check_disk(portal, "two-luns", peer.first_lun + 1)
    expect("login to :chap with the secret", 0, login_status(portal, name("chap"), right))
    expect("login to :chap with a wrong one", 0x0201, login_status(portal, name("chap"), (right[0], "x" * 13)))
    refused = login_status(portal, name("chap"))
    expect("login to :chap without CHAP is refused for it", True, refused in (0x0200, 0x0201, 0x0202))
    expect("login to a target that is not there", 0x0203, login_status(portal, name("absent")))


def check_digest(peer):
    initiator = rawiscsi.Initiator(peer.portals[0], name("open"))
    initiator.close()
    for key in ("HeaderDigest", "DataDigest"):
        expect(key, "CRC32C", initiator.negotiated.get(key))


def check_chap_discovery(peer):
    check_discovery(peer.portals[0], ["open"], (peers.CHAP_USER, peers.CHAP_SECRET))
    try:
        check_discovery(peer.portals[0], ["open"])
    except rawiscsi.Refused:
        return
    raise AssertionError("discovery without CHAP was accepted")


def check_many(peer):
    check_discovery(peer.portals[0], ["many-%03d" % number for number in range(peers.MANY_TARGETS)])


def check_disks(peer):
    check_discovery(peer.portals[0], ["disk-%02d" % number for number in range(peers.MANY_DISKS)])


def check_radius(peer):
    environment = peer.environment()
    right, wrong = environment["TEST_FREERADIUS_SERVER"], environment["TEST_FREERADIUS_WRONG"]
    for length in (16, 1024):
        challenge = os.urandom(length)
        proof = rawradius.response(17, peers.TARGET_SECRET, challenge)
        made = rawradius.response(17, peers.CHAP_SECRET, challenge)

        def code(server, user, value):
            return rawradius.ask(server, freeradius.SECRET, user, challenge, value)[0]

        if length == 16:  # a longer one is for responses alone
            expect("a right proof", rawradius.ACCEPT, code(right, peers.TARGET_USER, proof))
        expect("a wrong proof", rawradius.REJECT, code(right, peers.TARGET_USER, made))
        expect("a proof where accounts differ", rawradius.REJECT, code(wrong, peers.TARGET_USER, proof))
        expect("an unknown user", rawradius.REJECT, code(right, "nobody", proof))
        expect("a response for a target", rawradius.REJECT, code(right, peers.TARGET_USER, bytes(16)))
        answer = rawradius.ask(right, freeradius.SECRET, peers.CHAP_USER, challenge, bytes(16))
        expect("a response for an initiator", rawradius.ACCEPT, answer[0])
        expect("its CHAP-Password", True, (rawradius.CHAP_PASSWORD, bytes([17]) + made) in answer[1])


def check_isnsd(peer):
    names = [line for line in peer.nodes().splitlines() if "iSCSI name" in line]
    expect("storage nodes", 500, len(names))


def check_odd_isns(peer):
    host, port = peer.environment()["TEST_ODD_ISNS"].rsplit(":", 1)
    with socket.create_connection((host, int(port)), 20) as connection:
        connection.sendall(bytes.fromhex("000100010000cc0000070000"))
        expect("version and function of an answer", bytes.fromhex("00028001"), connection.recv(4, socket.MSG_WAITALL))


CHECKS = {"freeradius": check_radius, "isnsd-many": check_isnsd, "odd-isns": check_odd_isns, "tgtd-digest": check_digest,
          "tgtd-chapdiscovery": check_chap_discovery, "tgtd-many": check_many, "embedded-many": check_disks}


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--build", default="build/linux")
    arguments.add_argument("kinds", nargs="*")
    chosen = arguments.parse_args()
    failed = 0
    kinds = chosen.kinds or [kind for kind in registry.KINDS if kind != "misbehaving"]
    for kind in kinds:
        try:
            with registry.make(kind, chosen.build) as peer:
                try:
                    CHECKS.get(kind, check_full)(peer)
                except Exception:
                    print(peer.log_tail())
                    raise
            print("ok   %s" % kind)
        except Exception:  # each kind is its own test: say what went wrong with it, go on with the next
            traceback.print_exc(file=sys.stdout)
            print("FAIL %s" % kind)
            failed += 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
