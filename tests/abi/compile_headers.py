#!/usr/bin/env python3
"""Compiles sources that use the public headers: every compiler, language, order of includes, and set of names.

A source uses every function by its A or W name and by its plain name, every structure by both, and
every constant. It is only parsed; test_prototypes links.
"""
import argparse
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile

import tables

FLAGS = ["-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
C, CXX = ("c99", "c11"), ("c++11", "c++17")
# (names the compiler may have, languages, builds for Windows)
COMPILERS = [
    (["gcc"], C, False),
    (["clang"], C, False),
    (["g++"], CXX, False),
    (["clang++"], CXX, False),
    (["x86_64-w64-mingw32-gcc-win32", "x86_64-w64-mingw32-gcc"], C, True),
    (["i686-w64-mingw32-gcc-win32", "i686-w64-mingw32-gcc"], C, True),
    (["x86_64-w64-mingw32-g++-win32", "x86_64-w64-mingw32-g++"], CXX[:1], True),
    (["i686-w64-mingw32-g++-win32", "i686-w64-mingw32-g++"], CXX[1:], True),
]

# What stands before the uses. mingw_next.h is mingw-w64's own iscsidsc.h.
ORDERS = {
    "alone": "#include <iscsidsc.h>",
    "err first": "#include <iscsierr.h>\n#include <iscsidsc.h>",
    "twice": "#include <stddef.h>\n#include <iscsidsc.h>\n#include <iscsierr.h>\n#include <iscsidsc.h>",
}
WINDOWS_ORDERS = {
    "windows.h first": "#include <windows.h>\n#include <iscsierr.h>\n#include <iscsidsc.h>",
    "lean, with sockets": "#define WIN32_LEAN_AND_MEAN\n#include <winsock2.h>\n#include <windows.h>\n"
                          "#include <iscsierr.h>\n#include <iscsidsc.h>",
    "after ntddscsi.h": "#include <windows.h>\n#include <ntddscsi.h>\n#include <winioctl.h>\n#include <iscsidsc.h>",
    "before mingw's own": "#define _WIN32_WINNT 0x0601\n#include <iscsidsc.h>\n#include <mingw_next.h>",
}
# The management API's: what stands before its uses, and what is refused.
IMA_ORDERS = {
    "ima.h": "#include <ima.h>",
    "ima.h twice": "#include <ima.h>\n#include <ima.h>",
    "ima_plugin.h": "#include <ima_plugin.h>\n#include <ima.h>",
    "ima.h beside iscsidsc.h": "#include <iscsidsc.h>\n#include <ima.h>",
}
IMA_FIRST = "#include <ima.h>\n#include <ima_plugin.h>\n"
MINGW_FIRST = "#include <windows.h>\n#include <mingw_next.h>\n#include <iscsidsc.h>\n"


def uses():
    """Source that is valid C99 and C++11 and mentions everything."""
    lines = ["int main(void)", "{", "    unsigned long long sum = 0;"]
    functions = tables.functions()
    for name, (_, parameters) in functions.items():
        lines.append("    { ISDSC_STATUS (WINAPI *f)(%s) = %s; sum += f != 0; }" % (", ".join(parameters), name))
    for name in sorted(n[:-1] for n in functions if n[-1] == "A" and n[:-1] + "W" in functions):
        lines += ["#ifdef UNICODE",
                  "    { ISDSC_STATUS (WINAPI *f)(%s) = %s; sum += f != 0; }" % (", ".join(functions[name + "W"][1]), name),
                  "#else",
                  "    { ISDSC_STATUS (WINAPI *f)(%s) = %s; sum += f != 0; }" % (", ".join(functions[name + "A"][1]), name),
                  "#endif"]
    structures = {row["struct"] for row in tables.rows("abi.csv")}
    for name in sorted(structures):
        lines.append("    { %s value; %s *pointer = &value; sum += pointer != 0; }" % (name, name))
        if re.match(r"P?(ISCSI|PERSISTENT|IKE|SCSI_LUN)_", name):
            lines.append("    { %s value; P%s pointer = &value; sum += pointer != 0; }" % (name, name))
    for name in sorted(s[:-1] for s in structures if s[-1] == "A" and s[:-1] + "W" in structures):
        for condition, letter in (("#ifdef UNICODE", "W"), ("#else", "A")):
            lines += [condition, "    { %s%s value; P%s pointer = &value; %s *plain = pointer; sum += plain != 0; }"
                      % (name, letter, name, name)]
        lines.append("#endif")
    for table, column in (("constants.csv", "name"), ("iscsierr.csv", "name")):
        lines += ["    sum += (unsigned long long)%s;" % row[column] for row in tables.rows(table)]
    # A member named as in Windows sources, and texts of both widths.
    lines += ["    { IKE_AUTHENTICATION_INFORMATION info; info.PsKey.IdType = ID_FQDN; sum += info.PsKey.IdType; }",
              "    { TCHAR character = 0; sum += (unsigned long long)character; }",
              "#if defined(_WIN32)",
              "    { static const WCHAR text[] = L\"iqn\"; const WCHAR *p = text; sum += p[0]; }",
              "#elif __STDC_VERSION__ >= 201112L || defined(__cplusplus)",
              "    { static const WCHAR text[] = u\"iqn\"; const WCHAR *p = u\"iqn\"; sum += p[0] == text[0]; }",
              "    { static const TCHAR text[] = TEXT(\"iqn\"); sum += (unsigned long long)text[0]; }",
              "#endif",
              "#ifndef _WIN32",
              "    { const char *text = GetIScsiStatusText(ISDSC_TARGET_ERROR); sum += text != 0; }",
              "    { ISCSI_EVENT event; ULONGLONG position = ISCSI_EVENTS_FROM_NOW; BOOLEAN lost; ULONG count = 1;",
              "      sum += WaitIScsiEvents(&position, 0, &lost, &count, &event) + event.Kind + position; }",
              "    { ISCSI_UNIQUE_SESSION_ID session = {0, 0}; sum += SwitchIScsiSessionPortal(&session, \"1.2.3.4:3260\"); }",
              "    { ISCSI_EFFECTIVE_PARAMETER row; ULONG count = 1; CHAR file[MAX_ISCSI_PARAMETER_FILE_LEN];",
              "      sum += ReportIScsiEffectiveParameters(\"iqn\", 0, 0, 0, 0, file, &count, &row) + row.Source + row.Line; }",
              "#endif",
              "    return sum == 0;", "}", ""]
    return "\n".join(lines)


def ima_uses():
    lines = ["int main(void)", "{", "    unsigned long long sum = 0;"]
    for row in tables.rows("ima_functions.csv"):
        lines.append("    { IMA_STATUS (*f)(%s) = %s; sum += f != 0; }" % (row["parameters"].replace(";", ","), row["name"]))
    lines += ["    { %s value; %s *pointer = &value; sum += pointer != 0; }" % (name, name)
              for name in sorted({row["struct"] for row in tables.rows("ima_abi.csv")})]
    lines += ["    sum += (unsigned long long)%s;" % row["name"] for row in tables.rows("ima_constants.csv")]
    return "\n".join(lines + ["    return sum == 0 || IMA_ERROR(IMA_STATUS_SUCCESS);", "}", ""])


def compile_one(command, source, name, directory):
    path = os.path.join(directory, re.sub(r"\W", "_", name) + (".cpp" if "c++" in name.split()[1] else ".c"))
    with open(path, "w") as file:
        file.write(source)
    result = subprocess.run(command + [path], capture_output=True, text=True, timeout=120)
    return result.returncode, result.stderr


def jobs(include, directory):
    """(name, command, source, what it must be refused with; None: it must compile)"""
    body, ima_body = uses(), ima_uses()
    for names, languages, windows in COMPILERS:
        compiler = next((n for n in names if shutil.which(n)), None)
        if not compiler:
            sys.exit("%s is not there" % " and ".join(names))
        orders = dict(ORDERS, **WINDOWS_ORDERS) if windows else ORDERS
        for language in languages:
            command = [compiler, "-std=" + language, "-I" + include, "-I" + directory] + FLAGS
            for order, head in orders.items():
                for unicode in ([], ["-DUNICODE"]):
                    name = "%s %s, %s%s" % (compiler, language, order, ", UNICODE" if unicode else "")
                    yield name, command + unicode, head + "\n" + body, None
            for order, head in IMA_ORDERS.items():
                yield "%s %s, %s" % (compiler, language, order), command, head + "\n" + ima_body, None
            yield "%s %s, ima.h first" % (compiler, language), command, IMA_FIRST, "include ima_plugin.h instead of ima.h"
            if windows:
                yield "%s %s, mingw's own first" % (compiler, language), command, MINGW_FIRST, "another iscsidsc.h came first"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--include", required=True, help="the public headers")
    options = parser.parse_args()
    failures = 0
    with tempfile.TemporaryDirectory() as directory, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        with open(os.path.join(directory, "mingw_next.h"), "w") as file:
            file.write("#pragma GCC system_header\n#include_next <iscsidsc.h>\n")
        todo = list(jobs(options.include, directory))
        results = pool.map(lambda job: compile_one(job[1], job[2], job[0], directory), todo)
        for (name, _, _, refusal), (code, errors) in zip(todo, results):
            if code == 0 if refusal is None else code != 0 and refusal in errors:
                continue
            failures += 1
            print("%s: expected it %s\n%s" % (name, "to be refused" if refusal else "to compile", errors[:2000]))
    print("%d sources compiled, %d failures" % (len(todo), failures))
    sys.exit(bool(failures))


main()
