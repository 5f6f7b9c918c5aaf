#!/usr/bin/env python3
"""Other people's initiators at the embedded target: open-iscsi's discovery, libiscsi's tools, qemu.

    python3 tests/harness/run.py --build BUILD -- tests/interop/test_target_initiators.py BUILD [TEST...]
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(ROOT, "tests", "harness"))
import peers  # noqa: E402

SECONDS = 120
IMAGE = 1 << 30
NAME = peers.PREFIX + ":disk"

# iscsiadm wants the kernel's initiator, whose place is taken in a mount namespace of its own. Discovery itself is its own code.
ISCSIADM = """set -e
mount -t tmpfs none /sys
mkdir -p /sys/class/iscsi_transport/tcp /sys/class/iscsi_session /sys/class/iscsi_host /sys/block
echo 1 >/sys/class/iscsi_transport/tcp/handle
echo 0x39 >/sys/class/iscsi_transport/tcp/caps
mount -t tmpfs none /etc/iscsi
mkdir /etc/iscsi/ifaces
printf 'node.startup = manual\\niscsid.startup = /bin/true\\n' >/etc/iscsi/iscsid.conf
printf 'iface.iscsi_ifacename = probe\\niface.transport_name = tcp\\niface.initiatorname = iqn.2026-11.org.example:probe\\n' \\
    >/etc/iscsi/ifaces/probe
mount -t tmpfs none /run/lock
exec iscsiadm -m discovery -t st -I probe -p "$1"
"""


class Target(peers.Embedded):
    """A target with a disk in a file, and one that is for somebody else."""

    kind = "embedded_initiators"

    def options(self):
        path = os.path.join(self.directory, "disk")
        with open(path, "wb") as disk:
            disk.truncate(IMAGE)
        return ["--portal", "127.0.0.1:0", "--portal", "[::1]:0,2", "--target", NAME, "--alias", "a disk", "--lun", "file:" + path,
                "--lun", "ram:8M,bs=4096", "--lun", "ram:8M", "--target", peers.PREFIX + ":other", "--allow-name", peers.PREFIX + ":somebody"]


def run(*command, data=None):
    done = subprocess.run(command, input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=SECONDS, check=False)
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


class Initiators(unittest.TestCase):
    build = ""

    @classmethod
    def setUpClass(cls):
        cls.target = Target(cls.build).start()
        cls.addClassCleanup(cls.target.stop)
        cls.directory = tempfile.mkdtemp(prefix="target-", dir=os.environ.get("TEST_DIR"))
        cls.addClassCleanup(shutil.rmtree, cls.directory, True)
        cls.portal = cls.target.portals[0]
        cls.url = "iscsi://%s/%s/" % (cls.portal, NAME)

    def good(self, *command):
        code, out, error = run(*command)
        self.assertEqual(code, 0, "%s\n%s%s" % (" ".join(command), out, error))
        return out

    def test_iscsiadm_discovers(self):
        code, _, error = run("unshare", "-rm", "true")
        if code != 0:
            self.skipTest("no mount namespace of its own: %s" % error.strip())
        out = self.good("unshare", "-rm", "sh", "-c", ISCSIADM, "sh", self.portal)
        self.assertEqual(out.splitlines(), ["%s,1 %s" % (self.target.portals[0], NAME), "%s,2 %s" % (self.target.portals[1], NAME)])

    def test_libiscsi_tools(self):
        out = self.good("iscsi-ls", "-s", "iscsi://" + self.portal)
        self.assertIn("Target:%s Portal:%s,1" % (NAME, self.portal), out)
        self.assertNotIn("other", out)
        self.assertRegex(out, r"Lun:0 .*Type:DIRECT_ACCESS \(Size:1023M\)")
        self.assertRegex(out, r"Lun:1 .*Type:DIRECT_ACCESS \(Size:7M\)")
        self.assertIn("Virtual disk", self.good("iscsi-inq", self.url + "0"))
        out = self.good("iscsi-readcapacity16", self.url + "1")
        self.assertRegex(out, r"RETURNED LOGICAL BLOCK ADDRESS:2047\b")
        self.assertRegex(out, r"LOGICAL BLOCK LENGTH IN BYTES:4096\b")

    def test_ipv6(self):
        self.assertIn("Virtual disk", self.good("iscsi-inq", "iscsi://%s/%s/0" % (self.target.portals[1], NAME)))

    def test_qemu_image_there_and_back(self):
        there, back = os.path.join(self.directory, "there"), os.path.join(self.directory, "back")
        seed = os.urandom(1 << 20)
        with open(there, "wb") as image:
            for number in range(0, IMAGE >> 20, 2):  # every other megabyte is a hole
                image.seek(number << 20)
                image.write(number.to_bytes(8, "big") + seed[8:])
            image.truncate(IMAGE)
        self.good("qemu-img", "convert", "-n", "-f", "raw", "-O", "raw", there, self.url + "0")
        self.good("qemu-img", "convert", "-f", "raw", "-O", "raw", self.url + "0", back)
        self.good("cmp", there, back)
        self.good("qemu-img", "compare", "-f", "raw", "-F", "raw", there, self.url + "0")
        os.remove(there)
        os.remove(back)

    def test_qemu_io(self):
        steps = ["write -P 0x5a 0 64k", "read -P 0x5a 0 64k", "writev -P 0x17 1m 4k 8k 512", "read -P 0x17 1m 12800",
                 "write -f -P 0x33 2m 1m", "read -P 0x33 2m 1m", "write -z 2m 64k", "read -P 0 2m 64k", "read -P 0x33 2112k 64k",
                 "discard 3m 1m", "read -P 0 3m 1m", "aio_write -P 0x71 4m 2m", "aio_write -P 0x72 6m 512k", "aio_flush",
                 "read -P 0x71 4m 2m", "read -P 0x72 6m 512k", "flush"]
        command = ["qemu-io", "-f", "raw", self.url + "2"]
        for step in steps:
            command += ["-c", step]
        out = self.good(*command)
        self.assertNotRegex(out, r"failed|error|[Pp]attern verification")
        self.assertEqual(len(re.findall(r"^read \d+/\d+ bytes", out, re.MULTILINE)), sum(step.startswith("read") for step in steps))

    def test_who_may_not_come_in(self):
        code, _, error = run("iscsi-inq", "iscsi://%s/%s:other/0" % (self.portal, peers.PREFIX))
        self.assertNotEqual(code, 0)
        self.assertIn("uthorization", error)


if __name__ == "__main__":
    Initiators.build = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
