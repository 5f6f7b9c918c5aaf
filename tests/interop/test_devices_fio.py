#!/usr/bin/env python3
"""fio writes and verifies, at random and in sequence, through every form of a device at once, while the connections of the
session that carries them all are cut, reset and stalled. In the end fio verifies the disks of the target.

    python3 tests/harness/run.py --build BUILD -- tests/interop/test_devices_fio.py BUILD [TEST...]

TEST_SECONDS (20) is how long; TEST_SEED repeats what fio and the cutter do, though not to the instant.
"""

import os
import random
import subprocess
import sys
import threading
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "harness")]
import cutter  # noqa: E402
import device_case  # noqa: E402
import test_service  # noqa: E402

SEED = int(os.environ.get("TEST_SEED", random.getrandbits(30)))
SECONDS = int(os.environ.get("TEST_SECONDS", 20))
PASS_SECONDS = 60  # of one fio
AREA = 8 << 20  # of each job


class Worker(threading.Thread):
    """One fio after the other on a device: each writes all of two areas, and verifies that."""

    def __init__(self, form, device, seed, end):
        super().__init__()
        self.form, self.device, self.seed, self.end = form, device, seed, end
        self.passes, self.trouble = 0, None

    def run(self):
        while self.trouble is None and (self.passes == 0 or time.monotonic() < self.end):
            self.passes += 1
            self.trouble = self.fio(self.device)

    def verify(self, path):
        """What is wrong with the target's disk, after the last pass."""
        return self.fio(["--ioengine=psync", "--filename=" + path], "--verify_only")

    def fio(self, device, *more):
        seed = "--randseed=%d" % (self.seed + self.passes)
        common = [*device, seed, "--size=%d" % AREA, "--verify=crc32c", "--verify_fatal=1", *more]
        try:
            done = subprocess.run(
                ["fio", "--name=random", "--rw=randwrite", "--iodepth=16", *self.form.sizes, *common,
                 "--name=sequential", "--rw=write", "--bs=64k", "--iodepth=8", "--offset=%d" % AREA, *common],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=PASS_SECONDS, check=False)
        except subprocess.TimeoutExpired as late:
            return "%s, pass %d: fio did not end within %d s\n%s" % (self.form.name, self.passes, PASS_SECONDS, late.stdout)
        return None if done.returncode == 0 else "%s, pass %d, seed %d: fio ended with code %d\n%s" % (
            self.form.name, self.passes, self.seed, done.returncode, done.stdout)


class Form:
    """A way in which a device is offered."""

    sizes = ["--bsrange=512-64k", "--blocksize_unaligned=1"]  # of what is written at random

    def missing(self):
        """Why it cannot be had here."""
        return None


class Nbd(Form):
    name = "nbd"

    def missing(self):
        engines = subprocess.run(["fio", "--enghelp"], stdout=subprocess.PIPE, text=True, check=False).stdout
        return None if "\tnbd\n" in engines + "\n" else "fio has been built without NBD"

    def device(self, case, lun):
        return ["--ioengine=nbd", "--uri=" + case.wait_for_nbd(lun)]


class Fuse(Form):
    """Past the page cache: what is verified is to come from the target."""

    name = "fuse"
    sizes = ["--bsrange=512-64k"]

    def missing(self):
        return device_case.missing_fuse()

    def device(self, case, lun):
        return ["--ioengine=libaio", "--direct=1", "--filename=" + case.wait_for(case.place(lun, "disk"))]


class FuseCached(Form):
    """Bytes of any number at any place, by way of the page cache."""

    name = "fuse, cached"

    def missing(self):
        return device_case.missing_fuse()

    def device(self, case, lun):
        return ["--ioengine=psync", "--invalidate=1", "--end_fsync=1", "--filename=" + case.wait_for(case.place(lun, "disk"))]


class Loop(Form):
    """The block device, past its page cache."""

    name = "loop"
    sizes = ["--bsrange=512-64k"]

    def missing(self):
        return device_case.missing_fuse() or device_case.missing_loop()

    def device(self, case, lun):
        link = case.wait_for(os.path.join(case.links, "bus0", "target0", "lun%d" % lun, "disk"))
        return ["--ioengine=libaio", "--direct=1", "--filename=" + os.path.realpath(link)]


class Fio(device_case.Case):
    settings = "DelayBetweenReconnect = 1\nLoopDevices = %s\n" % ("no" if device_case.missing_loop() else "yes")
    forms = [Nbd(), Fuse(), FuseCached(), Loop()]
    sizes = [2 * AREA] * len(forms)
    more = ["--time2wait", "0"]
    time2wait = "0"

    def usable(self):
        if device_case.missing_program("fio"):
            self.skipTest("fio is not installed")
        for form in self.forms:
            why = form.missing()
            if why:
                print("%s is left out: %s" % (form.name, why))
            else:
                yield form

    def test_what_is_written_is_read_while_connections_are_cut(self):
        print("TEST_SEED=%d" % SEED)
        forms = list(self.usable())
        way = cutter.Cutter(self.portal, SEED)
        self.addCleanup(way.close)
        self.log_in_to_units(way.portal)
        end = time.monotonic() + SECONDS
        workers = [Worker(form, form.device(self, lun), SEED + 1000000 * lun, end) for lun, form in enumerate(forms)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        way.rest()
        print(", ".join("%s: %d passes" % (worker.form.name, worker.passes) for worker in workers))
        print(", ".join("%s: %d" % item for item in sorted(way.count.items())))
        self.assertEqual([worker.trouble for worker in workers], [None] * len(workers))
        for worker, disk in zip(workers, self.disks):
            self.assertIsNone(worker.verify(disk), "on the target's disk")
        for kind in cutter.KINDS:
            self.assertGreater(way.count[kind], 0, "no connection was ever harmed by a %s" % kind)
        self.assertEqual(self.service.stop(), 0)


if __name__ == "__main__":
    test_service.BUILD = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
