#!/usr/bin/env python3
"""Reads a built ima.dll, its import library and the plugin beside it back: exports, imports, version."""
import argparse
import os
import sys

import pe
import tables
from check_dll import ALLOWED, MACHINES


def check_library(build, arch, version):
    """What is wrong with ima.dll."""
    image = pe.Image(os.path.join(build, "ima.dll"))
    name, exports, _ = image.exports()
    expected = tables.ima_exports()
    numbers = tuple(int(part) for part in version.split(".")) + (0,)
    file_version, product_version, strings = pe.version_strings(image.resources()[16, 1, 0x409])
    symbols, dll_names = pe.import_library(os.path.join(build, "libima.dll.a"))
    prefix = "_" if arch == "x86" else ""
    missing = {prefix + export for export in expected} - symbols
    yield "machine", MACHINES[arch], image.machine
    yield "name", "ima.dll", name
    yield "exports", sorted(expected), sorted(exports)
    yield "imports that not every Windows and Wine has", set(), image.imports() - ALLOWED
    yield "versions", (numbers, numbers), (file_version, product_version)
    yield "original file name", "ima.dll", strings.get("OriginalFilename")
    yield "DLL named by the import library", {"ima.dll"}, dll_names
    yield "symbols missing in the import library", set(), missing


def check_plugin(build):
    library = {"IMA_GetLibraryProperties", "IMA_GetPluginOidList", "IMA_GetAssociatedPluginOid", "IMA_GetSharedNodeOid",
               "IMA_GetObjectType", "IMA_GenerateNodeName"}
    image = pe.Image(os.path.join(build, "ima_iscsidsc.dll"))
    expected = (tables.ima_exports() - library) | {"Initialize", "Terminate"}
    yield "exports of the plugin", sorted(expected), sorted(image.exports()[1])
    yield "imports of the plugin", set(), image.imports() - ALLOWED


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--arch", choices=MACHINES, required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("build", help="build directory with ima.dll, libima.dll.a and ima_iscsidsc.dll")
    options = parser.parse_args()
    failures = 0
    for what, expected, got in [*check_library(options.build, options.arch, options.version), *check_plugin(options.build)]:
        if expected != got:
            failures += 1
            print("%s: expected %s, got %s" % (what, expected, got))
    print("%s: %d exports; %d failures" % (options.arch, len(tables.ima_exports()), failures))
    sys.exit(bool(failures))


main()
