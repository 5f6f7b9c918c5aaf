#!/usr/bin/env python3
"""Holds README.md to its word: the example is the sample, builds and runs as printed, and the status table is true.

    python3 tests/harness/run.py --peers embedded --build BUILD -- tests/interop/test_readme.py BUILD [TEST...]

BUILD is a Linux build without sanitizers.
"""

import ctypes
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
BUILD = ""
NOT_IMPLEMENTED = 120


def read(*path):
    with open(os.path.join(ROOT, *path)) as file:
        return file.read()


def blocks(language):
    return re.findall(r"^```%s\n(.*?)^```$" % language, read("README.md"), re.M | re.S)


def status_table():
    """{export: (ordinal, status)}; a row may name the A and the W form."""
    table = {}
    for names, ordinals, status in re.findall(r"^\| (`\w+`(?:, `\w+`)?) \| ([\d, ]+) \| (works|not yet) \|$", read("README.md"), re.M):
        for name, ordinal in zip(re.findall(r"\w+", names), ordinals.split(", ")):
            table[name] = int(ordinal), status
    return table


class Example(unittest.TestCase):
    """The C program of README.md."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="readme-")
        self.addCleanup(directory.cleanup)
        self.directory = directory.name
        for name in "include", "samples":
            os.symlink(os.path.join(ROOT, name), os.path.join(self.directory, name))
        os.mkdir(os.path.join(self.directory, "build"))

    def link_build(self, name, build):
        os.symlink(build, os.path.join(self.directory, "build", name))

    def run_line(self, line):
        """Run it as a shell would, its standard input ended; nothing of it outlives the time it has."""
        process = subprocess.Popen(["sh", "-c", line], cwd=self.directory, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, start_new_session=True, env=dict(
                                       os.environ, ISCSIDSC_STATE=os.path.join(self.directory, "state")))
        try:
            output = process.communicate(b"", timeout=60)[0].decode(errors="replace")
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise
        self.assertEqual(process.returncode, 0, "%s\n%s" % (line, output))
        return output

    def lines_with(self, word):
        return [line for block in blocks("sh") for line in block.splitlines() if word in line]

    def test_is_the_sample(self):
        self.assertEqual(blocks("c"), [read("samples", "quickstart.c")])

    @unittest.skipUnless("TEST_EMBEDDED_PORTAL" in os.environ, "no embedded target")
    def test_builds_and_runs_as_printed(self):
        self.link_build("linux", BUILD)
        compile_line, run_line = blocks("sh")[0].splitlines()
        self.run_line(compile_line)
        program, _, _ = run_line.split()
        output = self.run_line("%s %s" % (program, os.environ["TEST_EMBEDDED_PORTAL"].replace(":", " ")))
        self.assertRegex(output, r"\Aiqn\.2026-11\.org\.example:\S+: session [0-9a-f]+-[0-9a-f]+\n"
                                 r"16384 blocks of 512 bytes\n\Z")

    def test_target_starts_as_printed(self):
        self.link_build("linux", BUILD)
        line, = self.lines_with("iscsi-test-target")
        # On a port of the system's choice: 3260 may be taken. The end of standard input ends it.
        self.assertRegex(self.run_line(line.replace(":3260", ":0")), r"\Aportal 127\.0\.0\.1:\d+\nready\n")

    def test_windows_build_as_printed(self):
        windows = os.path.join(os.path.dirname(BUILD), "win64")
        line, = self.lines_with("mingw32-gcc")
        if not os.path.exists(os.path.join(windows, "iscsidsc.dll")) or not shutil.which(line.split()[0]):
            self.skipTest("no win64 build beside this one")
        self.link_build("win64", windows)
        self.run_line(line)


class StatusTable(unittest.TestCase):
    """The table of the 80 exports."""

    def test_lists_the_exports_with_their_ordinals(self):
        exports = {name: int(ordinal) for name, ordinal in
                   re.findall(r"^    (\w+) +@(\d+)", read("iscsidsc.def"), re.M)}
        self.assertEqual(len(exports), 80)
        self.assertEqual({name: ordinal for name, (ordinal, _) in status_table().items()}, exports)

    def test_count_is_that_of_the_table(self):
        works = sum(status == "works" for _, status in status_table().values())
        self.assertIn("\n%d of 80. " % works, read("README.md"))

    def test_status_is_what_the_library_does(self):
        """A call with nothing but zeros: refused for its parameters or answered, or not implemented."""
        if "ISCSIDSC_STATE" not in os.environ:
            self.skipTest("not run by the harness: the calls would change this user's settings")
        library = ctypes.CDLL(os.path.join(BUILD, "libiscsidsc.so"))
        table = status_table()
        self.assertIn("LogoutIScsiTarget", table)
        for name, (_, status) in table.items():
            if name == "DllMain":  # only in the DLL
                continue
            with self.subTest(export=name):
                function = getattr(library, name)
                function.restype = ctypes.c_uint32
                result = function(*[ctypes.c_void_p(0)] * 14)
                self.assertEqual("not yet" if result == NOT_IMPLEMENTED else "works", status, "it gave %#x" % result)


class Parameters(unittest.TestCase):
    """The table of iscsi.conf's parameters."""

    def test_defaults_are_those_of_the_engine(self):
        defaults = {name: int(value) for name, value in
                    re.findall(r"PARAMETER\((\w+), \w+, [^,]+, [^,]+, (\d+)\)", read("iscsidsc", "engine", "parameters.h"))}
        rows = re.findall(r"^\| (`[A-Z]\w+`(?:, `\w+`)?) \| ([\d, ]+) \| [^|\n]*[a-z]{2}[^|\n]* \|$",
                          read("README.md").partition("`iscsi.conf` has lines")[2].partition("\n## ")[0], re.M)
        self.assertGreater(len(rows), 5)
        for names, values in rows:
            for name, value in zip(re.findall(r"\w+", names), values.split(", ")):
                self.assertEqual((name, int(value)), (name, defaults.get(name)))


def main():
    global BUILD
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    BUILD = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)


if __name__ == "__main__":
    main()
