#!/usr/bin/env python3
"""iscsi-target with the initiators of others, whose tools find, read and write its targets; iscsi-initiator with all targets.

    python3 tests/harness/run.py --peers embedded,tgtd,istgt --build BUILD -- tests/interop/test_libiscsi_programs.py BUILD [TEST...]
"""

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
import ports  # noqa: E402

BUILD = ""
DIRECTORY = os.environ.get("TEST_DIR", ".")
PATIENCE = 30


def path(name):
    return os.path.join(DIRECTORY, name)


def write(name, text):
    with open(path(name), "w") as file:
        file.write(text)
    return path(name)


def read(name, mode="r"):
    with open(path(name), mode) as file:
        return file.read()


def run(*command, **options):
    """Exit code and all of the output."""
    result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            timeout=PATIENCE, universal_newlines=True, **options)
    return result.returncode, result.stdout


class Case(unittest.TestCase):
    def start(self, targets, *options, tells=None):
        """A running iscsi-target -D; its portal."""
        program = os.path.join(BUILD, "iscsi-target")
        self.process = subprocess.Popen(
            [program, "-D", "-a", "127.0.0.1", "-p", "0", "-f", write("targets", targets), *options],
            stdout=subprocess.PIPE, stderr=tells or subprocess.STDOUT, universal_newlines=True)
        self.addCleanup(self.end)
        line = self.process.stdout.readline()
        found = re.match(r"listening at (127\.0\.0\.1:\d+),1\n", line)
        self.assertTrue(found, "iscsi-target said: %r" % line)
        return found.group(1)

    def end(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.assertEqual(self.process.wait(PATIENCE), 0, "exit code of iscsi-target")
        self.process.stdout.close()

    def needs(self, program):
        if shutil.which(program) is None:
            self.skipTest("%s is not installed" % program)

    def qemu_io(self, portal, target, *commands, options=(), lun=0):
        self.needs("qemu-io")
        words = [word for command in commands for word in ("-c", command)]
        code, output = run("qemu-io", "-f", "raw", *options, *words, "iscsi://%s/%s/%d" % (portal, target, lun))
        return code, output


class Library(unittest.TestCase):
    HEADER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "include", "iscsi.h")

    def test_exports(self):
        """The calls of the header, and nothing else."""
        with open(self.HEADER) as file:
            text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
        calls = sorted(set(re.findall(r"\b(iscsi_\w+)\(", text)))
        code, output = run("nm", "-D", "--defined-only", os.path.join(BUILD, "libiscsi_nb.so"))
        self.assertEqual(code, 0, output)
        names = sorted(line.split()[2] for line in output.splitlines() if line.split()[1] == "T")
        self.assertEqual(len(calls), 17)
        self.assertEqual(names, calls)

    def test_header(self):
        """It compiles alone, as old and new C and as C++."""
        source = write("header.c", '#include "%s"\nint main(void) { return 0; }\n' % self.HEADER)
        for compiler in (["gcc", "-std=c99"], ["gcc", "-std=c17"], ["g++", "-x", "c++"]):
            code, output = run(*compiler, "-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only", source)
            self.assertEqual((code, output), (0, ""), " ".join(compiler))


class Options(Case):
    def refused(self, *options):
        code, output = run(os.path.join(BUILD, "iscsi-target"), *options)
        self.assertNotEqual(code, 0, output)
        return output

    def test_version(self):
        code, output = run(os.path.join(BUILD, "iscsi-target"), "-V")
        self.assertEqual(code, 0)
        self.assertRegex(output, r"\Aiscsi-target \(iscsidsc\) \d+\.\d+\.\d+\n\Z")

    def test_bad_options(self):
        self.assertIn("usage: iscsi-target", self.refused("-x"))
        self.assertIn('"513" is not a value for "blocklen"', self.refused("-b", "513"))
        self.assertIn('"0" is not a value for "max sessions"', self.refused("-s", "0"))
        self.assertIn('"x" is not a value for "iqn"', self.refused("-t", "x"))
        self.assertIn('"loud" is not a value for "debug"', self.refused("-v", "loud"))

    def test_bad_files(self):
        self.assertIn("there is no such file", self.refused("-D", "-f", path("nothing")))
        name = write("bad", "# comment\nextent0 ram: 0 64MX\n")
        self.assertIn('%s:2: 64MX is neither a size nor "size"' % name, self.refused("-D", "-f", name))

    def test_name_and_block_length(self):
        portal = self.start("extent0 ram: 0 1MB\ntarget0 rw extent0 any\n", "-t", "iqn.2026-11.org.example", "-b", "4096")
        self.needs("iscsi-inq")
        code, output = run("iscsi-readcapacity16", "iscsi://%s/iqn.2026-11.org.example:target0/0" % portal)
        self.assertEqual(code, 0, output)
        self.assertRegex(output, r"(?i)block size:\s*4096|LogicalBlockSize:4096|length[^\n]*4096")

    def test_daemon(self):
        """Without -D the program that was started ends, and another one, whose number is in the file, serves."""
        program = os.path.join(BUILD, "iscsi-target")
        code, output = run(program, "-a", "127.0.0.1", "-p", "0", "-P", path("daemon.pid"),
                           "-f", write("targets", "extent0 ram: 0 1MB\ntarget0 rw extent0 any\n"))
        self.assertEqual(code, 0, output)
        portal = re.match(r"listening at (\S+),1\n", output).group(1)
        ports.wait_until(lambda: os.path.exists(path("daemon.pid")) and read("daemon.pid").endswith("\n"), "a pid file",
                         PATIENCE)
        pid = int(read("daemon.pid"))
        try:
            self.needs("iscsi-ls")
            self.assertIn("target0", run("iscsi-ls", "iscsi://%s/" % portal)[1])
        finally:
            os.kill(pid, signal.SIGTERM)
        ports.wait_until(lambda: not self.lives(pid), "the daemon to end", PATIENCE)

    def lives(self, pid):
        """It may be left as a zombie: its parent is not ours."""
        try:
            return read("/proc/%d/stat" % pid).rsplit(")", 1)[1].split()[0] != "Z"
        except (FileNotFoundError, ProcessLookupError):
            return False

    def test_debug(self):
        """What is told on standard error."""
        with open(path("debug"), "w") as debug:
            portal = self.start("extent0 ram: 0 1MB\ntarget0 rw extent0 any\n", "-v", "all", tells=debug)
            self.needs("iscsi-inq")
            run("iscsi-inq", "iscsi://%s/iqn.1994-04.org.netbsd.iscsi-target:target0/0" % portal)
        told = read("debug")
        self.assertRegex(told, r"net: \S+ connected")
        self.assertRegex(told, r"iscsi: \S+ logged in")
        self.assertRegex(told, r"scsi: \S+ task \w+, CDB 12 ")


class Discovery(Case):
    TARGETS = ("extent0 ram: 0 1MB\nextent1 ram: 0 2MB\nextent2 ram: 0 1MB\nextent3 ram: 0 1MB\n"
               "target0 rw extent0 any\ntarget0 ro extent1 any\n"
               "target1=iqn.2026-11.org.example:named rw extent2 127/8\n"
               "target2 rw extent3 192.0.2.0/24\n")

    def test_iscsi_ls(self):
        portal = self.start(self.TARGETS)
        self.needs("iscsi-ls")
        code, output = run("iscsi-ls", "-s", "iscsi://%s/" % portal)
        self.assertEqual(code, 0, output)
        self.assertIn("iqn.1994-04.org.netbsd.iscsi-target:target0", output)
        self.assertIn("iqn.2026-11.org.example:named", output)
        self.assertNotIn("target2", output)
        self.assertRegex(output, r"Lun:0 .*\n?.*Lun:1 ")

    def test_iscsiadm(self):
        portal = self.start(self.TARGETS)
        if shutil.which("iscsiadm") is None or os.geteuid() != 0:
            self.skipTest("iscsiadm is not installed, or may not be used")
        code, output = run("iscsiadm", "-m", "discovery", "-t", "sendtargets", "-p", portal, "-o", "nonpersistent")
        if code != 0 and re.search("iSCSI driver|iSCSI daemon|iscsid", output): # the kernel's part is missing
            self.skipTest("iscsiadm cannot be used here: %s" % output.strip().split("\n")[-1])
        self.assertEqual(code, 0, output)
        self.assertEqual(sorted(output.split("\n")[:-1]),
                         ["%s,1 iqn.1994-04.org.netbsd.iscsi-target:target0" % portal,
                          "%s,1 iqn.2026-11.org.example:named" % portal])

    def test_accounts(self):
        name = write("auths", "alice:chap:alicessecret1\n")
        portal = self.start(self.TARGETS, "-A", name)
        self.needs("iscsi-ls")
        code, output = run("iscsi-ls", "iscsi://%s/" % portal)
        self.assertNotEqual(code, 0, output)
        code, output = run("iscsi-ls", "iscsi://alice%%alicessecret1@%s/" % portal)
        self.assertEqual(code, 0, output)
        self.assertIn("target0", output)


class Storage(Case):
    IQN = "iqn.1994-04.org.netbsd.iscsi-target:target0"

    def contents(self, name):
        return read(name, "rb")

    def test_extents_in_a_row(self):
        """RAID0: what is written across the border lies in both files."""
        targets = ("extent0 %s 4096 64KB\nextent1 %s 0 64KB\ndevice0 RAID0 extent0 extent1\ntarget0 rw device0 any\n"
                   % (path("row0"), path("row1")))
        portal = self.start(targets)
        code, output = self.qemu_io(portal, self.IQN, "write -P 0x5a 60k 8k", "flush", "read -P 0x5a 60k 8k",
                                    "read -P 0 68k 60k", "length")
        self.assertEqual(code, 0, output)
        self.assertNotIn("failed", output)
        self.end()
        first, second = self.contents("row0"), self.contents("row1")
        self.assertEqual((len(first), len(second)), (4096 + 65536, 65536))
        self.assertEqual(first, bytes(4096 + 60 * 1024) + b"\x5a" * 4096)
        self.assertEqual(second, b"\x5a" * 4096 + bytes(60 * 1024))

    def test_copies(self):
        """RAID1 of a RAID0 and an extent: every write is in both."""
        targets = ("extent0 %s 0 32KB\nextent1 %s 0 32KB\nextent2 %s 0 64KB\ndevice0 RAID0 extent0 extent1\n"
                   "device1 RAID1 device0 extent2\ntarget0 rw device1 any\n" % (path("half0"), path("half1"), path("whole")))
        portal = self.start(targets)
        code, output = self.qemu_io(portal, self.IQN, "write -P 0x11 0 64k", "write -P 0x22 30k 4k", "flush")
        self.assertEqual(code, 0, output)
        self.end()
        whole = b"\x11" * 30720 + b"\x22" * 4096 + b"\x11" * 30720
        self.assertEqual(self.contents("half0") + self.contents("half1"), whole)
        self.assertEqual(self.contents("whole"), whole)

    def test_a_copy_that_fails(self):
        """A copy whose file was cut off is left out, told of, and not read after the next start."""
        small = path("lost-whole")
        with open(small, "wb") as file:
            file.write(bytes(65536))
        targets = ("extent0 %s 0 64KB\nextent1 %s 0 64KB\ndevice0 RAID1 extent0 extent1\ntarget0 rw device0 any\n"
                   % (path("lost-part"), small))
        with open(path("lost-part"), "wb") as file:
            file.write(bytes(65536))
        with open(path("told"), "w") as told:
            portal = self.start(targets, "-v", "net", tells=told)
            os.truncate(path("lost-part"), 512)
            code, output = self.qemu_io(portal, self.IQN, "read -P 0 32k 4k", "read -P 0 32k 4k", "write -P 7 0 4k",
                                        "read -P 7 0 4k", "flush")
            self.assertEqual(code, 0, output)
            self.assertNotIn("failed", output)
            self.end()
        self.assertIn("extent0 has failed: the other copies go on without it", read("told"))
        self.assertEqual(read("lost-whole.lost"), "extent0\n")
        os.truncate(path("lost-part"), 65536)
        portal = self.start(targets)
        code, output = self.qemu_io(portal, self.IQN, "read -P 7 0 4k", "read -P 7 0 4k")
        self.assertEqual(code, 0, output)
        self.assertNotIn("failed", output)

    def test_read_only(self):
        portal = self.start("extent0 ram: 0 1MB\ntarget0 ro extent0 any\n")
        code, output = self.qemu_io(portal, self.IQN, "read -P 0 0 4k", options=["-r"])
        self.assertEqual(code, 0, output)
        code, output = self.qemu_io(portal, self.IQN, "write 0 4k")
        self.assertTrue(code != 0 or "failed" in output, output)

    def test_image_there_and_back(self):
        self.needs("qemu-img")
        portal = self.start("extent0 %s 0 16MB\ntarget0 rw extent0 any\n" % path("image"))
        source = path("source")
        with open(source, "wb") as file:
            file.write(os.urandom(5 << 20) + bytes(6 << 20) + os.urandom(5 << 20))
        url = "iscsi://%s/%s/0" % (portal, self.IQN)
        code, output = run("qemu-img", "convert", "-n", "-f", "raw", "-O", "raw", source, url)
        self.assertEqual(code, 0, output)
        code, output = run("qemu-img", "compare", "-f", "raw", "-F", "raw", source, url)
        self.assertEqual(code, 0, output)
        self.end()
        self.assertEqual(self.contents("image"), self.contents("source"))


class Files(Case):
    """iscsi-initiator: the disks of a host as files."""

    def mount(self, portal, *options):
        """The mount point."""
        program = os.path.join(BUILD, "iscsi-initiator")
        if not os.path.exists(program):
            self.skipTest("iscsi-initiator was not built: no libfuse3")
        if not os.access("/dev/fuse", os.R_OK | os.W_OK) or shutil.which("fusermount3") is None:
            self.skipTest("no /dev/fuse, or no fusermount3")
        host, port = portal.rsplit(":", 1)
        point = path("mount")
        os.makedirs(point, exist_ok=True)
        self.initiator = subprocess.Popen([program, "-n", "-h", host, "-p", port, *options, point], stdout=subprocess.PIPE,
                                          stderr=subprocess.STDOUT, universal_newlines=True)
        self.addCleanup(self.unmount)
        said = []
        while not said or not said[-1].startswith("mounted at "):
            said.append(self.initiator.stdout.readline())
            if not said[-1]:
                text = "".join(said)
                if re.search("fuse|mount", text):
                    self.skipTest("file systems cannot be mounted here: %s" % text.strip())
                self.fail("iscsi-initiator said: %r" % text)
        return point

    def unmount(self):
        if self.initiator.poll() is None:
            self.initiator.send_signal(signal.SIGTERM)
        self.assertEqual(self.initiator.wait(PATIENCE), 0, "exit code of iscsi-initiator")
        self.initiator.stdout.close()

    def test_tree(self):
        portal = self.start("extent0 ram: 0 1MB\nextent1 ram: 0 2MB\nextent2 ram: 0 3MB\n"
                            "target0 rw extent0 any\ntarget0 rw extent1 any\n"
                            "target1=iqn.2026-11.org.example:other ro extent2 any\n")
        point = self.mount(portal)
        self.assertEqual(sorted(os.listdir(point)), ["other", "target0"])
        entries = os.listdir(os.path.join(point, "target0"))
        for name in "hostname", "ip", "product", "storage", "storage1", "targetname", "vendor", "version":
            self.assertIn(name, entries)
        link = lambda name: os.readlink(os.path.join(point, "target0", name))
        self.assertEqual(link("targetname"), "iqn.1994-04.org.netbsd.iscsi-target:target0")
        self.assertEqual((link("hostname"), link("ip")), ("127.0.0.1", "127.0.0.1"))
        sizes = [os.stat(os.path.join(point, *name)).st_size >> 20
                 for name in (("target0", "storage"), ("target0", "storage1"), ("other", "storage"))]
        self.assertEqual(sizes, [1, 2, 3])
        with open(os.path.join(point, "other", "storage"), "r+b", buffering=0) as file:
            with self.assertRaises(OSError):
                file.write(bytes(512))
                os.fsync(file.fileno())
        with self.assertRaises(FileNotFoundError):
            os.stat(os.path.join(point, "target2"))

    def test_bytes(self):
        """At any offset and of any length, against a model; and they are in the file behind the target."""
        portal = self.start("extent0 %s 0 1MB\ntarget0 rw extent0 any\n" % path("bytes"))
        name = os.path.join(self.mount(portal), "target0", "storage")
        model = bytearray(1 << 20)
        chance = random.Random(1)
        with open(name, "r+b", buffering=0) as file:
            for _ in range(200):
                offset = chance.randrange(len(model))
                length = min(chance.choice([1, 511, 512, 513, 4096, 70000, 300000]), len(model) - offset)
                if chance.random() < 0.5:
                    data = chance.randbytes(length)
                    file.seek(offset)
                    self.assertEqual(file.write(data), length)
                    model[offset:offset + length] = data
                else:
                    self.assertEqual(os.pread(file.fileno(), length, offset), bytes(model[offset:offset + length]),
                                     "%d bytes at %d" % (length, offset))
            self.assertEqual(os.pread(file.fileno(), 10, len(model) - 3), bytes(model[-3:]))
            os.fsync(file.fileno())
        self.unmount()
        self.end()
        with open(path("bytes"), "rb") as file:
            self.assertEqual(file.read(), bytes(model))

    def test_peers(self):
        """Disks of other people's targets."""
        peers = [name for name in ("TGTD", "ISTGT", "EMBEDDED") if "TEST_%s_PORTAL" % name in os.environ]
        if not peers:
            self.skipTest("no peer")
        for peer in peers:
            with self.subTest(peer=peer):
                point = self.mount(os.environ["TEST_%s_PORTAL" % peer])
                self.assertEqual(sorted(os.listdir(point)), ["open", "two-luns"])
                with open(os.path.join(point, "open", "storage"), "rb") as file:
                    data = file.read()
                self.assertEqual(len(data), 8 << 20)
                self.assertEqual(data, b"".join(i.to_bytes(8, "big") for i in range(0, 8 << 20, 8)))
                self.unmount()

    def test_options(self):
        portal = self.start("extent0 ram: 0 1MB\nextent1 ram: 0 1MB\ntarget0 rw extent0 any\ntarget1 rw extent1 any\n")
        host, port = portal.rsplit(":", 1)
        program = os.path.join(BUILD, "iscsi-initiator")
        if not os.path.exists(program):
            self.skipTest("iscsi-initiator was not built: no libfuse3")
        code, output = run(program, "-D", "-h", host, "-p", port)
        self.assertEqual((code, output), (0, "Targets available from host 127.0.0.1:\n"
                                             "iqn.1994-04.org.netbsd.iscsi-target:target0 at %s,1\n"
                                             "iqn.1994-04.org.netbsd.iscsi-target:target1 at %s,1\n" % (portal, portal)))
        for words, complaint in ((["-V"], None), (["-x"], "usage: "), (["-D", "-a", "srp"], "auth type srp is not offered"),
                                 (["-D", "-d", "md5"], '"md5" is not a value'), ([], "usage: "),
                                 (["-h", host, "-p", port, "-t", "7", path("nowhere")], "no target of that number"),
                                 (["-b", "x"], "devices are made by the service"),
                                 (["-D", "-u", "nobody", "-A", path("nothing")], "there is no such file")):
            code, output = run(program, *words)
            self.assertEqual(code == 0, complaint is None, output)
            self.assertIn(complaint or "iscsi-initiator (iscsidsc)", output)
        point = self.mount(portal, "-t", "1", "-d", "both")
        self.assertEqual(os.listdir(point), ["target1"])


def main():
    global BUILD
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    BUILD = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)


if __name__ == "__main__":
    main()
