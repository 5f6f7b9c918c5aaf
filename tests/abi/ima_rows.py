#!/usr/bin/env python3
"""ima_rows.py PLATFORM: the tables of the management API as macro calls, for tests/abi/test_ima_layout.c.

  TYPE(type, size)  FIELD(type, field, offset, size)  CONSTANT(name, value)  FUNCTION(name, (parameters))

and ROWS_... with the number of each.
"""
import csv
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def table(name):
    with open(os.path.join(HERE, "ima_%s.csv" % name)) as file:
        yield from csv.DictReader(file)


def layout(platform):
    """x86 has Windows' layouts, but for pointers; the structures have none."""
    wanted = "win-x64" if platform == "win-x86" else platform
    for row in table("abi"):
        if row["platform"] == wanted:
            size = "4" if platform == "win-x86" and row["struct"].endswith("_FN") else row["size"]
            yield row["struct"], row["field"], row["offset"], size


def print_rows(kind, rows):
    rows = list(rows)
    print("#ifdef %s" % kind)
    for row in rows:
        print("%s(%s)" % (kind, ", ".join(row)))
    print("#endif\n#define ROWS_%s %d" % (kind, len(rows)))


def main():
    rows = list(layout(sys.argv[1]))
    if not rows:
        sys.exit("no rows for " + sys.argv[1])
    print("#undef ROWS_TYPE\n#undef ROWS_FIELD\n#undef ROWS_CONSTANT\n#undef ROWS_FUNCTION")
    print_rows("TYPE", ((struct, size) for struct, field, _, size in rows if field == "*"))
    print_rows("FIELD", (row for row in rows if row[1] != "*"))
    print_rows("CONSTANT", ((row["name"], row["value"]) for row in table("constants")))
    print_rows("FUNCTION", ((row["name"], "(%s)" % row["parameters"].replace(";", ",")) for row in table("functions")))


main()
