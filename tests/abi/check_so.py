#!/usr/bin/env python3
"""Reads a built libiscsidsc.so or libima.so back: exactly the functions it should export, its name, its flags."""
import os
import struct
import sys

import tables

DT_NEEDED, DT_STRTAB, DT_SONAME, DT_FLAGS_1 = 1, 5, 14, 0x6FFFFFFB
DF_1_NODELETE = 8


def sections(data):
    start, = struct.unpack_from("<Q", data, 0x28)
    size, count = struct.unpack_from("<HH", data, 0x3A)
    for i in range(count):
        name, kind, flags, address, offset, length, link = struct.unpack_from("<IIQQQQI", data, start + size * i)
        yield i, kind, offset, length, link


def text(data, offset):
    return data[offset:data.index(b"\0", offset)].decode("ascii")


def read(path):
    """({exported names}, [(tag, value or text)])"""
    with open(path, "rb") as file:
        data = file.read()
    if data[:5] != b"\x7fELF\x02":
        sys.exit(path + ": not a 64-bit ELF file")
    table = {i: (kind, offset, length, link) for i, kind, offset, length, link in sections(data)}
    names, tags = set(), []
    for kind, offset, length, link in table.values():
        if kind == 11:  # SHT_DYNSYM
            for at in range(offset, offset + length, 24):
                name, info, other, section = struct.unpack_from("<IBBH", data, at)
                if section and info >> 4:
                    names.add(text(data, table[link][1] + name))
        elif kind == 6:  # SHT_DYNAMIC
            for at in range(offset, offset + length, 16):
                tag, value = struct.unpack_from("<QQ", data, at)
                tags.append((tag, text(data, table[link][1] + value) if tag in (DT_NEEDED, DT_SONAME) else value))
    return names, tags


def main():
    names, tags = read(sys.argv[1])
    ima = os.path.basename(sys.argv[1]).startswith("libima.")
    soname = "libima.so.0" if ima else "libiscsidsc.so.0"
    expected = tables.ima_exports() if ima else set(tables.functions()) | {
        "GetIScsiStatusText", "ReportIScsiEffectiveParameters", "SwitchIScsiSessionPortal", "WaitIScsiEvents"}
    expected = set(expected) | {"iscsidsc_commons_1"}  # os/process.h: what both libraries share in a process
    failures = []
    if names != expected:
        failures.append("exports: missing %s, too many %s" % (sorted(expected - names), sorted(names - expected)))
    if (DT_SONAME, soname) not in tags:
        failures.append("soname: expected %s, got %s" % (soname, [v for t, v in tags if t == DT_SONAME]))
    if not any(tag == DT_FLAGS_1 and value & DF_1_NODELETE for tag, value in tags):
        failures.append("flags: expected nodelete")
    for failure in failures:
        print(failure)
    print("%d exports checked, needs %s; %d failures" % (
        len(names), ", ".join(v for t, v in tags if t == DT_NEEDED), len(failures)))
    sys.exit(bool(failures))


main()
