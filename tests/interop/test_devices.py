#!/usr/bin/env python3
"""The devices that the service makes of logical units, used by the programs that people have: nbdinfo, nbdcopy, qemu-img, qemu-io.

    python3 tests/harness/run.py --build BUILD -- tests/interop/test_devices.py BUILD [TEST...]
"""

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "harness")]
import device_case  # noqa: E402
import test_service  # noqa: E402

SIZE = device_case.Case.sizes[0]
DEVICE_BUSY = 0x40  # of 0xEFFF0040


class Devices(device_case.Case):
    more = ["--lun", "ram:1M,bs=4096"]

    def setUp(self):
        super().setUp()
        self.disk = self.disks[0]

    def image(self, seed):
        path = os.path.join(self.state, "image%d" % seed)
        with open(path, "wb") as file:
            file.write(random.Random(seed).randbytes(SIZE))
        return path

    def assert_same(self, one, other):
        with open(one, "rb") as first, open(other, "rb") as second:
            self.assertTrue(first.read() == second.read(), "%s and %s differ" % (one, other))

    def test_clients_learn_what_it_is(self):
        self.log_in_to_disk()
        for lun, size, optimal in (0, SIZE, 4096), (1, 1 << 20, 4096):
            told = json.loads(self.tool("nbdinfo", "--json", self.wait_for_nbd(lun)))["exports"][0]
            self.assertEqual(told["export-size"], size)
            self.assertEqual((told["block_size_minimum"], told["block_size_preferred"]), (1, optimal))
            self.assertEqual((told["is_read_only"], told["can_flush"], told["can_fua"], told["can_multi_conn"]),
                             (False, True, True, True))
        listed = json.loads(self.tool("nbdinfo", "--list", "--json", self.wait_for_nbd(1)))["exports"]
        self.assertEqual([entry["export-name"] for entry in listed], ["bus0/target0/lun1"])

    def test_an_image_goes_there_and_back(self):
        self.log_in_to_disk()
        uri = self.wait_for_nbd(0)
        there, back = self.image(1), os.path.join(self.state, "back")
        self.tool("nbdcopy", "--flush", "--connections=4", "--requests=64", there, uri)
        self.assert_same(there, self.disk)
        self.tool("nbdcopy", uri, back)
        self.assert_same(there, back)
        other = self.image(2)
        self.tool("qemu-img", "convert", "-n", "-f", "raw", "-O", "raw", "--target-is-zero", other, "nbd:unix:%s" % self.nbd(0))
        self.tool("qemu-img", "compare", "-f", "raw", "-F", "raw", other, "nbd:unix:%s" % self.nbd(0))
        self.assert_same(other, self.disk)

    def test_any_alignment(self):
        for lun in 0, 1:
            self.log_in_to_disk() if lun == 0 else None
            uri = self.wait_for_nbd(lun)
            orders = []
            for offset, length, pattern in (1, 1, 17), (511, 2, 33), (4095, 8194, 65), (100000, 12345, 99), (0, 65536, 3):
                orders += ["-c", "write -P %d %d %d" % (pattern, offset, length),
                           "-c", "read -P %d %d %d" % (pattern, offset, length)]
            orders += ["-c", "write -z 700 5000", "-c", "read -P 0 700 5000", "-c", "discard 65536 65536", "-c", "flush"]
            output = self.tool("qemu-io", "-f", "raw", "-t", "none", *orders, uri)
            self.assertNotIn("failed", output)

    def test_io_goes_on_over_a_restart_of_the_target(self):
        self.log_in_to_disk()
        uri = self.wait_for_nbd(0)
        there = self.image(3)
        copy = subprocess.Popen(["nbdcopy", "--flush", "--request-size=65536", there, uri], stderr=subprocess.PIPE)
        self.addCleanup(copy.stderr.close)
        self.addCleanup(copy.kill)
        for _ in range(3):
            self.target.stop_signal = signal.SIGKILL
            self.target.stop()
            self.target = self.start_target(self.portal)
        self.assertEqual(copy.wait(device_case.SECONDS), 0, copy.stderr.read())
        self.assert_same(there, self.disk)

    def test_who_uses_it_is_not_cut_off(self):
        self.log_in_to_disk()
        session = self.sessions()[0]
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as client:
            client.connect(self.nbd(0))
            self.assertEqual(client.recv(8), b"NBDMAGIC")
            code, output = self.ask("LogoutTarget", session)
            self.assertEqual(code, DEVICE_BUSY, output)
        test_service.wait_for(lambda: self.ask("LogoutTarget", session)[0] == 0, "the logout, when nobody uses the device")
        test_service.wait_for(lambda: self.listed() == [], "the directories of devices to be gone")

    def test_nothing_is_left_behind(self):
        self.log_in_to_disk()
        self.wait_for_nbd(0)
        self.service.stop()
        self.assertEqual(self.listed(), [])

    def test_a_killed_service_is_cleaned_up_after(self):
        self.log_in_to_disk()
        self.wait_for_nbd(0)
        self.service.stop(signal.SIGKILL)
        self.assertEqual(sorted(os.listdir(self.root + ".sockets")), ["bus0"])
        self.service = self.serve()
        test_service.wait_for(lambda: self.listed() == [], "what the killed service has left to be gone")
        self.log_in_to_disk()
        uri = self.wait_for_nbd(0)
        self.assertEqual(json.loads(self.tool("nbdinfo", "--json", uri))["exports"][0]["export-size"], SIZE)


if __name__ == "__main__":
    test_service.BUILD = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
