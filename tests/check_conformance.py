#!/usr/bin/env python3
"""Holds docs/conformance.md to the sources: every test that it names exists and is run, every item is there once and in its order, and each has
a test or says what is open.

    check_conformance.py
"""

import os
import re
import sys

TESTS = os.path.dirname(os.path.abspath(__file__))
PAGE = os.path.join(TESTS, "..", "docs", "conformance.md")
# How many items each part has, and the digits of their numbers.
PARTS = {"": (51, 1), "F": (62, 2), "L": (26, 2), "C": (23, 2), "S": (12, 2)}
ROW = re.compile(r"^\| ([A-Z]?\d+) \| (.*?) \| (.*?) \|$", re.M)
OPEN = re.compile(r"^Open: (\d+) items\. (.*)$", re.M)
CASE = re.compile(r'^ *M\("([^"]+)", \w+, \w+, \w+, (\d+),', re.M)


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


def expected_items():
    return [f"{part}{number:0{digits}}" for part, (count, digits) in PARTS.items() for number in range(1, count + 1)]


def source_of(program):
    for folder in "unit", "interop":
        for ending in ".c", ".py":
            path = os.path.join(TESTS, folder, program + ending)
            if os.path.exists(path):
                return path
    return None


def is_run(path, function):
    """Defined as a test; and, in C, listed as one beside its definition."""
    text = read(path)
    if path.endswith(".py"):
        return re.search(rf"^    def {function}\(self\b", text, re.M) is not None
    defined = re.search(rf"^static void {function}\(void \*\*state\)", text, re.M) is not None
    listed = re.search(rf"^\s.*\b{function}\b[,)]", text, re.M) is not None
    return defined and listed


def check_test(name, cases):
    """What is wrong with a name of the table, or nothing."""
    program, colon, function = name.partition(":")
    if not colon:
        return None if name in cases else "no such case in misbehaviours.h"
    path = source_of(program)
    if path is None:
        return "no such test program"
    return None if is_run(path, function) else "no such test in " + os.path.relpath(path, TESTS)


def check_row(item, fact, tests, cases):
    names = re.findall(r"`([^`]+)`", tests)
    if not fact:
        yield f"{item}: does not say what has to hold"
    if not names and "**open**: " not in tests:
        yield f"{item}: has no test and is not open"
    if len(names) != len(set(names)):
        yield f"{item}: names a test twice"
    if re.sub(r"`[^`]+`|\*\*open\*\*: .+$", "", tests).strip():
        yield f"{item}: has words that are neither tests nor what is open"
    for name in names:
        wrong = check_test(name, cases)
        if wrong:
            yield f"{item}: {name}: {wrong}"


def check_cases(rows, cases):
    """A case that says which of the numbered items it belongs to is named there."""
    for name, number in cases.items():
        if number != "0" and f"`{name}`" not in rows.get(number, ("", ""))[1]:
            yield f"{number}: does not name {name}, which misbehaviours.h counts there"


def check_open(page, rows):
    open_items = [item for item, (_, tests) in rows.items() if "**open**" in tests]
    told = OPEN.search(page)
    expected = (str(len(open_items)), ", ".join(open_items) + ".")
    if told is None or told.groups() != expected:
        yield "the page has to say: Open: %s items. %s" % expected


def main():
    page = read(PAGE)
    cases = dict(CASE.findall(read(TESTS, "support", "misbehaviours.h")))
    found = ROW.findall(page)
    rows = {item: (fact, tests) for item, fact, tests in found}
    wrong = []
    expected = expected_items()
    if [item for item, _, _ in found] != expected:
        missing = [item for item in expected if item not in rows]
        extra = [item for item, _, _ in found if item not in expected]
        wrong.append(f"items are missing ({missing}), too many ({extra}), twice or out of order")
    if len(cases) < 200:
        wrong.append(f"only {len(cases)} cases were found in misbehaviours.h")
    for item, fact, tests in found:
        wrong.extend(check_row(item, fact, tests, cases))
    wrong.extend(check_cases(rows, cases))
    wrong.extend(check_open(page, rows))
    for line in wrong:
        print(line, file=sys.stderr)
    tests = {name for _, _, tests in found for name in re.findall(r"`([^`]+)`", tests)}
    print(f"{len(found)} items, {len(tests)} tests and cases, {len(wrong)} mistakes")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
