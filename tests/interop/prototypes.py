#!/usr/bin/env python3
"""What include/iscsidsc.h says about each export: its parameters by name and kind, and the errors that its comment names.

    prototypes.py HEADER > prototypes.inc

prints a line for each export:

    PROTOTYPE(AddIScsiConnectionA, "UniqueSessionId:p Reserved:p InitiatorPortNumber:4 ...")

The kinds: p a pointer, s a pointer to a size or count, 1, 2, 4 and 8 the bytes of a number. `script as module`: see exports().
"""

import re
import sys

NUMBERS = {"BOOLEAN": 1, "UCHAR": 1, "USHORT": 2, "ULONG": 4, "ISCSI_TARGET_FLAGS": 4, "TARGET_INFORMATION_CLASS": 4,
           "ULONGLONG": 8, "ISCSI_SECURITY_FLAGS": 8}
SIZES = ("PULONG", "ULONG*")
PROTOTYPE = re.compile(r"^ISDSC_API ISDSC_STATUS WINAPI (\w+)\(([^)]*)\);", re.M)


def kind(declaration):
    """(name, kind) of a parameter."""
    match = re.fullmatch(r"(.*?)(\w+)", " ".join(declaration.split()))
    type_name, name = match[1].replace(" ", ""), match[2]
    if type_name in NUMBERS:
        return name, str(NUMBERS[type_name])
    return name, "s" if type_name in SIZES and name != "Reserved" else "p"


def exports(header):
    """{export: [(parameter, kind)]} of the header's text."""
    found = {}
    for name, parameters in PROTOTYPE.findall(header):
        found[name] = [] if parameters.strip() == "void" else [kind(one) for one in parameters.split(",")]
    return found


def comments(header):
    """{export: comment}: that of its section, and the one that stands before its prototype."""
    found, group, comment, used = {}, "", "", True
    for match in re.finditer(r"/\*(.*?)\*/|" + PROTOTYPE.pattern, header, re.S | re.M):
        if match[1] is None:
            found[match[2]], used = group + " " + comment, True
            continue
        group = group if used else comment
        comment, used = " ".join(line.strip().lstrip("*").strip() for line in match[1].splitlines()), False
    return found


def main():
    with open(sys.argv[1]) as file:
        for name, parameters in exports(file.read()).items():
            print('PROTOTYPE(%s, "%s")' % (name, " ".join("%s:%s" % parameter for parameter in parameters)))


if __name__ == "__main__":
    main()
