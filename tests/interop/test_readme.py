#!/usr/bin/env python3
"""Holds README.md to its word: the example is the sample, builds and runs as printed, and the status table is true.

    python3 tests/harness/run.py --peers embedded --build BUILD -- tests/interop/test_readme.py BUILD [TEST...]

BUILD is a Linux build without sanitizers.
"""

import importlib.machinery
import importlib.util
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


def read(*path):
    with open(os.path.join(ROOT, *path)) as file:
        return file.read()


def blocks(language):
    return re.findall(r"^```%s\n(.*?)^```$" % language, read("README.md"), re.M | re.S)


def load_status_table():
    """scripts/status-table as a module."""
    path = os.path.join(ROOT, "scripts", "status-table")
    loader = importlib.machinery.SourceFileLoader("status_table", path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("status_table", loader))
    loader.exec_module(module)
    return module


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
        self.assertEqual(blocks("c"), [read("samples", "quickstart.c"), read("samples", "target.c")])

    @unittest.skipUnless("TEST_EMBEDDED_PORTAL" in os.environ, "no embedded target")
    def test_builds_and_runs_as_printed(self):
        self.link_build("linux", BUILD)
        compile_line, run_line = blocks("sh")[0].splitlines()
        self.run_line(compile_line)
        program, _, _ = run_line.split()
        output = self.run_line("%s %s" % (program, os.environ["TEST_EMBEDDED_PORTAL"].replace(":", " ")))
        self.assertRegex(output, r"\Aiqn\.2026-11\.org\.example:\S+: session [0-9a-f]+-[0-9a-f]+\n"
                                 r"16384 blocks of 512 bytes\n\Z")

    def test_embedded_target_as_printed(self):
        """Under 20 lines, and what it serves is found."""
        self.assertLess(blocks("c")[1].count("\n"), 20)
        self.link_build("linux", BUILD)
        compile_line, run_line = next(block for block in blocks("sh") if "samples/target.c" in block).splitlines()
        self.run_line(compile_line)
        # On a port of the system's choice: 3260 may be taken.
        process = subprocess.Popen([run_line.split()[0], "0"], cwd=self.directory, stdout=subprocess.PIPE,
                                   universal_newlines=True)
        try:
            address = re.match(r"listening at \S+:(\d+),1\n\Z", process.stdout.readline())
            self.assertTrue(address, "what the target said")
            output = self.run_line("build/linux/quickstart 127.0.0.1 " + address.group(1))
        finally:
            process.kill()
            process.communicate()
        self.assertRegex(output, r"\Aiqn\.1994-04\.org\.netbsd\.iscsi-target:target0: session \S+\n131072 blocks of 512 bytes\n\Z")

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
    """The table of the 80 exports, which scripts/status-table makes from the results of the matrix test."""

    def setUp(self):
        self.script = load_status_table()
        rows = re.findall(r"^\| `(\w+)` \| (\d+) \| (works|not yet) \| (.*) \|$", self.script.written(), re.M)
        self.table = {name: (int(ordinal), status, dict(zip(self.script.COLUMNS, cells.split(" | "))))
                      for name, ordinal, status, cells in rows}

    def test_lists_the_exports_with_their_ordinals(self):
        self.assertEqual({name: ordinal for name, (ordinal, _, _) in self.table.items()}, self.script.ordinals())
        self.assertEqual(len(self.table), 80)

    def test_count_is_that_of_the_table(self):
        works = sum(status == "works" for _, status, _ in self.table.values())
        self.assertIn("\n%d of 80.\n" % works, self.script.written())

    def test_is_what_the_tests_have_shown(self):
        """Of each export and column, as far as this machine has results: those of the native builds are there in any case."""
        rows, missing, files = self.script.table(os.path.dirname(BUILD))
        self.assertGreaterEqual(len([path for path in files if "/linux/" in path]), 2, "results of the native runs")
        self.assertEqual(missing, {}, "errors that are documented and that no test provokes")
        for export, row in rows.items():
            for column, verdict in row.items():
                if verdict != "-":
                    self.assertEqual((export, column, self.table[export][2][column]), (export, column, verdict))


def parameter_defaults():
    """Name: default, of the tables of the engine, numbers alone; a parameter with two names has two."""
    found = {name: int(value) for name, value in
             re.findall(r"PARAMETER\((\w+), \w+, [^,]+, [^,]+, (\d+)\)", read("iscsidsc", "engine", "parameters.h"))}
    scoped = re.findall(r"N\((\w+), \"(\w*)\", \w+, \w+, \d+, \d+, (\d+),\s", read("iscsidsc", "engine", "configuration.h"))
    for name, other, value in scoped:
        found.update({name: int(value)} if not other else {name: int(value), other: int(value)})
    return found


class Parameters(unittest.TestCase):
    """The table of iscsi.conf's parameters."""

    def test_defaults_are_those_of_the_engine(self):
        defaults = parameter_defaults()
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
