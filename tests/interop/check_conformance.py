#!/usr/bin/env python3
"""Holds the tables of docs/iscsidsc.md, "Conformance", to include/iscsidsc.h: every export with each of its parameters, every flag and
enumerator and every member of a structure has exactly one row, nothing else has, and no cell is empty.

    check_conformance.py
"""

import os
import re
import sys

import prototypes

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
FLAGS = re.compile(r"^#define ((?:ISCSI_SECURITY_FLAG|ISCSI_LOGIN_FLAG|ISCSI_LOGIN_OPTIONS|ISCSI_TARGET_FLAG|ID)_\w+) ", re.M)
ENUM = re.compile(r"^typedef enum \{(.*?)\}", re.S | re.M)
STRUCT = re.compile(r"^typedef struct \{\n(.*?)^\} (\w+),", re.S | re.M)


def read(*path):
    with open(os.path.join(ROOT, *path)) as file:
        return file.read()


def without_comments(text):
    return re.sub(r"/\*.*?\*/", "", text, flags=re.S)


def base(name):
    """AddISNSServer of AddISNSServerA; a name without forms is its own."""
    return name[:-1] if name[-1] in "AW" else name


def expected_exports(header):
    rows = {"DllMain": ["(none)"]}
    for export, parameters in prototypes.exports(header).items():
        rows[base(export)] = [name for name, _ in parameters] or ["(none)"]
    return rows


def expected_flags(header):
    enumerators = [re.match(r"\w+", item.strip())[0] for body in ENUM.findall(without_comments(header))
                   for item in body.split(",") if item.strip()]
    return {name: [] for name in FLAGS.findall(header) + enumerators}


def expected_members(header):
    rows = {}
    header = header[:header.index("#ifndef _WIN32\n/*")]  # what is not Microsoft's
    for body, name in STRUCT.findall(without_comments(header)):
        fields = re.sub(r"ISCSI_UNNAMED_ union \{(.*?)\};", r"\1", body, flags=re.S)
        rows[base(name)] = re.findall(r"(\w+)(?:\[[^;]*\])?;", fields)
    return rows


def table(text, title):
    """([[cell]], problems) of the only table below a title."""
    section = text.partition("\n### %s\n" % title)[2].partition("\n#")[0]
    rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in section.splitlines() if line.startswith("|")]
    return rows[2:]


def told(rows, problems):
    """{first cell: [second cells]}; an empty first cell continues the row above."""
    found, name = {}, None
    for row in rows:
        name = row[0].strip("`") or name
        if not all(row[1:]):
            problems.append("an empty cell: %s" % " | ".join(row))
        if row[0] and name in found:
            problems.append("%s has two rows" % name)
        found.setdefault(name, []).append(row[1].strip("`"))
    return found


def compare(what, found, expected, problems):
    for name in sorted(set(expected) | set(found)):
        if found.get(name) != expected.get(name):
            problems.append("%s %s: the header has %s, the table %s" % (what, name, expected.get(name), found.get(name)))


def main():
    header, text, problems = read("include", "iscsidsc.h"), read("docs", "iscsidsc.md"), []
    compare("export", told(table(text, "Exports"), problems), expected_exports(header), problems)
    compare("structure", told(table(text, "Members of structures"), problems), expected_members(header), problems)
    flags = {name: [] for name in told(table(text, "Flags and enumerations"), problems)}
    compare("flag", flags, expected_flags(header), problems)
    for problem in problems:
        print(problem)
    exports, members = expected_exports(header), expected_members(header)
    print("%d exports with %d parameters, %d flags, %d members: %d problems" % (
        len(exports), sum(map(len, exports.values())), len(flags), sum(map(len, members.values())), len(problems)))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
