"""Runs libiscsi's conformance tests (iscsi-test-cu) against a target, and reads what came of each of them."""

import fnmatch
import re
import subprocess

FAMILIES = ("SCSI", "iSCSI")
# Tests that ask for a disk of another kind; all others run on a plain one.
SPECIAL = {
    "removable": ("SCSI.PreventAllow", "SCSI.StartStopUnit", "SCSI.NoMedia"),
    "physical": ("SCSI.CompareAndWrite.InvalidDataOutSize", "SCSI.WriteSame10.UnmapUnaligned",
                 "SCSI.WriteSame10.InvalidDataOutSize", "SCSI.WriteSame16.UnmapUnaligned",
                 "SCSI.WriteSame16.InvalidDataOutSize"),
    "read-only": ("SCSI.ReadOnly",),
}
PLAIN = "plain"
SECONDS = 60  # a suite that hangs takes no longer
SUITE = re.compile(r"^Suite: (\S+)", re.MULTILINE)
TEST = re.compile(r"^  Test: (\S+) \.\.\.", re.MULTILINE)


def tests_of(family):
    """Names of all tests of a family: SCSI.Read10.Simple."""
    listed = subprocess.run(["iscsi-test-cu", "--list"], capture_output=True, text=True, check=False)
    names = (listed.stdout + listed.stderr).split()
    return [name for name in names if fnmatch.fnmatch(name, family + ".*.*")]


def unit_of(test):
    """The kind of disk that a test wants."""
    for unit, names in SPECIAL.items():
        if any(test == name or test.startswith(name + ".") for name in names):
            return unit
    return PLAIN


def outcome(text):
    """What iscsi-test-cu wrote between the name of a test and the next: pass, fail or skip, and why."""
    skipped = re.search(r"\[SKIPPED\] (.*)", text)
    if re.search(r"(^|\s)FAILED$", text, re.MULTILINE):
        failed = re.search(r"\[FAILED\] (.*)", text) or re.search(r"^ +1\. (.*)", text, re.MULTILINE)
        return "fail", failed.group(1).strip() if failed else ""
    if skipped:
        return "skip", skipped.group(1).strip()
    if not re.search(r"(^|\s|\.)passed", text):
        return "fail", "it did not end"
    return "pass", ""


def parse(family, text):
    """{test: (outcome, reason)} of a run in verbose mode."""
    found = {}
    suites = list(SUITE.finditer(text))
    for index, suite in enumerate(suites):
        end = suites[index + 1].start() if index + 1 < len(suites) else len(text)
        tests = list(TEST.finditer(text, suite.end(), end))
        for number, test in enumerate(tests):
            stop = tests[number + 1].start() if number + 1 < len(tests) else end
            found["%s.%s.%s" % (family, suite.group(1), test.group(1))] = outcome(text[test.end():stop])
    return found


def run_tests(family, pattern, first, second):
    """One run of iscsi-test-cu; what a hang left undone is not in its answer."""
    command = ["iscsi-test-cu", "--verbose", "--dataloss", "--allow-sanitize", "--test", pattern, first, second]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=SECONDS, check=False)
        text = done.stdout
    except subprocess.TimeoutExpired as error:
        text = error.stdout or b""
    return parse(family, text.decode(errors="replace"))


def run_all(urls, alone=False):
    """All tests: {test: (unit, outcome, reason)}. `urls` gives for each unit two addresses, of two portals. `alone`: each suite
    in a run of its own, for a target that a suite can bring down."""
    results = {}
    for family in FAMILIES:
        tests = tests_of(family)
        patterns = []
        for unit in (PLAIN, *SPECIAL):
            mine = [test for test in tests if unit_of(test) == unit]
            whole = {test.rsplit(".", 1)[0] for test in mine} - \
                {test.rsplit(".", 1)[0] for test in tests if unit_of(test) != unit}
            names = sorted(whole) + [test for test in mine if test.rsplit(".", 1)[0] not in whole]
            patterns += [(unit, name) for name in names] if alone else [(unit, ",".join(names))] if names else []
        for unit, pattern in patterns:
            for test, (result, reason) in run_tests(family, pattern, *urls[unit]).items():
                results[test] = unit, result, reason
        for test in tests:
            results.setdefault(test, (unit_of(test), "fail", "it did not end"))
    return results
