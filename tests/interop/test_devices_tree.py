#!/usr/bin/env python3
"""The files that the service makes of logical units: what they say of themselves, what goes through them, when they come and go.

    python3 tests/harness/run.py --build BUILD -- tests/interop/test_devices_tree.py BUILD [TEST...]
"""

import contextlib
import ctypes
import errno
import mmap
import os
import random
import signal
import stat
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "harness")]
import device_case  # noqa: E402
import test_service  # noqa: E402

SIZE = 4 << 20
DEVICE_BUSY = 0x40  # of 0xEFFF0040
KEEP_SIZE, PUNCH_HOLE, COLLAPSE, ZERO_RANGE = 1, 2, 8, 16  # of fallocate(2)
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
        self.assertEqual(os.listdir(self.root), ["bus0"])
        self.assertEqual(sorted(os.listdir(self.place(1, ""))), ["disk", "nbd"])
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

    def test_both_forms_are_one_disk(self):
        """Parts of one block are changed through both at the same time: neither change is lost."""
        uri = self.log_in_to_disk()
        self.wait_for(self.file(1))
        orders = []
        for i in range(200):
            orders += ["-c", "write -P %d %d 1" % (i + 1, 2 * i)]
        with self.opened(1) as file:
            command = ["qemu-io", "-f", "raw", "-t", "none", *orders, uri.replace("lun0", "lun1")]
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
class ComingAndGoing(Case):
    def test_who_has_it_open_is_not_cut_off(self):
        self.log_in_to_disk()
        session = self.sessions()[0]
        with self.opened(1, os.O_RDONLY):
            code, output = self.ask("LogoutTarget", session)
            self.assertEqual(code, DEVICE_BUSY, output)
        test_service.wait_for(lambda: self.ask("LogoutTarget", session)[0] == 0, "the logout, when nobody uses the device")
        test_service.wait_for(lambda: os.listdir(self.root) == [], "the directories of devices to be gone")
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
            self.assertEqual(os.listdir(self.root), [])
            self.assert_errno(errno.ENOTCONN, os.pread, file, 1, SIZE - 1)
        self.assertFalse(os.path.exists(self.root + ".sockets"))

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
            self.assertEqual(os.listdir(self.root), [])
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
