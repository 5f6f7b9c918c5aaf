#!/usr/bin/env python3
"""A file system on the block device of a unit: made, filled, and written to while the target is killed and started again. Then it
is checked and compared through another service, to which it is nothing but a disk.

    python3 tests/harness/run.py --build BUILD -- tests/interop/test_devices_filesystem.py BUILD [TEST...]
"""

import glob
import hashlib
import os
import shutil
import signal
import sys
import threading
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "harness")]
import device_case  # noqa: E402
import peers  # noqa: E402
import ports  # noqa: E402
import test_service  # noqa: E402

SIZE = 96 << 20
TREE = os.path.join(test_service.ROOT, "iscsidsc")
KILLS = 3


class Tgtd(peers.Tgtd):
    """tgtd with one disk, at a place that is known before it runs."""

    def __init__(self, port, disk):
        super().__init__()
        self.portals, self.path = ["127.0.0.1:%d" % port], disk

    def prepare(self):
        """Everything has been given."""

    def disk(self, name):
        return self.path

    def configure(self):
        self.wait(lambda: self.try_admin("target", "show").returncode == 0, "tgtd's control socket")
        self.add_target(device_case.TARGET.rsplit(":", 1)[1], DefaultTime2Wait=0)


def sums(directory):
    """Of all files, by their places."""
    found = {}
    for path, _, names in os.walk(directory):
        for name in names:
            whole = os.path.join(path, name)
            with open(whole, "rb") as file:
                found[os.path.relpath(whole, directory)] = hashlib.sha256(file.read()).hexdigest()
    return found


class Copies(threading.Thread):
    """One copy of the tree after the other, each of which is made to last."""

    def __init__(self, directory):
        super().__init__(daemon=True)
        self.directory, self.end = directory, threading.Event()
        self.made, self.trouble = 0, None

    def place(self, number):
        return os.path.join(self.directory, "copy%d" % number)

    def run(self):
        try:
            while not self.end.is_set():
                if self.made >= 2:
                    shutil.rmtree(self.place(self.made - 2))
                shutil.copytree(TREE, self.place(self.made))
                self.synchronize(self.place(self.made))
                self.made += 1
        except OSError as error:
            self.trouble = error

    @staticmethod
    def synchronize(directory):
        for path, _, names in os.walk(directory):
            for name in names[:1]:
                with open(os.path.join(path, name), "rb") as file:
                    os.fsync(file.fileno())


class FileSystem(device_case.BlockCase):
    """On the project's own target."""

    sizes = [SIZE]
    more = ["--time2wait", "0"]
    time2wait = "0"

    def kill_target(self):
        self.target.stop_signal = signal.SIGKILL
        self.target.stop()

    def test_a_file_system_outlives_its_target(self):
        self.log_in_to_units()
        device = self.block_device()
        self.tool("mkfs.ext4", "-q", "-F", device)
        place = self.mount(device)
        shutil.copytree(TREE, os.path.join(place, "first"))
        copies = Copies(place)
        copies.start()
        for number in range(KILLS):
            test_service.wait_for(lambda: copies.made > number or copies.trouble, "the next copy")
            self.kill_target()
            self.target = self.start_target(self.portal)
        copies.end.set()
        copies.join(device_case.SECONDS)
        self.assertFalse(copies.is_alive(), "the copy did not go on")
        self.assertIsNone(copies.trouble)
        self.unmount(place)
        self.succeed("LogoutTarget", self.sessions()[0])
        self.assertEqual(self.service.stop(), 0)
        self.compare_elsewhere(copies.made)

    def compare_elsewhere(self, made):
        self.state = os.path.join(self.directory, "elsewhere")
        self.start_service()
        self.log_in_to_units()
        device = self.block_device()
        self.tool("fsck.ext4", "-f", "-n", device)
        place = self.mount(device, "ro")
        expected = sums(TREE)
        for name in ["first"] + ["copy%d" % number for number in range(max(0, made - 2), made)]:
            self.assertEqual(sums(os.path.join(place, name)), expected, name)
        self.unmount(place)
        self.succeed("LogoutTarget", self.sessions()[0])
        self.assertEqual(self.service.stop(), 0)
        self.tool("fsck.ext4", "-f", "-n", self.disks[0])


class FileSystemOnTgtd(FileSystem):
    def start_target(self, portal):
        port = int(portal.rsplit(":", 1)[1]) or ports.reserve()
        target = Tgtd(port, self.disks[0])
        self.addCleanup(target.stop)
        return target.start()


if __name__ == "__main__":
    test_service.BUILD = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
