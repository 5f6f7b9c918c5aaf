#!/usr/bin/env python3
"""libiscsi's conformance tests against the embedded target, held to what docs/target.md says of each.

    python3 tests/harness/run.py --build BUILD -- tests/interop/test_target_cu.py BUILD     as a test
    tests/interop/test_target_cu.py BUILD --write [BUILD]     runs them against tgtd as well, and writes the table anew
"""

import csv
import os
import subprocess
import sys

import cu

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(ROOT, "tests", "harness"))
import peers  # noqa: E402

TABLE = os.path.join(ROOT, "tests", "interop", "test_target_cu.csv")
PAGE = os.path.join(ROOT, "docs", "target.md")
BEGIN, END = "<!-- conformance: made by tests/interop/test_target_cu.py -->\n", "<!-- end of conformance -->\n"
COLUMNS = ("test", "disk", "target", "tgtd", "reason")
DISK = 64 << 20
NAME = peers.PREFIX + ":cu"

# Why a test does not pass. Longest name first.
REASONS = {
    "SCSI.Sanitize": "no SANITIZE: it promises that nothing can be recovered from the medium, which a file on somebody's file "
                     "system or memory of this machine cannot",
    "SCSI.WriteAtomic16": "no WRITE ATOMIC: it promises that a write is whole after a power cut, which a write to a file is not",
    "SCSI.ReportSupportedOpcodes.OneCommand": "the tool asks for what has to be refused with INVALID FIELD IN CDB, and takes the "
                                              "refusal for a sign that the command is missing",
    "SCSI.WriteSame10.UnmapUntilEnd": "the test sends blocks of FFh with UNMAP and wants zeros back; SBC-3 has them written, as "
                                      "blocks may be unmapped only where they read as what was sent",
}


class Target(peers.Embedded):
    """The embedded target with a disk of each kind."""

    kind = "embedded_cu"
    luns = {cu.PLAIN: 0, "removable": 1, "physical": 2, "read-only": 3}

    def options(self):
        options = ["--portal", "127.0.0.1:0", "--portal", "127.0.0.1:0", "--target", NAME]
        for kind in ("", ",removable", ",physical=4096", ",ro"):
            options += ["--lun", "ram:%d%s" % (DISK, kind)]
        return options


class Tgtd(peers.Tgtd):
    """tgtd with the same disks, as far as it knows how."""

    kind = "tgtd_cu"
    luns = {cu.PLAIN: 1, "removable": 2, "physical": 3, "read-only": 4}
    parameters = {1: "thin_provisioning=1", 2: "thin_provisioning=1,removable=1", 3: "thin_provisioning=1,lbppbe=3",
                  4: "readonly=1"}

    def configure(self):
        self.wait(lambda: self.try_admin("target", "show").returncode == 0, "tgtd's control socket")
        tid = self.add_target("cu", disks=len(self.luns))
        for lun, parameters in self.parameters.items():
            self.admin("logicalunit", "update", tid=tid, lun=lun, params=parameters)

    def disk(self, name):
        path = os.path.join(self.directory, name)
        with open(path, "wb") as disk:
            disk.truncate(DISK)
        return path


def urls(target):
    """For each kind of disk its addresses by two portals."""
    return {kind: ["iscsi://%s/%s/%d" % (portal, NAME, lun) for portal in target.portals[:2]]
            for kind, lun in target.luns.items()}


def reason_of(test, result, said):
    if result == "pass":
        return ""
    for name in sorted(REASONS, key=len, reverse=True):
        if test == name or test.startswith(name + "."):
            return REASONS[name]
    return said


def read_table():
    with open(TABLE, newline="") as file:
        return list(csv.DictReader(file))


def counts(rows, column):
    """'5 pass, 1 skip'."""
    found = [row[column] for row in rows]
    return ", ".join("%d %s" % (found.count(kind), kind) for kind in ("pass", "fail", "skip") if kind in found)


def page_of(rows):
    """The table as docs/target.md shows it: a line for each suite, then each test that does not pass, with its reason."""
    lines = ["| suite | tests | this target | tgtd |", "| --- | --- | --- | --- |"]
    suites = sorted({row["test"].rsplit(".", 1)[0] for row in rows})
    for suite in suites:
        mine = [row for row in rows if row["test"].rsplit(".", 1)[0] == suite]
        lines.append("| %s | %d | %s | %s |" % (suite, len(mine), counts(mine, "target"), counts(mine, "tgtd")))
    lines.append("| all | %d | %s | %s |" % (len(rows), counts(rows, "target"), counts(rows, "tgtd")))
    lines += ["", "What does not pass:", "", "| test | this target | tgtd | why |", "| --- | --- | --- | --- |"]
    lines += ["| %s | %s | %s | %s |" % (row["test"], row["target"], row["tgtd"], row["reason"])
              for row in rows if row["target"] != "pass"]
    return "\n".join(lines) + "\n"


def text_of_page():
    with open(PAGE) as file:
        return file.read()


def shown_in_page():
    return text_of_page().split(BEGIN)[1].split(END)[0]


def write_table(build):
    with Target(build) as target:
        own = cu.run_all(urls(target))
    with Tgtd() as tgtd:
        other = cu.run_all(urls(tgtd), alone=True)
    rows = [dict(zip(COLUMNS, (test, unit, result, other[test][1], reason_of(test, result, said))))
            for test, (unit, result, said) in sorted(own.items())]
    with open(TABLE, "w", newline="") as file:
        table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
    page = text_of_page()
    with open(PAGE, "w") as file:
        file.write(page.split(BEGIN)[0] + BEGIN + page_of(rows) + END + page.split(END)[1])


def check(build):
    """As a test: the results are those of the table, and the page shows the table."""
    expected = {row["test"]: row["target"] for row in read_table()}
    with Target(build) as target:
        found = cu.run_all(urls(target))
    wrong = ["%s: %s in the table, but %s (%s)" % (test, expected.get(test, "not"), found[test][1], found[test][2])
             for test in sorted(found) if found[test][1] != expected.get(test)]
    wrong += ["%s: in the table, but no such test" % test for test in sorted(set(expected) - set(found))]
    if shown_in_page() != page_of(read_table()):
        wrong.append("docs/target.md does not show %s: run tests/interop/test_target_cu.py BUILD --write" % os.path.basename(TABLE))
    print("\n".join(wrong) or "%d tests as the table says: %s" % (len(found), counts(read_table(), "target")))
    return 1 if wrong else 0


def main():
    build = os.path.abspath(sys.argv[1])
    if subprocess.run(["sh", "-c", "command -v iscsi-test-cu"], capture_output=True, check=False).returncode != 0:
        print("iscsi-test-cu is not installed (scripts/install-tools test)")
        return 1
    if sys.argv[2:] == ["--write"]:
        write_table(build)
        return 0
    return check(build)


if __name__ == "__main__":
    sys.exit(main())
