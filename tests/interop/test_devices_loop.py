#!/usr/bin/env python3
"""The service's devices as block devices of the system: partitioned, formatted, mounted by the service, refused to a logout while
somebody uses them, and gone without a trace, also after a service that was killed. Needs root and loop devices.

    python3 tests/harness/run.py --build BUILD -- tests/interop/test_devices_loop.py BUILD [TEST...]
"""

import contextlib
import os
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "harness")]
import device_case  # noqa: E402
import test_service  # noqa: E402

DEVICE_BUSY = 0x40  # of 0xEFFF0040
CAP_SYS_RESOURCE = 24


def why_not():
    if os.geteuid() != 0:
        return "loop devices are for root"
    if not os.path.exists("/dev/loop-control"):
        return "there are no loop devices"
    if not os.path.exists("/dev/fuse"):
        return "there is no FUSE"
    return None


class Loops(device_case.Case):
    sizes = [32 << 20]
    more = ["--lun", "ram:1M,bs=4096"]

    def setUp(self):
        reason = why_not()
        if reason is not None:
            print("skipped: " + reason)
            self.skipTest(reason)
        super().setUp()
        self.disk = self.disks[0]
        self.points = []
        self.addCleanup(self.unmount)

    def configure(self, settings):
        super().configure(settings + "LoopDevices = yes\nMountRetries = 2\n")

    def unmount(self):
        """What a test that failed has left."""
        for point in self.points:
            subprocess.run(["umount", "-l", point], stderr=subprocess.DEVNULL, check=False)

    def link(self, lun, form="disk"):
        return os.path.join(self.links, "bus0", "target0", "lun%d" % lun, form)

    def block_device(self, lun):
        link = self.link(lun)
        test_service.wait_for(lambda: os.path.islink(link) and os.path.exists(link), link)
        device = os.readlink(link)
        self.assertRegex(device, r"^/dev/loop\d+$")
        return device

    def log_in(self):
        self.log_in_to_disk()
        self.session = self.sessions()[0]
        return self.block_device(0)

    def log_out(self, code=0):
        got, output = self.ask("LogoutTarget", self.session)
        self.assertEqual(got, code, output)

    def attached(self):
        """The loop devices on files of this test."""
        found = []
        for name in os.listdir("/sys/block"):
            with contextlib.suppress(OSError), open("/sys/block/%s/loop/backing_file" % name) as backing:
                found += ["/dev/" + name] if self.directory in backing.read() else []
        return found

    def mounts(self):
        with open("/proc/self/mountinfo") as mounts:
            return [line.split()[4] for line in mounts if self.directory in line.split()[4] and line.split()[4] != self.root]

    def assert_nothing_left(self):
        self.assertEqual(self.attached(), [])
        self.assertEqual(self.mounts(), [])
        self.assertFalse(os.path.lexists(self.links), "links are left")

    def fstab(self, *lines):
        with open(os.path.join(self.state, "fstab.iscsi"), "w") as file:
            file.write("# device point type options dump pass\n" + "".join(line + "\n" for line in lines))

    def new_point(self, name):
        point = os.path.join(self.state, name)
        os.mkdir(point)
        self.points.append(point)
        return point

    def restart_target(self, disk):
        self.target.stop_signal = signal.SIGKILL
        self.target.stop()
        self.disks = [disk]
        self.target = self.start_target(self.portal)

    def of_kernel(self, name):
        with contextlib.suppress(OSError), open("/sys/block/%s/%s" % (os.path.basename(self.block_device(0)), name)) as file:
            return int(file.read())

    def test_another_size(self):
        """All forms of the device follow it."""
        self.log_in()
        os.truncate(self.disk, 48 << 20)
        self.restart_target(self.disk)
        test_service.wait_for(lambda: self.of_kernel("size") == (48 << 20) // 512, "the size of the block device")
        self.assertEqual(os.stat(self.place(0, "disk")).st_size, 48 << 20)
        if not device_case.missing_program("qemu-img"):
            self.assertIn('"virtual-size": %d' % (48 << 20), self.tool("qemu-img", "info", "--output=json", self.wait_for_nbd(0)))

    def test_another_write_protection(self):
        self.log_in()
        for options, protected in (",ro", 1), ("", 0):
            self.restart_target(self.disk + options)
            test_service.wait_for(lambda: self.of_kernel("ro") == protected, "the block device's ro to be %d" % protected)
            self.assertEqual(os.stat(self.place(0, "disk")).st_mode & 0o200, 0 if protected else 0o200)

    def test_it_is_a_disk_of_its_own(self):
        device = self.log_in()
        self.assertEqual(int(self.tool("blockdev", "--getsize64", device)), self.sizes[0])
        other = self.block_device(1)
        self.assertEqual(int(self.tool("blockdev", "--getss", other)), 4096)
        name = os.path.join(self.links, "by-name", device_case.TARGET + "-lun-0")
        self.assertEqual(os.readlink(name), device)
        self.assertEqual(os.readlink(name + "-part3"), device + "p3")
        self.assertEqual(os.readlink(self.link(0, "part15")), device + "p15")
        with open(device, "r+b") as disk:
            disk.seek(12345)
            disk.write(b"written through the block device")
        self.log_out()
        self.assert_nothing_left()
        with open(self.disk, "rb") as file:
            file.seek(12345)
            self.assertEqual(file.read(32), b"written through the block device")

    def test_file_systems_are_mounted_as_fstab_says(self):
        for name in "mkfs.ext4", "blkid", "fsck.ext4":
            if device_case.missing_program(name):
                self.skipTest("%s is not installed" % name)
        self.tool("mkfs.ext4", "-q", "-L", "iscsi data", self.log_in())
        self.log_out()
        self.assert_nothing_left()
        point, nowhere = self.new_point("by link"), self.new_point("nowhere")
        self.fstab("%s %s ext4 noatime 0 2" % (self.link(0), point.replace(" ", "\\040")), "bad line",
                   "LABEL=absent %s ext4" % nowhere, "%s %s/no ext4 noauto" % (self.link(0), nowhere))
        self.assertEqual(self.mounts(), [])
        self.log_in()
        test_service.wait_for(lambda: os.path.ismount(point), "the file system to be mounted")
        tree = os.path.join(point, "tree")
        shutil.copytree(os.path.join(HERE, "..", "harness"), tree)
        self.log_out()
        self.assert_nothing_left()
        # The same by what the file system says of itself; and with a mount point inside another one.
        self.fstab('LABEL="iscsi\\040data" %s auto' % nowhere)
        self.log_in()
        test_service.wait_for(lambda: os.path.ismount(nowhere), "the file system to be mounted by its label")
        self.tool("diff", "-r", os.path.join(HERE, "..", "harness"), os.path.join(nowhere, "tree"))
        self.assertEqual(self.service.stop(), 0)
        self.assert_nothing_left()
        self.tool("fsck.ext4", "-f", "-n", self.disk)
        log = "\n".join(self.service.lines)
        self.assertRegex(log, r"event=bad-fstab line=\S+:3 reason=\"not of the form")
        self.assertNotIn("no-mount", log)

    def test_who_uses_it_keeps_it(self):
        point = self.new_point("mine")
        device = self.log_in()
        with open(device, "rb"):
            self.log_out(DEVICE_BUSY)
        self.tool("mkfs.ext4", "-q", device)
        self.tool("mount", device, point)
        self.log_out(DEVICE_BUSY)
        self.assertEqual(self.block_device(0), device)
        with open(os.path.join(point, "file"), "w") as file:
            file.write("still there")
        self.tool("umount", point)
        # It is mounted by the service as soon as it is there again.
        self.fstab("%s %s ext4" % (self.link(0), self.new_point("theirs")))
        self.log_out()
        self.assert_nothing_left()
        self.log_in()
        theirs = self.points[1]
        test_service.wait_for(lambda: os.path.ismount(theirs), "the file system to be mounted")
        with open(os.path.join(theirs, "file")) as file:
            self.assertEqual(file.read(), "still there")
            self.log_out(DEVICE_BUSY)
            self.assertTrue(os.path.ismount(theirs))
        self.log_out()
        self.assert_nothing_left()

    def test_by_force_it_is_taken(self):
        point = self.new_point("used")
        device = self.log_in()
        self.tool("mkfs.ext4", "-q", device)
        self.tool("mount", device, point)
        with open(os.path.join(point, "file"), "w") as file:
            file.write("x" * 100000)
            self.log_out(DEVICE_BUSY)
            self.assertEqual(self.force_logout(), "OK")
            self.assertEqual(self.mounts(), [])
            self.assertEqual(self.sessions(), [])
            with contextlib.suppress(OSError):
                file.flush()
        test_service.wait_for(lambda: self.attached() == [], "the loop device to go with its last user")
        self.assert_nothing_left()

    def force_logout(self):
        """The status's name: the interfaces have no such call."""
        adapter, specific = (int(part, 16) for part in self.session.split("-"))
        ids = struct.pack("<HIQHIQ", 1, 8, adapter, 2, 8, specific)
        with contextlib.closing(test_service.connect_local(self.service.base() + ".sock")) as door:
            door.sendall(test_service.message(test_service.operation_number("force_logout"),
                                              struct.pack("<HI", 1, len(ids)) + ids))
            return test_service.read_message(door)[2]

    def test_a_service_that_ends_takes_what_is_used(self):
        point = self.new_point("used")
        device = self.log_in()
        self.tool("mkfs.ext4", "-q", device)
        self.tool("mount", device, point)
        with open(os.path.join(point, "file"), "w") as file:
            file.write("x" * 100000)
            file.flush()
            os.fsync(file.fileno())
            self.assertEqual(self.service.stop(), 0)
            self.assertEqual(self.mounts(), [])
        test_service.wait_for(lambda: self.attached() == [], "the loop device to go with its last user")
        self.assertFalse(os.path.lexists(self.links), "links are left")
        self.assertIn("event=unmounted-by-force", "\n".join(self.service.lines))

    def log_in_once_more(self):
        address, port = self.portal.rsplit(":", 1)
        multipath = "2"
        self.succeed("LoginTarget", device_case.TARGET, "T", address, port, "*", "*", "*", multipath, *"* * * * * * * * * 0".split())
        test_service.wait_for(lambda: len(self.sessions()) == 2, "both sessions")

    def test_what_is_used_is_written_before_it_is_taken(self):
        """Without that anybody asks for it."""
        self.in_use_when_the_service_ends(self.log_in())

    def test_several_sessions_lead_to_what_is_written(self):
        """None of them is left as a way for the other when all end."""
        device = self.log_in()
        self.log_in_once_more()
        self.in_use_when_the_service_ends(device)

    def in_use_when_the_service_ends(self, device):
        point = self.new_point("used")
        self.tool("mkfs.ext4", "-q", device)
        self.tool("mount", device, point)
        content = os.urandom(300000)
        with open(os.path.join(point, "file"), "wb") as file:
            file.write(content)
            file.flush()
            self.assertEqual(self.service.stop(), 0)
            log = "\n".join(self.service.lines)
            self.assertIn("event=unmounted-by-force", log)
            self.assertNotIn("not-all-written", log)
        test_service.wait_for(lambda: self.attached() == [], "the loop device to go with its last user")
        copy = os.path.join(self.directory, "copy")
        self.tool("debugfs", "-R", "dump /file " + copy, self.disk)
        with open(copy, "rb") as file:
            self.assertEqual(file.read(), content)

    def test_a_point_is_known_by_whatever_path(self):
        """Mounts are listed without links and trailing slashes."""
        self.tool("mkfs.ext4", "-q", "-F", self.disk)
        point = self.new_point("point")
        link = os.path.join(self.state, "way")
        os.symlink(self.state, link)
        for count, given in enumerate((point + "/", os.path.join(link, "point"), point + "/../point//"), 1):
            with self.subTest(point=given):
                self.fstab("%s %s ext4" % (self.link(0), given))
                self.log_in()
                test_service.wait_for(lambda: os.path.ismount(point), "the file system to be mounted")
                self.service.wait_event("mounted", count)
                self.log_out()
                self.assert_nothing_left()

    def test_a_stranger_at_the_point_stays(self):
        self.tool("mkfs.ext4", "-q", "-F", self.disk)
        point = self.new_point("point")
        self.fstab("%s %s ext4" % (self.link(0), point))
        self.log_in()
        self.service.wait_event("mounted")
        # In the place of the service's, which somebody has unmounted.
        self.tool("umount", point)
        self.tool("mount", "-t", "tmpfs", "stranger", point)
        self.log_out()
        self.assertEqual(self.mounts(), [point])
        self.assertEqual(self.attached(), [])
        self.tool("umount", point)
        # Over it.
        self.log_in()
        self.service.wait_event("mounted", 2)
        self.tool("mount", "-t", "tmpfs", "stranger", point)
        self.log_out(DEVICE_BUSY)
        self.assertEqual(self.mounts(), [point, point])
        self.tool("umount", point)
        self.log_out()
        self.assert_nothing_left()

    def test_a_stranger_of_the_same_number_stays(self):
        """An administrator has detached the service's loop device, and somebody else got its number, with a file system."""
        point, file = self.new_point("stranger"), self.new_disk("stranger", 8 << 20)
        device = self.log_in()
        self.tool("mkfs.ext4", "-q", "-F", file)
        self.tool("losetup", "-d", device)
        self.tool("losetup", device, file)
        self.addCleanup(subprocess.run, ["losetup", "-d", device], stderr=subprocess.DEVNULL, check=False)
        self.tool("mount", device, point)
        self.log_out()
        self.service.wait_event("block-device-lost")
        self.assertEqual(self.mounts(), [point])
        self.tool("umount", point)
        self.assertIn(file, self.tool("losetup", device))

    def test_a_name_alone_is_no_mount_of_the_device(self):
        """Anybody may call the source of a FUSE file system as he likes; here it is a tmpfs."""
        point = self.new_point("called")
        device = self.log_in()
        self.tool("mount", "-t", "tmpfs", device, point)
        self.log_out()
        self.assertEqual(self.mounts(), [point])
        self.tool("umount", point)
        self.assert_nothing_left()

    def test_a_second_service_takes_nothing_away(self):
        point = self.new_point("mine")
        device = self.log_in()
        self.tool("mkfs.ext4", "-q", device)
        self.tool("mount", device, point)
        other = os.path.join(self.directory, "other")
        os.mkdir(other, 0o700)
        shutil.copy(os.path.join(self.state, "iscsi.conf"), other)
        second = test_service.Service(other)
        self.addCleanup(second.stop, signal.SIGKILL)
        self.assertNotEqual(second.wait(), 0)
        self.assertRegex("\n".join(second.lines), r"event=no-devices status=BUSY")
        second.process.stderr.close()
        self.assertTrue(os.path.ismount(point))
        self.assertIn(device, self.attached())
        self.assertEqual(self.block_device(0), device)
        self.tool("umount", point)

    def test_it_does_not_wait_for_itself_when_memory_is_short(self):
        """PF_MEMALLOC_NOIO of each thread."""
        with open("/proc/self/status") as status:
            capabilities = int(re.search(r"CapEff:\s+(\w+)", status.read()).group(1), 16)
        if not capabilities & 1 << CAP_SYS_RESOURCE:
            print("skipped: CAP_SYS_RESOURCE is lacking")
            self.skipTest("CAP_SYS_RESOURCE is lacking")
        self.log_in()
        tasks = "/proc/%d/task" % self.service.process.pid
        flags = {}
        for task in os.listdir(tasks):
            with open("%s/%s/stat" % (tasks, task)) as stat:
                flags[task] = int(stat.read().rsplit(")", 1)[1].split()[6])
        self.assertGreater(len(flags), 2)
        lacking = {task: hex(value) for task, value in flags.items() if not value & 0x00080000}
        self.assertEqual(lacking, {})

    def test_a_killed_service_is_cleaned_up_after(self):
        point = self.new_point("killed")
        self.tool("mkfs.ext4", "-q", self.log_in())
        self.fstab("%s %s ext4" % (self.link(0), point))
        self.log_out()
        self.log_in()
        test_service.wait_for(lambda: os.path.ismount(point), "the file system to be mounted")
        self.assertEqual(self.service.stop(signal.SIGKILL), -signal.SIGKILL)
        self.assertTrue(os.path.lexists(self.link(0)))
        self.service = self.serve()
        test_service.wait_for(lambda: self.mounts() == [] and self.attached() == [], "the next service to clean up")
        self.assertFalse(os.path.lexists(self.links), "links are left")
        self.assertEqual(len(re.findall("event=left-block-device", "\n".join(self.service.lines))), 2)
        self.log_in()
        test_service.wait_for(lambda: os.path.ismount(point), "the file system to be mounted again")
        self.assertEqual(self.service.stop(), 0)
        self.assert_nothing_left()

    def nodes_of_partitions(self):
        return [name for name in os.listdir("/dev") if re.fullmatch(r"loop\d+p\d+", name) and not os.path.exists("/sys/class/block/" + name)]

    def start_command(self, *command):
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   env=self.environment("require"))
        self.addCleanup(process.kill)
        return process

    def begin_log_in(self):
        address, port = self.portal.rsplit(":", 1)
        self.succeed("AddTargetPortal", address, port)
        return self.start_command(test_service.program("iscsicli"), "LoginTarget", device_case.TARGET, "T", address, port,
                                  *"* * * * * * * * * * * * * 0".split())

    def begin_to_write(self):
        """More than goes out at once: much of it waits in memory when the service is killed."""
        self.log_in()
        return self.start_command("dd", "if=/dev/zero", "of=" + self.block_device(0), "bs=1M", "count=24", "conv=notrunc,fsync")

    def begin_log_out(self):
        self.begin_to_write().wait(test_service.DEADLINE)
        with open(self.block_device(1), "r+b") as disk:
            disk.write(b"x" * (1 << 20))
            return self.start_command(test_service.program("iscsicli"), "LogoutTarget", self.session)

    def begin_with_file_system(self):
        """The service itself mounts and unmounts."""
        self.log_in()
        test_service.wait_for(lambda: os.path.ismount(self.points[0]), "the file system to be mounted")
        with open(os.path.join(self.points[0], "file"), "wb") as file:
            file.write(b"x" * (8 << 20))
        return self.start_command(test_service.program("iscsicli"), "LogoutTarget", self.session)

    def test_killed_at_any_moment_it_ends_and_the_next_one_starts(self):
        point = self.new_point("killed")
        seed = random.randrange(1 << 32)
        moments = random.Random(seed)
        begins = [self.begin_log_in, self.begin_to_write, self.begin_log_out, self.begin_with_file_system] * 3
        for number, begin in enumerate(begins):
            with self.subTest(round=number, begin=begin.__name__, seed=seed):
                self.fstab(*["%s %s ext4" % (self.link(0), point)] if begin == self.begin_with_file_system else [])
                self.tool("mkfs.ext4", "-q", "-F", self.disk)
                running = begin()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    running.wait(moments.random() * 0.3)
                self.assertEqual(self.service.stop(signal.SIGKILL), -signal.SIGKILL)
                running.wait(test_service.DEADLINE)
                self.service = self.serve()
                test_service.wait_for(lambda: self.attached() == [] and self.mounts() == [], "the next service to clean up")
                self.assertFalse(os.path.lexists(self.links), "links are left")
                self.assertEqual(self.nodes_of_partitions(), [])
                self.assertNotIn("event=silent-block-device", "\n".join(self.service.lines))


if __name__ == "__main__":
    test_service.BUILD = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
