#!/usr/bin/env python3
r"""The names under which callers of the libraries find the service's devices: paths for the programs of this system, and
\\.\PhysicalDriveN for those under Wine, who read and write by them.

    python3 tests/harness/run.py --build BUILD -- tests/interop/test_devices_names.py BUILD [TEST...]

In a Windows BUILD the tests of Wine run, with the native programs of the Linux build beside it; in a Linux one, the others.
"""

import contextlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "harness")]
import device_case  # noqa: E402
import test_devices_tree  # noqa: E402
import test_service  # noqa: E402
import wineprefix  # noqa: E402

SECTOR = 512
SIZE = 4 << 20
LAST = SIZE // SECTOR - 1
DEVICE_BUSY = 0x40  # of 0xEFFF0040
BUSY = "efff0040"
NOT_SUPPORTED = 50


class Case(device_case.Case):
    sizes = [SIZE]

    def setUp(self):
        self.prefix_path = None
        super().setUp()
        self.file = self.place(0, "disk")

    def fill_disk(self):
        data = random.Random(1).randbytes(SIZE)
        with open(self.disks[0], "wb") as disk:
            disk.write(data)
        return data

    def prefix_links(self):
        """The links of devices in the prefix, and what they lead to below the root."""
        directory = os.path.join(self.prefix_path, "dosdevices")
        found = {}
        for name in os.listdir(directory):
            path = os.path.join(directory, name)
            if re.fullmatch(r"(physicaldrive|cdrom|iscsidisk)\d+", name) and os.readlink(path).startswith(self.root):
                found[name] = os.path.relpath(os.readlink(path), self.root)
        return found

    def wait_for_links(self, *expected):
        test_service.wait_for(lambda: sorted(self.prefix_links()) == sorted(expected), "the links %s" % (expected,))


@unittest.skipIf(test_devices_tree.reason_to_skip(), test_devices_tree.reason_to_skip())
class Native(Case):
    """Programs of this system."""

    def legacy_name(self):
        return re.search(r"Legacy Device Name +: (\S+)", self.succeed("SessionList")).group(1)

    def test_the_name_is_a_path_that_can_be_opened(self):
        data = self.fill_disk()
        self.log_in_to_disk()
        self.wait_for(self.file)
        with open(self.legacy_name(), "rb") as disk:
            self.assertTrue(os.path.samestat(os.fstat(disk.fileno()), os.stat(self.file)))
            self.assertTrue(disk.read() == data, "the device has other bytes")

    def test_it_can_be_bound(self):
        address, port = self.portal.rsplit(":", 1)
        self.log_in_to_disk()
        self.wait_for(self.file)
        self.store_logins([device_case.TARGET], self.portal)
        self.succeed("AddPersistentDevice", self.legacy_name())
        self.assertIn(self.legacy_name(), self.succeed("ReportPersistentDevices"))
        self.succeed("RemovePersistentDevice", self.legacy_name())
        self.assertTrue(address and port)


@unittest.skipIf(test_devices_tree.reason_to_skip(), test_devices_tree.reason_to_skip())
class Management(Case):
    """The management API on the same devices."""

    unit = "lu:%s/0" % device_case.TARGET

    def configure(self, settings):
        """With a path that has room in IMA_LU_PROPERTIES."""
        base = tempfile.mkdtemp(prefix="names-")
        self.addCleanup(shutil.rmtree, base, ignore_errors=True)
        self.root = os.path.join(base, "d")
        super().configure(settings)

    def imatool(self, *arguments, code=0):
        done = subprocess.run([test_service.program("imatool"), *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=test_service.DEADLINE, check=False,
                              env=dict(self.environment("require"), IMA_CONF="/no/such/file"))
        self.assertEqual(done.returncode, code, done.stdout)
        return done.stdout

    def device_told(self):
        found = re.search(r"^  device of the system +(\S+)$", self.imatool("show", self.unit), re.M)
        return found and found.group(1)

    def test_a_unit_in_use_stays_exposed(self):
        self.log_in_to_disk()
        self.wait_for(self.file)
        self.assertTrue(os.path.samefile(self.device_told(), self.file) or self.device_told().startswith("/dev/"))
        with open(self.file, "rb") as disk:
            self.assertIn("IMA_ERROR_LU_IN_USE", self.imatool("unexpose", self.unit, code=1))
            self.assertEqual(len(disk.read(SECTOR)), SECTOR)
        test_service.wait_for(lambda: self.unexposed(), "the unit to be unexposed, when nobody uses it")
        self.assertFalse(os.path.exists(self.file))
        self.assertIsNone(self.device_told())
        self.imatool("expose", self.unit)
        self.wait_for(self.file)

    def unexposed(self):
        with contextlib.suppress(AssertionError):
            return self.imatool("unexpose", self.unit) is not None
        return False

    def test_what_is_unexposed_stays_so(self):
        self.log_in_to_disk()
        self.wait_for(self.file)
        self.imatool("unexpose", self.unit)
        self.assertEqual(self.service.stop(), 0)
        self.service = self.serve()
        self.log_in_to_units()
        self.assertNotIn("Legacy Device Name", self.succeed("SessionList"))
        self.assertFalse(os.path.exists(self.file))
        self.imatool("expose", self.unit)
        self.wait_for(self.file)


@unittest.skipIf(test_devices_tree.reason_to_skip(), test_devices_tree.reason_to_skip())
class FakePrefix(Case):
    """What becomes of a prefix that iscsi.conf names."""

    def configure(self, settings):
        self.prefix_path = os.path.join(self.directory, "prefix")
        os.makedirs(os.path.join(self.prefix_path, "dosdevices"))
        super().configure(settings + "WinePrefix = %s\n" % self.prefix_path)

    def test_links_come_and_go_with_devices(self):
        self.log_in_to_disk()
        self.wait_for_links("physicaldrive1", "iscsidisk1")
        self.assertEqual(self.prefix_links(), {"physicaldrive1": "bus0/target0/lun0/disk", "iscsidisk1": "bus0/target0/lun0"})
        self.succeed("LogoutTarget", self.sessions()[0])
        self.wait_for_links()

    def test_a_stopped_service_leaves_none(self):
        self.log_in_to_disk()
        self.wait_for_links("physicaldrive1", "iscsidisk1")
        self.assertEqual(self.service.stop(), 0)
        self.assertEqual(self.prefix_links(), {})

    def test_a_killed_service_is_cleaned_up_after(self):
        self.log_in_to_disk()
        self.wait_for_links("physicaldrive1", "iscsidisk1")
        self.service.stop(signal.SIGKILL)
        self.assertEqual(len(self.prefix_links()), 2)
        self.service = self.serve()
        self.wait_for_links()


class Wine(Case):
    """Windows programs. The prefix is one for all tests of the build, and these run one after the other."""

    install = test_service.WineMeetsLinux.install
    wine_environment = test_service.WineMeetsLinux.wine_environment
    ask_wine = test_service.WineMeetsLinux.ask_wine

    def setUp(self):
        super().setUp()
        self.prefix = wineprefix.WinePrefix(test_service.WINDOWS_BUILD)
        self.prefix.start()
        self.prefix_path = self.prefix.path
        self.windows = self.install(test_service.WINDOWS_BUILD, "windows", "windows_disk.exe", "iscsidsc.dll")

    def run_wine(self, *actions, log_in=False):
        """What it prints, by the first word of each line: lists."""
        where = [*self.portal.rsplit(":", 1), device_case.TARGET] if log_in else []
        code, output = self.ask_wine(*where, *actions, command="windows_disk.exe")
        self.assertEqual((code, output.splitlines()[-1:]), (0, ["done"]), output)
        told = {}
        for line in output.splitlines()[:-1]:
            word, _, rest = line.partition(" ")
            told.setdefault(word, []).append(rest)
        return told

    def sectors(self, told):
        return [bytes.fromhex(text) for text in told["sector"]]

    def sector_of(self, data, number):
        return data[number * SECTOR:(number + 1) * SECTOR]

    def assert_sector(self, number, expected):
        """As programs of this system see it, and on the target's disk."""
        for path in self.file, self.disks[0]:
            with open(path, "rb") as disk:
                disk.seek(number * SECTOR)
                self.assertEqual(disk.read(SECTOR), expected, path)


@unittest.skipIf(test_devices_tree.reason_to_skip(), test_devices_tree.reason_to_skip())
class WineReads(Wine):
    def test_by_the_name_that_the_library_tells(self):
        data = self.fill_disk()
        reads = ["seekread=0", "seekread=%d" % LAST, "read=%d" % LAST, "read=0"]
        told = self.run_wine("login", "name", "open", *reads, "seekwrite=5:a5", "write=%d:5a" % LAST, "flush", "close",
                             "openbare", *reads, "write=6:c3", "close", log_in=True)
        self.assertEqual(told["name"], ["\\\\.\\PhysicalDrive1"])
        first, last = self.sector_of(data, 0), self.sector_of(data, LAST)
        self.assertEqual(self.sectors(told), [first, last, last, first, first, b"\x5a" * SECTOR, b"\x5a" * SECTOR, first])
        self.assert_sector(5, b"\xa5" * SECTOR)
        self.assert_sector(6, b"\xc3" * SECTOR)
        self.assert_sector(LAST, b"\x5a" * SECTOR)

    def test_what_others_write_is_seen(self):
        self.run_wine("login", "name", log_in=True)
        with open(self.wait_for(self.file), "r+b") as disk:
            disk.write(b"\x11" * SECTOR)
            disk.seek(LAST * SECTOR)
            disk.write(b"\x22" * SECTOR)
        told = self.run_wine("drive=1", "open", "seekread=0", "seekread=%d" % LAST)
        self.assertEqual(self.sectors(told), [b"\x11" * SECTOR, b"\x22" * SECTOR])

    def test_who_has_it_open_keeps_it(self):
        self.run_wine("login", "name", "open", "logout=" + BUSY, "close", "logout", "gone", log_in=True)
        self.wait_for_links()

    def test_what_works_without_the_driver(self):
        """docs/devices.md tells the same."""
        told = self.run_wine("login", "name", "open", "controls", "inquiry", "direct", log_in=True)
        refused = ["error %d" % NOT_SUPPORTED]
        for word in "length", "sector_size", "disk_size", "scsi_address", "bus_type", "layout_style", "inquiry", "direct":
            self.assertEqual(told[word], refused, word)

    def test_a_killed_service_is_cleaned_up_after(self):
        self.run_wine("login", "name", log_in=True)
        self.wait_for_links("physicaldrive1", "iscsidisk1")
        self.service.stop(signal.SIGKILL)
        self.service = self.serve()
        self.wait_for_links()
        self.run_wine("drive=1", "gone")


def partition_table():
    """A master boot record: two partitions."""
    def entry(kind, first, count):
        return bytes(4) + bytes([kind]) + bytes(3) + first.to_bytes(4, "little") + count.to_bytes(4, "little")
    return (bytes(440) + b"\x78\x56\x34\x12" + bytes(2) + entry(0x07, 64, 1000) + bytes(16) + entry(0x83, 2048, 4096) + bytes(16) +
            b"\x55\xaa")


@unittest.skipIf(test_devices_tree.reason_to_skip(), test_devices_tree.reason_to_skip())
class WineDriver(Wine):
    """iscsidisk.sys, which answers what Wine does not."""

    more = ["--lun", "ram:1M,bs=4096"]

    def setUp(self):
        super().setUp()
        driver = os.path.join(test_service.WINDOWS_BUILD, "iscsidisk.sys")
        if not os.path.exists(driver):
            self.skipTest("the compiler has no headers for drivers")
        place = os.path.join(self.prefix.path, "drive_c", "windows", "system32", "drivers", "iscsidisk.sys")
        shutil.copy(driver, place)
        self.addCleanup(os.remove, place)
        self.run_wine("nodriver", "driver=C:\\windows\\system32\\drivers\\iscsidisk.sys")
        self.addCleanup(self.run_wine, "nodriver")

    def fact(self, name):
        """What the device's directory tells of it."""
        with open(os.path.join(self.place(0, "generic"), name)) as file:
            return file.read().strip()

    def test_disks_answer_as_on_windows(self):
        data = partition_table() + self.fill_disk()[SECTOR:]
        with open(self.disks[0], "wb") as disk:
            disk.write(data)
        told = self.run_wine("login", "name", "open", "controls", "inquiry", "capacity", "direct", "read=%d" % LAST,
                             "scsiread=3", "write=9:77", "read=9", "flush", "close", log_in=True)
        self.assertEqual(told["name"], ["\\\\.\\PhysicalDrive1"])
        self.wait_for_links("iscsidisk1", "iscsidisk2")
        self.assertEqual((told["length"], told["disk_size"], told["sector_size"]), ([str(SIZE)], [str(SIZE)], [str(SECTOR)]))
        self.assertEqual((told["device_number"], told["scsi_address"], told["bus_type"]), (["1"], ["3000000"], ["9"]))
        self.assertEqual(told["layout_style"], ["0"])
        self.assertEqual(told["partition"], ["1 %d %d" % (64 * SECTOR, 1000 * SECTOR), "2 %d %d" % (2048 * SECTOR, 4096 * SECTOR)])
        self.assertEqual(told["capacity"], ["%08x%08x" % (LAST, SECTOR)])
        self.assertEqual(told["direct"], ["error %d" % NOT_SUPPORTED])
        self.assertEqual(self.sectors(told), [self.sector_of(data, LAST), self.sector_of(data, 3), b"\x77" * SECTOR])
        self.assert_sector(9, b"\x77" * SECTOR)
        self.assertEqual((told["vendor"], told["product"]), ([self.fact("vendor")], [self.fact("model")]))
        self.assertEqual(bytes.fromhex(told["inquiry"][0])[8:16].decode().strip(), self.fact("vendor"))
        other = self.run_wine("drive=2", "open", "controls")
        self.assertEqual((other["length"], other["sector_size"]), ([str(1 << 20)], ["4096"]))
        self.assertEqual((other["device_number"], other["scsi_address"]), (["2"], ["3000001"]))


def load_tests(loader, standard, pattern):
    del standard, pattern
    cases = [WineReads, WineDriver] if test_service.WINDOWS_BUILD else [Native, Management, FakePrefix]
    return unittest.TestSuite(loader.loadTestsFromTestCase(case) for case in cases)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    build = os.path.abspath(sys.argv.pop(1))
    test_service.BUILD = build
    if os.path.exists(os.path.join(build, "iscsicli.exe")):
        test_service.BUILD, test_service.WINDOWS_BUILD = os.path.join(os.path.dirname(build), "linux"), build
    unittest.main(verbosity=2)


if __name__ == "__main__":
    main()
