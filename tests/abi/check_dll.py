#!/usr/bin/env python3
"""Reads a built iscsidsc.dll and its import library back: exports, imports, messages, version."""
import argparse
import os
import sys

import pe
import tables

# What Windows has since Vista and Wine has too.
ALLOWED = {"kernel32.dll", "msvcrt.dll", "ws2_32.dll", "advapi32.dll", "bcrypt.dll", "iphlpapi.dll", "crypt32.dll", "user32.dll"}
MACHINES = {"x64": 0x8664, "x86": 0x14C}

failures = []


def expect(what, expected, got):
    if expected == got:
        return
    if isinstance(expected, (set, dict)):
        expected, got = set(getattr(expected, "items", expected.copy)()), set(getattr(got, "items", got.copy)())
        missing, extra = sorted(expected - got), sorted(got - expected)
        failures.append("%s: %d missing %s, %d too many %s" % (what, len(missing), missing[:5], len(extra), extra[:5]))
    else:
        failures.append("%s: expected %r, got %r" % (what, expected, got))


def check_exports(image):
    name, exports, used = image.exports()
    expect("DLL name", "iscsidsc.dll", name)
    expect("exports", tables.exports(), exports)
    expect("number of exported addresses", len(tables.exports()), used)


def check_imports(image):
    extra = image.imports() - ALLOWED
    if extra:
        failures.append("imports that not every Windows and Wine has: %s" % ", ".join(sorted(extra)))


def check_messages(resources, messages_h):
    expect("message tables", [(11, 1, 0x409)], [key for key in resources if key[0] == 11])
    texts = tables.messages(messages_h)
    codes = dict(tables.statuses(), ERROR_SUCCESS=0)
    expect("codes of messages.h", set(codes), set(texts))
    expected = {codes[name]: text + "\r\n" for name, text in texts.items() if name in codes}
    expect("messages", expected, pe.message_table(resources[11, 1, 0x409]))


def check_version(resources, version):
    numbers = tuple(int(part) for part in version.split(".")) + (0,)
    file_version, product_version, strings = pe.version_strings(resources[16, 1, 0x409])
    expect("file version", numbers, file_version)
    expect("product version", numbers, product_version)
    expect("product name", "iscsidsc", strings.get("ProductName"))
    expect("original file name", "iscsidsc.dll", strings.get("OriginalFilename"))
    expect("file version text", version + ".0", strings.get("FileVersion"))
    if not strings.get("FileDescription"):
        failures.append("no file description")


def check_import_library(path, arch):
    symbols, dll_names = pe.import_library(path)
    expect("DLL named by the import library", {"iscsidsc.dll"}, dll_names)
    expected = set()
    for name, (size, _) in tables.functions().items():
        symbol = "_%s@%d" % (name, size) if arch == "x86" else name
        expected |= {symbol, "__imp_" + symbol}
    expect("symbols of the import library", expected,
           {s for s in symbols if not (s.lstrip("_").startswith("head_") or s.endswith("_iname"))})


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--arch", choices=MACHINES, required=True)
    parser.add_argument("--messages", required=True, help="messages.h")
    parser.add_argument("--version", required=True)
    parser.add_argument("build", help="build directory with iscsidsc.dll and libiscsidsc.dll.a")
    options = parser.parse_args()

    dll = os.path.join(options.build, "iscsidsc.dll")
    library = os.path.join(options.build, "libiscsidsc.dll.a")
    for path in (dll, library):
        if not os.path.exists(path):
            sys.exit("%s is not there: build it (make dll), or set ISCSIDSC_WIN64 or ISCSIDSC_WIN32 to where it is" % path)
    image = pe.Image(dll)
    resources = image.resources()
    expect("machine", MACHINES[options.arch], image.machine)
    check_exports(image)
    check_imports(image)
    check_messages(resources, options.messages)
    check_version(resources, options.version)
    check_import_library(library, options.arch)
    for failure in failures:
        print(dll + ": " + failure)
    print("%s: %d exports, %d messages, imports %s; %d failures" % (
        options.arch, len(image.exports()[1]), len(pe.message_table(resources[11, 1, 0x409])),
        ", ".join(sorted(image.imports())), len(failures)))
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
