#!/usr/bin/env python3
"""docs/configuration.md and samples/iscsi.conf hold what the engine's tables do, and the tests that are named exist."""

import os
import re
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


def defaults():
    """Name: default as the file writes it, None where there is none; and the other names."""
    found, others = {}, {}
    header = read("iscsidsc", "engine", "configuration.h")
    for name, other, kind, value in re.findall(r'\n +N\((\w+), "(\w*)", \w+, (\w+), \d+, \d+, (\d+),', header):
        words = {("SWITCH", "1"): "yes", ("SWITCH", "0"): "no", ("LIMIT", "0"): "infinite", ("MULTIPATH", "0"): "no"}
        found[name], others[name] = words.get((kind, value), value), other
    for name, other, value in re.findall(r'\n +T\((\w+), "(\w*)", \w+, \w+, \d+, "([^"]*)",', header):
        found[name], others[name] = value or None, other
    header = read("iscsidsc", "engine", "parameters.h")
    for name, value in re.findall(r"PARAMETER\((\w+), \w+, [^,]+, [^,]+, (\d+)\)", header):
        found[name] = value
    for name in re.findall(r"\n +TEXT\((\w+), ", header):
        found[name] = None
    return found, others


class Page(unittest.TestCase):
    page = read("docs", "configuration.md")

    def test_every_parameter_is_there_with_its_default(self):
        found, others = defaults()
        self.assertGreater(len(found), 45)
        rows = {}
        for names, values in re.findall(r"^\| (`[A-Z]\w+`(?:, `\w+`)*) \| ([^|]+) \| [^|]+ \|$", self.page, re.M):
            names, values = re.findall(r"\w+", names), values.strip().split(", ")
            for index, name in enumerate(names):
                rows[name] = values[min(index, len(values) - 1)]
        for name, value in found.items():
            if re.search(rf"`{name}`[^|\n]* are Windows'", self.page):
                continue
            self.assertIn(name, rows)
            if value is not None:
                self.assertEqual((name, rows[name]), (name, value))
        for name, other in others.items():
            self.assertIn(other, self.page, name)

    def test_the_tests_that_are_named_exist(self):
        statements = self.page.partition("statement by statement")[2]
        rows = re.findall(r"^\| ([a-z]+-?[a-z]*) \| ([^|]+) \| ([^|]+) \|$", statements, re.M)
        rows = [row for row in rows if row[0] != "id"]
        self.assertEqual(len(rows), len(re.findall(r"^\| [a-z]+-[a-z]+ ", statements, re.M)), "a row has another form")
        self.assertGreater(len(rows), 90)
        self.assertEqual(len({row[0] for row in rows}), len(rows), "an id is given twice")
        for name in re.findall(r"`(test_[^`]*)`", statements):
            self.assertRegex(name, r"^test_\w+\.(?:c|py):\w+$")
        for name, test in re.findall(r"`(test_\w+\.(?:c|py)):(\w+)`", statements):
            folder = "interop" if name.endswith(".py") or name.startswith("test_msapi") else "unit"
            pattern = rf"def {test}\(" if name.endswith(".py") else rf"void {test}\(void \*\*"
            self.assertTrue(re.search(pattern, read("tests", folder, name)), f"{name} has no test {test}")


class Sample(unittest.TestCase):
    def test_it_shows_every_parameter_with_its_default(self):
        sample = read("samples", "iscsi.conf")
        shown = dict(re.findall(r"^#(\w+) = (.*)$", sample, re.M))
        found, _ = defaults()
        self.assertEqual(shown, {name: value for name, value in found.items() if value is not None})
        for name, value in found.items():
            if value is None:
                self.assertTrue(re.search(rf"# No default; for example {name} = \S", sample), f"{name} is not shown")


if __name__ == "__main__":
    unittest.main(verbosity=2)
