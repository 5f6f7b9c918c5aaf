#!/usr/bin/env python3
"""The files that the service makes of logical units: what they say of themselves, what goes through them, when they come and go.

    python3 tests/harness/run.py --build BUILD -- tests/interop/test_devices_tree.py BUILD [TEST...]
"""

import contextlib
import ctypes
import errno
import json
import mmap
import os
import random
import shutil
import signal
import stat
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "harness")]
import device_case  # noqa: E402
import test_service  # noqa: E402

SIZE = 4 << 20
DEVICE_BUSY = 0x40  # of 0xEFFF0040
KEEP_SIZE, PUNCH_HOLE, COLLAPSE, ZERO_RANGE = 1, 2, 8, 16  # of fallocate(2)
OTHER = device_case.TARGET + "-other"
SEED = int(os.environ.get("TEST_SEED", time.time_ns() % 1000000))
LIBC = ctypes.CDLL(None, use_errno=True)


def reason_to_skip():
    if not os.path.exists("/dev/fuse"):
        return "there is no /dev/fuse"
    if os.geteuid() != 0 and device_case.missing_program("fusermount3"):
        return "fusermount3 is not installed"
    return None


def fallocate(file, mode, offset, length):
    """0, or the errno."""
    done = LIBC.fallocate(file, mode, ctypes.c_long(offset), ctypes.c_long(length))
    return 0 if done == 0 else ctypes.get_errno()


def mbr(entries):
    """A boot record: (type, first block, blocks) of each."""
    table = b"".join(struct.pack("<4xB3xII", *entry) for entry in entries)
    return bytes(446) + table.ljust(64, b"\0") + b"\x55\xaa"


def gpt(blocks, entries):
    """The begin of a disk of blocks of 512 bytes: (first, last) of each partition."""
    table = b"".join(b"\x01" * 32 + struct.pack("<QQ", *entry) + bytes(80) for entry in entries).ljust(128 * 128, b"\0")
    header = bytearray(struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, 0, 0, 1, blocks - 1, 34, blocks - 34, bytes(16),
                                   2, 128, 128, zlib.crc32(table)))
    header[16:20] = struct.pack("<I", zlib.crc32(header))
    return mbr([(0xee, 1, blocks - 1)]) + bytes(header).ljust(512, b"\0") + table


class Case(device_case.Case):
    sizes = [SIZE]
    more = ["--lun", "ram:1M,bs=4096", "--lun", "ram:64K,ro"]

    def setUp(self):
        super().setUp()
        print("TEST_SEED=%d" % SEED)
        self.dice = random.Random(SEED)

    def file(self, lun):
        return self.place(lun, "disk")

    @contextlib.contextmanager
    def opened(self, lun, flags=os.O_RDWR):
        file = os.open(self.wait_for(self.file(lun)), flags)
        try:
            yield file
        finally:
            os.close(file)

    def assert_errno(self, number, call, *arguments):
        with self.assertRaises(OSError) as caught:
            call(*arguments)
        self.assertEqual(errno.errorcode[caught.exception.errno], errno.errorcode[number])


@unittest.skipIf(reason_to_skip(), reason_to_skip())
class Files(Case):
    def test_what_they_say_of_themselves(self):
        self.log_in_to_disk()
        for lun, size, mode in (0, SIZE, 0o600), (1, 1 << 20, 0o600), (2, 64 << 10, 0o400):
            told = os.stat(self.wait_for(self.file(lun)))
            self.assertEqual((told.st_size, oct(told.st_mode), told.st_uid), (size, oct(stat.S_IFREG | mode), os.geteuid()))
        self.assertEqual(self.listed(), ["bus0"])
        self.assertEqual(sorted(os.listdir(self.place(1, ""))), ["disk", "generic", "nbd"])
        self.assertEqual(oct(os.stat(self.place(0, "")).st_mode), oct(stat.S_IFDIR | 0o500))
        self.assert_errno(errno.ENOENT, os.stat, self.place(3, ""))
        self.assert_errno(errno.ENOENT, os.stat, os.path.join(self.root, "bus0", "target0\n"))
        self.assert_errno(errno.EPERM, os.chmod, self.file(0), 0o666)
        with self.assertRaises(OSError):
            os.mkdir(os.path.join(self.root, "bus1"))
        with self.assertRaises(OSError):
            os.unlink(self.file(0))

    def test_any_alignment(self):
        """Against a copy in memory, through the page cache and past it."""
        self.log_in_to_disk()
        for lun, size in (0, SIZE), (1, 1 << 20):
            with self.opened(lun) as cached, self.opened(lun, os.O_RDWR | os.O_DIRECT) as direct:
                self.exercise(cached, direct, bytearray(os.pread(cached, size, 0)))

    def exercise(self, cached, direct, model):
        room = mmap.mmap(-1, 2 << 20)
        for _ in range(120):
            offset = self.dice.choice([self.dice.randrange(len(model)), self.dice.randrange(len(model)) & ~4095])
            length = min(self.dice.choice([1, 511, 512, 4096, 4097, 65536, 1 << 20, (1 << 20) + 13]), len(model) - offset)
            if self.dice.random() < 0.5:
                data = self.dice.randbytes(length)
                model[offset:offset + length] = data
                if offset % 4096 == 0 and length % 4096 == 0:
                    room[:length] = data
                    self.assertEqual(os.pwrite(direct, memoryview(room)[:length], offset), length)
                else:
                    self.assertEqual(os.pwrite(cached, data, offset), length)
            else:
                self.assertTrue(os.pread(cached, length, offset) == model[offset:offset + length], "at %d, %d" % (offset, length))
        os.fsync(cached)
        for file in cached, direct:
            got = os.preadv(file, [memoryview(room)[:1 << 20]], 0)
            self.assertTrue(room[:got] == model[:got] and got == min(len(model), 1 << 20), "the first %d bytes" % got)

    def test_what_is_written_is_on_the_disk(self):
        self.log_in_to_disk()
        data = self.dice.randbytes(SIZE)
        with self.opened(0) as file:
            self.assertEqual(os.pwrite(file, data, 0), SIZE)
            os.fsync(file)
        with open(self.disks[0], "rb") as disk:
            self.assertTrue(disk.read() == data, "the disk has other bytes")

    def test_the_size_is_the_disks(self):
        self.log_in_to_disk()
        with self.opened(0) as file:
            self.assertEqual(os.pread(file, 10, SIZE), b"")
            self.assertEqual(os.pread(file, 10, SIZE - 4), bytes(4))
            self.assert_errno(errno.ENOSPC, os.pwrite, file, b"x", SIZE)
            self.assertEqual(os.pwrite(file, b"12345678", SIZE - 4), 4)
            self.assertEqual(os.lseek(file, 0, os.SEEK_END), SIZE)
            os.ftruncate(file, 100)
            self.assertEqual(os.fstat(file).st_size, SIZE)
        with self.opened(0, os.O_RDWR | os.O_TRUNC | os.O_CREAT) as file:
            self.assertEqual(os.fstat(file).st_size, SIZE)
            self.assertEqual(os.pread(file, 10, SIZE - 4), b"1234")

    def test_write_protected(self):
        self.log_in_to_disk()
        self.wait_for(self.file(2))
        self.assert_errno(errno.EROFS if os.geteuid() == 0 else errno.EACCES, os.open, self.file(2), os.O_RDWR)
        with self.opened(2, os.O_RDONLY) as file:
            self.assertEqual(len(os.pread(file, 4096, 0)), 4096)

    def test_holes(self):
        self.log_in_to_disk()
        for lun in 0, 1:
            model = bytearray(b"\x5a" * (1 << 20))
            with self.opened(lun) as file:
                os.pwrite(file, model, 0)
                for mode, offset, length in ((KEEP_SIZE | PUNCH_HOLE, 65536, 65536), (ZERO_RANGE, 100, 5000),
                                             (ZERO_RANGE | KEEP_SIZE, 300000, 1), (KEEP_SIZE | PUNCH_HOLE, 400001, 12345)):
                    self.assertEqual(fallocate(file, mode, offset, length), 0)
                    model[offset:offset + length] = bytes(length)
                self.assertTrue(os.pread(file, len(model), 0) == model, "LUN %d" % lun)
                self.assertEqual(fallocate(file, 0, 0, 4096), errno.EOPNOTSUPP)
                self.assertEqual(fallocate(file, COLLAPSE, 0, 4096), errno.EOPNOTSUPP)
                self.assertEqual(os.fstat(file).st_size, SIZE if lun == 0 else 1 << 20)

    def test_space_is_given_back(self):
        """By what promises zeros; nothing else is asked to do that."""
        self.log_in_to_disk()
        with self.opened(0) as file:
            os.pwrite(file, b"\x5a" * SIZE, 0)
            before = os.stat(self.disks[0]).st_blocks
            self.assertGreaterEqual(before * 512, SIZE)
            self.assertEqual(fallocate(file, KEEP_SIZE | PUNCH_HOLE, 0, 1 << 20), 0)
            holed = os.stat(self.disks[0]).st_blocks
            self.assertLessEqual(holed * 512, SIZE - (1 << 20) + 4096)
            self.tool("qemu-io", "-f", "raw", "-t", "none", "-c", "write -z -u 1M 1M", self.wait_for_nbd(0))
            self.assertLessEqual(os.stat(self.disks[0]).st_blocks * 512, SIZE - (2 << 20) + 4096)
        with self.opened(0, os.O_RDONLY) as file:
            self.assertTrue(os.pread(file, SIZE, 0) == bytes(2 << 20) + b"\x5a" * (SIZE - (2 << 20)), "other bytes")

    def test_both_forms_are_one_disk(self):
        """Parts of one block are changed through both at the same time: neither change is lost."""
        self.log_in_to_disk()
        uri = self.wait_for_nbd(1)
        orders = []
        for i in range(200):
            orders += ["-c", "write -P %d %d 1" % (i + 1, 2 * i)]
        with self.opened(1) as file:
            command = ["qemu-io", "-f", "raw", "-t", "none", *orders, uri]
            thread = test_service.threading.Thread(target=lambda: self.tool(*command))
            thread.start()
            for i in range(200):
                os.pwrite(file, bytes([i + 1]), 2 * i + 1)
            thread.join()
        with self.opened(1, os.O_RDONLY | os.O_DIRECT) as file:
            room = mmap.mmap(-1, 4096)
            os.preadv(file, [room], 0)
            self.assertEqual(list(room[:400]), [i // 2 + 1 for i in range(400)])


@unittest.skipIf(reason_to_skip(), reason_to_skip())
class Holes(Case):
    """The target takes no WRITE SAME but those that may unmap (byte 1 of the CDB)."""

    more = ["--fault", "on scsi-command with cdb=0x93 with byte33=0 answer check-condition 4 0x44 0"]

    def test_only_holes_may_be_unmapped(self):
        self.log_in_to_disk()
        uri = self.wait_for_nbd(0)
        with self.opened(0) as file:
            self.assertEqual(fallocate(file, KEEP_SIZE | PUNCH_HOLE, 65536, 65536), 0)
            self.assertEqual(fallocate(file, KEEP_SIZE | ZERO_RANGE, 65536, 65536), errno.EIO)
        self.tool("qemu-io", "-f", "raw", "-t", "none", "-c", "write -z -u 1M 64k", uri)
        self.assertIn("Input/output error", self.tool("qemu-io", "-f", "raw", "-t", "none", "-c", "write -z 1M 64k", uri, code=1))
        line = self.service.wait_event("io-failed")
        self.assertIn(" device=bus0/target0/lun0 kind=zero offset=65536 length=65536 status=SCSI_STATUS scsi-status=0x02 sense=4/44/00 ", line)


@unittest.skipIf(reason_to_skip(), reason_to_skip())
class Failures(Case):
    more = ["--fault", "on scsi-command with cdb=0x28 with lba=256 answer check-condition 3 0x11 0"]

    def lines(self):
        return [line for line in self.service.lines if " event=io-failed" in line]

    def test_a_medium_error_is_told(self):
        self.log_in_to_disk()
        with self.opened(0, os.O_RDONLY | os.O_DIRECT) as file:
            room = mmap.mmap(-1, 8192)
            self.assert_errno(errno.EIO, os.preadv, file, [room], 256 * 512)
            line = self.service.wait_event("io-failed")
            self.assertIn(" level=error event=io-failed device=bus0/target0/lun0 kind=read offset=131072 length=8192 "
                          "status=SCSI_STATUS scsi-status=0x02 sense=3/11/00 untold=0", line)
            self.assertEqual(os.preadv(file, [room], 0), 8192)
        self.assertIn("Input/output error", self.tool("qemu-io", "-r", "-f", "raw", "-c", "read 128k 4k", self.wait_for_nbd(0), code=1))
        self.assertIn(" kind=read offset=131072 length=4096 ", self.service.wait_event("io-failed", 2))

    def test_many_do_not_fill_the_log(self):
        self.log_in_to_disk()
        begin = time.monotonic()
        with self.opened(0, os.O_RDONLY | os.O_DIRECT) as file:
            for _ in range(100):
                self.assert_errno(errno.EIO, os.preadv, file, [mmap.mmap(-1, 4096)], 256 * 512)
        windows = 1 + int((time.monotonic() - begin) / 10)
        self.service.wait_event("io-failed", 10)
        self.assertLessEqual(len(self.lines()), 10 * windows)


@unittest.skipIf(reason_to_skip(), reason_to_skip())
class Partitions(Case):
    def write_table(self, lun, table):
        with self.opened(lun) as file:
            os.pwrite(file, table, 0)

    def parts(self, lun):
        """Sizes by name."""
        with contextlib.suppress(FileNotFoundError):
            names = [name for name in os.listdir(self.place(lun, "")) if name.startswith("part")]
            return {name: os.stat(self.place(lun, name)).st_size for name in names}

    def expect(self, lun, parts):
        try:
            test_service.wait_for(lambda: self.parts(lun) == parts, "the partitions", 10)
        except TimeoutError as late:
            self.fail("%s: %s, expected %s" % (late, self.parts(lun), parts))

    def test_tables_are_read_when_they_have_been_written(self):
        self.log_in_to_disk()
        extended = mbr([(0x83, 8, 100), (0x05, 300, 200)])
        self.write_table(0, mbr([(0x83, 64, 1000), (0x0f, 2000, 4000)]))
        self.expect(0, {"part1": 1000 * 512})
        with self.opened(0) as file:
            os.pwrite(file, extended, 2000 * 512)
            os.pwrite(file, mbr([(0x83, 8, 150)]), 2300 * 512)
        self.expect(0, {"part1": 1000 * 512, "part5": 100 * 512, "part6": 150 * 512})
        self.write_table(0, gpt(SIZE // 512, [(100, 199), (300, 300)]))
        self.expect(0, {"part1": 100 * 512, "part2": 512})
        self.write_table(1, mbr([(0x83, 1, 10)]))
        self.expect(1, {"part1": 10 * 4096})
        self.write_table(0, bytes(34 * 512))
        self.expect(0, {})

    def test_tables_are_read_at_the_login(self):
        with open(self.disks[0], "r+b") as disk:
            disk.write(gpt(SIZE // 512, [(100, 199)] * 20))
        self.log_in_to_disk()
        self.expect(0, {"part%d" % number: 51200 for number in range(1, 16)})

    def test_what_is_written_to_a_partition(self):
        self.log_in_to_disk()
        self.write_table(0, mbr([(0x83, 64, 100), (0x83, 164, 10)]))
        self.expect(0, {"part1": 51200, "part2": 5120})
        data = self.dice.randbytes(51200)
        part = os.open(self.place(0, "part1"), os.O_RDWR)
        with contextlib.closing(os.fdopen(part, "r+b", 0)):
            self.assertEqual(os.pwrite(part, data, 0), len(data))
            self.assert_errno(errno.ENOSPC, os.pwrite, part, b"x", len(data))
            self.assertEqual(os.pread(part, 10, len(data)), b"")
            self.assertEqual(fallocate(part, KEEP_SIZE | PUNCH_HOLE, 51200 - 512, 4096), 0)
        with self.opened(0, os.O_RDONLY) as file:
            self.assertTrue(os.pread(file, 51200 + 512, 64 * 512) == data[:-512] + bytes(1024), "the disk has other bytes")

    def test_one_that_is_open_stays(self):
        self.log_in_to_disk()
        self.write_table(0, mbr([(0x83, 64, 100), (0x83, 500, 10)]))
        self.expect(0, {"part1": 51200, "part2": 5120})
        with open(self.place(0, "part1"), "rb", 0) as part:
            self.write_table(0, mbr([(0x83, 64, 50), (0x83, 500, 20)]))
            self.expect(0, {"part1": 51200, "part2": 10240})
            self.assertEqual(len(part.read(4096)), 4096)
            code, output = self.ask("LogoutTarget", self.sessions()[0])
            self.assertEqual(code, DEVICE_BUSY, output)
        with self.opened(0):
            pass
        self.expect(0, {"part1": 25600, "part2": 10240})

    def test_tables_that_nobody_should_have(self):
        self.log_in_to_disk()
        for _ in range(20):
            table = bytearray(self.dice.choice([gpt(SIZE // 512, [(100, 199)]), mbr([(5, 1, 100), (0x83, 100, 1 << 31)])]))
            for _ in range(self.dice.randrange(4)):
                table[self.dice.randrange(len(table))] ^= 1 << self.dice.randrange(8)
            self.write_table(0, bytes(table))
        self.write_table(0, mbr([(0x83, 64, 100)]))
        self.expect(0, {"part1": 51200})


@unittest.skipIf(reason_to_skip(), reason_to_skip())
class Facts(Case):
    def generic(self, lun, name):
        with open(self.wait_for(self.place(lun, "generic/" + name))) as file:
            return file.read()

    def test_what_is_to_be_known(self):
        self.log_in_to_disk()
        with self.opened(0, os.O_RDWR | os.O_DIRECT) as file:
            os.preadv(file, [mmap.mmap(-1, 4096)], 0)
        names = os.listdir(self.place(0, "generic"))
        told = {name: self.generic(0, name) for name in names}
        self.assertEqual(told["capacity"], "%d\n" % SIZE)
        self.assertEqual((told["block_size"], self.generic(1, "block_size")), ("512\n", "4096\n"))
        self.assertEqual((told["read_only"], self.generic(2, "read_only")), ("0\n", "1\n"))
        self.assertEqual((told["lun"], self.generic(2, "lun"), told["type"]), ("0\n", "2\n", "0\n"))
        self.assertEqual((told["address"], self.generic(2, "address")), ("3:0:0:0\n", "3:0:0:2\n"))
        self.assertEqual((told["target"], told["portal"], told["state"]), (device_case.TARGET + "\n", self.portal + "\n", "active\n"))
        self.assertEqual(told["session"].replace("0x", ""), self.sessions()[0] + "\n")
        self.assertRegex(told["statistics"], r"^reads [1-9]\d*\nwrites 0\nothers \d+\nbytes_read [1-9]\d*\nbytes_written 0\n")
        for name in "vendor", "model", "revision", "serial", "wwid":
            self.assertEqual(told[name].count("\n"), 1, name)
        self.assertEqual(stat.S_IMODE(os.stat(self.place(0, "generic/capacity")).st_mode), 0o400)
        self.target.stop_signal = signal.SIGKILL
        self.target.stop()
        test_service.wait_for(lambda: self.generic(0, "state") == "failed\n", "the state to change")
        self.assertEqual(self.generic(0, "portal"), "?\n")

    def test_a_text_is_of_the_time_of_its_opening(self):
        self.log_in_to_disk()
        with open(self.wait_for(self.place(0, "generic/statistics")), "rb", 0) as file:
            first = file.read(8)
            with self.opened(0, os.O_RDWR | os.O_DIRECT) as disk:
                os.preadv(disk, [mmap.mmap(-1, 4096)], 0)
            self.assertTrue(first.startswith(b"reads "))
            self.assertIn(b"errors 0\n", file.read())
            file.seek(0)
            self.assertEqual(file.read(8), first)


@unittest.skipIf(reason_to_skip(), reason_to_skip())
@unittest.skipIf(os.geteuid() != 0, "only root can be somebody else")
class Rights(Case):
    settings = Case.settings + "DeviceGroup = 12345\nDeviceMode = 0640\n"

    def configure(self, settings):
        directory = tempfile.mkdtemp(prefix="service-rights-")
        os.chmod(directory, 0o755)
        self.addCleanup(shutil.rmtree, directory)
        self.addCleanup(test_service.unmount_below, directory)
        self.root = os.path.join(directory, "devices")
        super().configure(settings)

    def try_as(self, group, path):
        code = "import os, sys; os.setgroups([]); os.setgid(%d); os.setuid(65534)\n" % group
        code += "try: os.open(sys.argv[1], os.O_RDONLY); print('open')\nexcept OSError as error: print(error.errno)\n"
        return subprocess.run([sys.executable, "-c", code, path], stdout=subprocess.PIPE, check=True, text=True).stdout.strip()

    def test_who_may_read(self):
        self.log_in_to_disk()
        told = os.stat(self.wait_for(self.file(0)))
        self.assertEqual((oct(stat.S_IMODE(told.st_mode)), told.st_uid, told.st_gid), (oct(0o640), 0, 12345))
        self.assertEqual(oct(stat.S_IMODE(os.stat(self.place(0, "")).st_mode)), oct(0o550))
        self.assertEqual(self.try_as(12345, self.file(0)), "open")
        self.assertEqual(self.try_as(12346, self.file(0)), str(errno.EACCES))

    def test_settings_that_mean_nothing(self):
        for line in "DeviceMode = 0777", "DeviceMode = 0", "DeviceMode = 66x", "DeviceMode = 99999999999999999999", "DeviceOwner = no such user", "LoopDevices = maybe":
            path = os.path.join(self.directory, "bad.conf")
            with open(path, "w") as file:
                file.write(line + "\n")
            done = subprocess.run([test_service.program("iscsidscd"), "--check-config", path], stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, check=False, text=True)
            self.assertEqual(done.returncode, 1, line)
            self.assertIn("bad.conf:1:%d: %s: " % (line.index("=") + 3, line.split()[0]), done.stdout)


@unittest.skipIf(reason_to_skip(), reason_to_skip())
class Portals(Case):
    more = ["--portal", "127.0.0.1:0"]

    def where(self):
        with open(os.path.join(self.root, "status")) as file:
            return [":".join(line.split()[3:5]) for line in file if not line.startswith("#")]

    def test_control_moves_a_session(self):
        self.log_in_to_disk()
        self.assertEqual(len(self.target.portals), 2)
        with self.opened(0) as file:
            for number in 1, 0:
                portal = self.target.portals[number]
                with open(os.path.join(self.root, "control"), "wb", 0) as control:
                    control.write(b"target 0 0 address %s\n" % portal.encode())
                test_service.wait_for(lambda: self.where() == [portal], "the session to be at " + portal)
                self.assertEqual(os.pwrite(file, b"%d" % number, number), 1)
        with open(self.place(0, "generic/portal")) as told:
            self.assertEqual(told.read(), self.target.portals[0] + "\n")


@unittest.skipIf(reason_to_skip(), reason_to_skip())
class ComingAndGoing(Case):
    more = Case.more + ["--target", OTHER, "--lun", "ram:256K", "--on-hup", "--of", device_case.TARGET + ",7", "--lun", "ram:128K"]

    def test_a_unit_appears(self):
        self.log_in_to_disk()
        self.assertFalse(os.path.exists(self.file(7)))
        self.target.process.send_signal(signal.SIGHUP)
        test_service.wait_for(lambda: ["changed"] in self.target.said(), "the target to have the unit")
        with self.opened(0, os.O_RDONLY | os.O_DIRECT) as file:
            os.preadv(file, [mmap.mmap(-1, 4096)], 0)  # the first command is told that there are others
        self.wait_for(self.file(7))
        self.assertEqual(os.stat(self.file(7)).st_size, 128 << 10)

    def order(self, text):
        with open(os.path.join(self.root, "control"), "wb", 0) as file:
            file.write(text)

    def test_a_unit_appears_when_it_is_asked_for(self):
        self.log_in_to_disk()
        self.target.process.send_signal(signal.SIGHUP)
        test_service.wait_for(lambda: ["changed"] in self.target.said(), "the target to have the unit")
        self.assertFalse(os.path.exists(self.file(7)))
        self.order(b"scsi add-single-device 3 0 0 7\n")
        self.wait_for(self.file(7))
        with open(os.path.join(self.root, "status")) as file:
            units = [line.split()[:3] for line in file if not line.startswith("#")]
        self.assertEqual(units, [["0", "0", lun] for lun in ("0", "1", "2", "7")])

    def test_lines_that_mean_nothing(self):
        self.log_in_to_disk()
        bad = b"", b"target 0 0\n", b"target 0 256 address 127.0.0.1\n", b"target 0 0 address 127.0.0.1\nx", b"scsi add-single-device 0 0 0\n"
        for text in bad[1:]:
            self.assert_errno(errno.EINVAL, self.order, text)
        self.assert_errno(errno.ENODEV, self.order, b"scsi add-single-device 3 0 9 0\n")
        self.assert_errno(errno.ENODEV, self.order, b"scsi add-single-device 0 0 0 0\n")
        self.assertIn(" event=bad-control line=\"target 0 0\" reason=", self.service.wait_event("bad-control"))
        self.service.wait_event("bad-control", len(bad) + 1)

    def test_a_place_is_given_when_it_is_free(self):
        """The first disk stays where it was by the second session to it, and its place is another target's by now."""
        address, port = self.portal.rsplit(":", 1)
        self.succeed("AddTargetPortal", address, port)
        login = "LoginTarget", device_case.TARGET, "T", address, port, *"* * * 2 * * * * * * * * * 0".split()
        self.succeed(*login)
        first = self.sessions()[0]
        self.wait_for(self.file(0))
        self.succeed(*login)
        second, = set(self.sessions()) - {first}
        self.succeed("LogoutTarget", first)
        with self.opened(0) as file:
            self.succeed("LoginTarget", OTHER, "T", address, port, *"* * * * * * * * * * * * * 1 0x0000000000000000 0 0 0".split())
            self.assertEqual(os.pread(file, 4, 0), bytes(4))
            self.service.wait_event("no-device")
            self.assertEqual(os.stat(self.file(0)).st_size, SIZE)
        test_service.wait_for(lambda: self.ask("LogoutTarget", second)[0] == 0, "the logout")
        self.assertEqual(os.stat(self.file(0)).st_size, 256 << 10)
        self.assertEqual(sorted(os.listdir(self.place(0, ""))), ["disk", "generic", "nbd"])
        with self.opened(0) as file:
            self.assertEqual(len(os.pread(file, 4096, 0)), 4096)

    def test_who_has_it_open_is_not_cut_off(self):
        self.log_in_to_disk()
        session = self.sessions()[0]
        with self.opened(1, os.O_RDONLY):
            code, output = self.ask("LogoutTarget", session)
            self.assertEqual(code, DEVICE_BUSY, output)
        test_service.wait_for(lambda: self.ask("LogoutTarget", session)[0] == 0, "the logout, when nobody uses the device")
        test_service.wait_for(lambda: self.listed() == [], "the directories of devices to be gone")
        self.assert_errno(errno.ENOENT, os.stat, self.file(0))

    def test_logins_again_and_again(self):
        """The kernel remembers names: they mean the device of now, or none."""
        self.log_in_to_disk()
        for number in range(20):
            with self.opened(0) as file:
                os.pwrite(file, b"%08d" % number, 0)
            test_service.wait_for(lambda: self.ask("LogoutTarget", self.sessions()[0])[0] == 0, "the logout")
            self.assertFalse(os.path.exists(self.file(0)))
            self.log_in_to_disk()
            with self.opened(0) as file:
                self.assertEqual(os.pread(file, 8, 0), b"%08d" % number)

    def test_the_service_ends_while_a_file_is_open(self):
        self.log_in_to_disk()
        with self.opened(0) as file:
            self.assertEqual(self.service.stop(), 0)
            self.assertEqual(self.listed(), [])
            self.assert_errno(errno.ENOTCONN, os.pread, file, 1, SIZE - 1)
        self.assertFalse(os.path.exists(self.root + ".sockets"))

    def test_a_disk_grows_and_shrinks_while_it_is_open(self):
        self.log_in_to_disk()
        uri = self.wait_for_nbd(0)
        with self.opened(0) as file:
            for size in 2 * SIZE, SIZE // 2:
                self.target.stop_signal = signal.SIGKILL
                self.target.stop()
                os.truncate(self.disks[0], size)
                self.target = self.start_target(self.portal)
                test_service.wait_for(lambda: os.fstat(file).st_size == size, "the file to have %d bytes" % size)
                self.assertEqual(json.loads(self.tool("nbdinfo", "--json", uri))["exports"][0]["export-size"], size)
                self.assertEqual(os.pwrite(file, b"last", size - 4), 4)
                self.assert_errno(errno.ENOSPC, os.pwrite, file, b"x", size)
                with open(self.place(0, "generic/capacity")) as told:
                    self.assertEqual(told.read(), "%d\n" % size)
                with open(self.disks[0], "rb") as disk:
                    disk.seek(size - 4)
                    self.assertEqual(disk.read(), b"last")

    def test_it_goes_on_over_a_restart_of_the_target(self):
        self.log_in_to_disk()
        data = self.dice.randbytes(SIZE)
        with self.opened(0) as file:
            for number in range(2):
                part = slice(number * SIZE // 2, (number + 1) * SIZE // 2)
                os.pwrite(file, data[part], part.start)
                self.target.stop_signal = signal.SIGKILL
                self.target.stop()
                self.target = self.start_target(self.portal)
            os.fsync(file)
        with open(self.disks[0], "rb") as disk:
            self.assertTrue(disk.read() == data, "the disk has other bytes")

    def test_a_killed_service_is_cleaned_up_after(self):
        self.log_in_to_disk()
        with self.opened(0) as file:
            self.service.stop(signal.SIGKILL)
            self.assert_errno(errno.ENOTCONN, os.stat, self.file(1))
            self.service = self.serve()
            self.assertEqual(self.listed(), [])
            self.assert_errno(errno.ENOTCONN, os.pread, file, 1, 0)
        self.log_in_to_disk()
        with self.opened(0) as file:
            self.assertEqual(len(os.pread(file, 4096, 0)), 4096)

    def test_a_directory_that_another_service_serves(self):
        self.log_in_to_disk()
        other = os.path.join(self.directory, "other")
        os.mkdir(other, 0o700)
        with open(os.path.join(other, "iscsi.conf"), "w") as file:
            file.write("DeviceDirectory = %s\n" % self.root)
        service = test_service.Service(other)
        self.addCleanup(service.stop, signal.SIGKILL)
        service.wait_event("no-devices")
        self.assertEqual(service.wait(), 1)
        self.assertTrue(os.path.exists(self.file(0)))


if __name__ == "__main__":
    test_service.BUILD = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
