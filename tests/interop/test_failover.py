#!/usr/bin/env python3
"""Storage that is reached over two networks, which are cut and healed: a session uses the portal that is preferred, goes to the other
one when that is out of reach, and comes back; with a session for each portal nothing has to go anywhere. Meanwhile fio writes
through the device and verifies what it reads.

    python3 tests/harness/run.py --build BUILD -- tests/interop/test_failover.py BUILD [TEST...]

The networks are the test's own (tests/harness/netns.py); where there may be none, nothing is tested.
"""

import os
import re
import subprocess
import sys
import threading
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "harness")]
import device_case  # noqa: E402
import netns  # noqa: E402
import peers  # noqa: E402
import test_devices_fio  # noqa: E402
import test_service  # noqa: E402

PORT = 3260
TARGET = peers.PREFIX + ":open"
IDLE, PING, FAILBACK = 1, 1, 1  # seconds, of iscsi.conf
TIME2WAIT = 2  # that tgtd asks for
SLACK = 4  # what a busy machine may add
TIMES = "LoopDevices = no\nIdleTimeout = %d\nPingTimeout = %d\nPortalFailbackTime = %d\nTCPConnectTime = 1\nDelayBetweenReconnect = 1\n" % (
    IDLE, PING, FAILBACK)
FIO_SECONDS = 60
HAS_FIO = not device_case.missing_program("fio")


class Tgtd(peers.Tgtd):
    """One target with a disk, at these addresses."""

    def __init__(self, addresses):
        super().__init__()
        self.addresses = addresses

    def reserve_portals(self):
        self.portals = ["%s:%d" % (address, PORT) for address in self.addresses]

    def configure(self):
        self.wait(lambda: self.try_admin("target", "show").returncode == 0, "tgtd's control socket")
        self.add_target("open", MaxConnections=8)

    def disk_path(self):
        return os.path.join(self.directory, "open-0")


class Fio(threading.Thread):
    """Writes blocks at random, reads each back and verifies it, again and again until it is told to stop."""

    def __init__(self, device, directory):
        super().__init__()
        self.device, self.directory, self.stopping = device, directory, threading.Event()
        self.passes, self.trouble = 0, None

    def run(self):
        while self.trouble is None and not self.stopping.is_set():
            self.passes += 1
            self.trouble = self.fio(*self.device)

    def fio(self, *device):
        try:
            done = subprocess.run(
                ["fio", "--name=io", "--rw=randwrite", "--bsrange=512-64k", "--iodepth=8", "--size=2m", "--verify=crc32c",
                 "--verify_fatal=1", "--thinktime=2000", "--randseed=%d" % self.passes, *device],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=FIO_SECONDS,
                check=False, cwd=self.directory)
        except subprocess.TimeoutExpired as late:
            return "fio did not end within %d s\n%s" % (FIO_SECONDS, late.stdout)
        return None if done.returncode == 0 else "fio, pass %d, ended with code %d\n%s" % (self.passes, done.returncode, done.stdout)

    def stop(self):
        """What went wrong, also with the target's disk."""
        self.stopping.set()
        self.join(2 * FIO_SECONDS)
        return self.trouble


class Groups(peers.Embedded):
    """One target with a disk, at these portals, each with its portal group behind a comma."""

    def __init__(self, *portals):
        super().__init__(test_service.BUILD)
        self.at = portals

    def options(self):
        return [word for portal in self.at for word in ("--portal", portal)] + ["--target", TARGET, "--lun", "ram:8M"]


class Case(device_case.Case):
    def start_storage(self):
        return Tgtd(self.addresses).start()

    def setUp(self):
        network = netns.Network()
        self.addCleanup(network.close)
        initiator, storage = network.host(), network.host()
        self.links = [network.link(initiator, storage) for _ in range(2)]
        self.addresses = [link.addresses[1] for link in self.links]
        with storage.inside():
            self.target = self.start_storage()
        self.addCleanup(self.target.stop)
        self.enterContext(initiator.inside())
        test_service.Case.setUp(self)
        os.mkdir(self.state, 0o700)
        self.root = os.path.join(self.state, "devices")

    def begin(self, *lines):
        self.configure(TIMES + "".join(line + "\n" for line in lines))
        self.service = self.serve()
        self.addCleanup(self.service.stop)  # in order: it has a file system mounted

    def watched(self):
        """The service finds the target by itself, and logs in."""
        return ["DiscoveryAddress = %s:%d" % (address, PORT) for address in self.addresses]

    def log_in(self):
        """The session's id. tgtd tells each portal of itself alone."""
        for address in self.addresses:
            self.succeed("AddTargetPortal", address, str(PORT))
        return re.search(r"Session Id is (\S+)", self.succeed("QLoginTarget", TARGET)).group(1)

    def where(self):
        """The addresses that sessions are connected to; with the port where it is not the usual one."""
        found = re.findall(r"^ *Target Portal +: ([0-9.]+)/(\d+)", self.succeed("SessionList"), re.M)
        return sorted(address if port == str(PORT) else address + ":" + port for address, port in found)

    def wait_at(self, *links, seconds=test_service.DEADLINE):
        """Seconds until the sessions are there."""
        wanted, began = sorted(self.addresses[link] if isinstance(link, int) else link for link in links), time.monotonic()
        test_service.wait_for(lambda: self.where() == wanted, "sessions at %s" % wanted, seconds)
        return time.monotonic() - began

    def start_fio(self, lun, form=test_devices_fio.Nbd()):
        """On the block device as a file of the tree, where that can be had and is wanted."""
        if form.missing() is not None:
            form = test_devices_fio.Nbd()
        fio = Fio(form.device(self, lun), self.directory)
        fio.start()
        self.addCleanup(fio.stop)
        return fio

    def expect_passes(self, fio, more=1):
        """It goes on from here."""
        wanted = fio.passes + more
        test_service.wait_for(lambda: fio.passes > wanted or fio.trouble is not None, "fio to go on")
        self.assertIsNone(fio.trouble)

    def end_fio(self, fio):
        self.assertIsNone(fio.stop())
        # What the last pass has written is on the target's disk.
        self.assertIsNone(fio.fio("--ioengine=psync", "--filename=" + self.target.disk_path(), "--verify_only"))


@unittest.skipUnless(HAS_FIO, "fio is not installed")
class Failover(Case):
    def test_there_and_back(self):
        self.begin("PreferredPortal = %s" % self.addresses[1])
        self.log_in()
        self.wait_at(1)
        fio = self.start_fio(1, test_devices_fio.Fuse())
        self.expect_passes(fio)
        self.links[1].cut()
        took = self.wait_at(0, seconds=IDLE + PING + TIME2WAIT + SLACK)
        self.expect_passes(fio)
        self.links[1].heal()
        back = self.wait_at(1, seconds=FAILBACK + 3 + SLACK)  # the address is asked for again after some seconds
        self.expect_passes(fio)
        self.end_fio(fio)
        print("away after %.1f s, back after %.1f s" % (took, back))

    def test_without_failover_it_waits(self):
        self.begin("PreferredSubnet = %s" % self.links[1].subnet, "PortalFailover = no")
        self.log_in()
        self.wait_at(1)
        fio = self.start_fio(1)
        self.links[1].cut()
        test_service.wait_for(lambda: self.where() == [], "the session to be lost")
        self.links[1].heal()
        self.wait_at(1)
        self.expect_passes(fio)
        self.end_fio(fio)

    def test_sent_there(self):
        self.begin("PreferredPortal = %s" % self.addresses[0])
        session = self.log_in()
        self.wait_at(0)
        fio = self.start_fio(1)
        for link in 1, 0, 1:
            self.expect_passes(fio)
            self.succeed("SwitchPortal", session, self.addresses[link])
            self.assertEqual(self.where(), [self.addresses[link]])
        code, output = self.ask("SwitchPortal", session, "10.99.0.1")
        self.assertNotEqual(code, 0, output)
        self.end_fio(fio)

    def test_a_session_for_each_portal(self):
        self.begin("Multipath = yes", *self.watched())
        self.wait_at(0, 1)
        fio = self.start_fio(1, test_devices_fio.Fuse())
        for link in 0, 1:
            self.expect_passes(fio)
            self.links[link].cut()
            self.wait_at(1 - link)
            self.expect_passes(fio)
            self.links[link].heal()
            self.wait_at(0, 1)
        self.end_fio(fio)


class PortalGroups(Case):
    def start_storage(self):
        one, other = self.addresses
        return Groups("%s:%d,1" % (one, PORT), "%s:%d,1" % (other, PORT), "%s:%d,2" % (other, PORT + 1)).start()

    def test_a_session_for_each_group_goes_to_the_groups_other_portal(self):
        second = "%s:%d" % (self.addresses[1], PORT + 1)
        self.begin("Multipath = portalgroup", *self.watched())
        self.wait_at(0, second)
        self.links[0].cut()
        self.wait_at(1, second)
        self.links[0].heal()
        self.links[1].cut()
        self.wait_at(0)
        self.links[1].heal()
        self.wait_at(0, second)


def main():
    reason = netns.missing()
    if reason is not None:
        print("skipped: %s" % reason)
        return 0
    test_service.BUILD = os.path.abspath(sys.argv.pop(1))
    return not unittest.main(verbosity=2, exit=False).result.wasSuccessful()


if __name__ == "__main__":
    sys.exit(main())
