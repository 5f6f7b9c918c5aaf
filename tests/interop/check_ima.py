#!/usr/bin/env python3
"""Holds docs/ima.md, "Functions", to tests/abi/ima_functions.csv: every function has exactly one row in the order of the standard, no
cell is empty, and each test that is named is there and calls the function; imatool calls all of them.

    check_ima.py
"""
import csv
import glob
import os
import re
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
SUPPORT = ("mandatory", "optional", "conditional")


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def functions():
    with open(os.path.join(ROOT, "tests", "abi", "ima_functions.csv"), newline="") as file:
        return [row["name"] for row in csv.DictReader(file)]


def rows(text):
    section = text.partition("\n## Functions\n")[2].partition("\n## ")[0]
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in section.splitlines() if line.startswith("|")]
    return cells[2:]


def source_of(test):
    """The text of tests/.../TEST.* or of the directory tests/.../TEST; None: there is none."""
    places = [path for pattern in ("unit", "interop", "bench") for path in
              glob.glob(os.path.join(ROOT, "tests", pattern, test + ".*")) + glob.glob(os.path.join(ROOT, "tests", pattern, test, "*"))]
    texts = []
    for path in places:
        with open(path, encoding="utf-8") as file:
            texts.append(file.read())
    return "\n".join(texts) if texts else None


def check_test(name, test, imatool):
    source = source_of(test)
    if source is None:
        yield "%s: there is no test %s" % (name, test)
    elif test == "test_imatool":
        if not re.search(r"\b%s\b" % name, imatool):
            yield "%s: imatool does not call it" % name
    elif not re.search(r"\b(IMA_)?%s\b" % name[4:], source):
        yield "%s: %s does not mention it" % (name, test)


def main():
    table, problems = rows(read("docs/ima.md")), []
    imatool = "\n".join(read(path) for path in glob.glob(os.path.join(ROOT, "samples", "imatool", "*.c")))
    names = [row[1].strip("`") for row in table]
    if names != functions():
        problems.append("functions: missing %s, too many %s, or not in order" % (
            sorted(set(functions()) - set(names)), sorted(set(names) - set(functions()))))
    problems += ["%s: imatool does not call it" % name for name in functions() if not re.search(r"\b%s\b" % name, imatool)]
    for number, (section, name, support, here, tests) in enumerate(table, 1):
        if section != "6.2.%d" % number or support not in SUPPORT or not here:
            problems.append("%s: section, support or what it does" % name)
        if not tests:
            problems.append("%s: no test" % name)
        for test in re.findall(r"\w+", tests):
            problems += check_test(name.strip("`"), test, imatool)
    print("\n".join(problems + ["%d functions: %d problems" % (len(table), len(problems))]))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
