#!/usr/bin/env python3
"""imatool, and so the management API from a process of its own each time.

    python3 tests/harness/run.py --peers embedded --build BUILD -- tests/interop/test_imatool.py IMATOOL [TEST...]
"""

import os
import re
import subprocess
import sys
import tempfile
import unittest

import iscsicli_case
from iscsicli_case import command_and_environment, text

BASE = "iqn.2026-11.org.example"
NOT_SUPPORTED, INVALID_PARAMETER, NOT_FOUND = "IMA_ERROR_NOT_SUPPORTED", "IMA_ERROR_INVALID_PARAMETER", "there is no"


# Where each command takes seconds, these stand for the others: a program for Windows differs in how it is started and what it prints.
UNDER_WINE = ("test_login_parameters", "test_discovery_addresses", "test_scsi_commands")


class Case(unittest.TestCase):
    def setUp(self):
        if iscsicli_case.under_wine() and self._testMethodName not in UNDER_WINE:
            self.skipTest("natively is enough")
        directory = tempfile.TemporaryDirectory(prefix="imatool-")
        self.addCleanup(directory.cleanup)
        self.state = directory.name
        self.portal = os.environ.get("TEST_EMBEDDED_PORTAL", "")

    def run_once(self, *arguments, stdin=b""):
        command, environment = command_and_environment(self.state)
        process = subprocess.run(command + list(arguments), env=dict(environment, IMA_CONF="/no/such/file"), input=stdin,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
        return process.returncode, text(process.stdout)

    def succeed(self, *arguments, stdin=b""):
        code, output = self.run_once(*arguments, stdin=stdin)
        self.assertEqual(code, 0, "%s\n%s" % (arguments, output))
        return output

    def refuse(self, word, *arguments):
        code, output = self.run_once(*arguments)
        self.assertEqual(code, 1, "%s\n%s" % (arguments, output))
        self.assertIn(word, output)

    def shown(self, *arguments):
        """What show tells, as {name: value}."""
        lines = re.findall(r"^  (\S.{27}) (.*)$", self.succeed(*arguments), re.M)
        return {name.strip(): value for name, value in lines}


class Usage(Case):
    def test_usage(self):
        for arguments in [], ["frobnicate"], ["show"], ["list", "a", "b", "c"], ["get", "lhba", "x", "y"]:
            with self.subTest(arguments=arguments):
                code, output = self.run_once(*arguments)
                self.assertEqual(code, 2, output)
                self.assertIn("usage", output)
        self.assertIn("imatool watch", self.succeed("help"))

    def test_objects_that_there_are_not(self):
        for name in "lhba:7", "target:iqn.2026-11.org.example:none", "lu:iqn.2026-11.org.example:none/0", "address:none:1", "static:x":
            with self.subTest(name=name):
                self.refuse(NOT_FOUND, "show", name)
        self.refuse("what is", "show", "frobnicator:0")


class Settings(Case):
    def test_library_and_plugins(self):
        self.assertEqual(self.shown("library")["IMA version"], "1")
        self.assertEqual(self.succeed("list", "plugins"), "plugin:0\n")
        plugin = self.shown("show", "plugin")
        self.assertEqual((plugin["IMA version"], plugin["vendor"]), ("1", "The iscsidsc authors"))
        self.refuse("IMA_ERROR", "command", "plugin", "1", "text")

    def test_name_and_alias(self):
        generated = self.succeed("generate-name").strip()
        self.assertRegex(generated, r"^iqn\.1991-05\.com\.microsoft:.+")
        self.succeed("set", "node", "name", BASE + ":imatool")
        self.succeed("set", "node", "alias", "ein älterer Rechner")
        node = self.shown("show", "node")
        self.assertEqual((node["name"], node["alias"]), (BASE + ":imatool", "ein älterer Rechner"))
        self.succeed("set", "node", "alias")
        self.assertNotIn("alias", self.shown("show", "node"))
        self.refuse("IMA_ERROR_NAME_TOO_LONG", "set", "node", "name", "iqn.2026-11.org.example:" + "x" * 200)
        self.refuse(INVALID_PARAMETER, "set", "node", "name", "")

    def test_login_parameters(self):
        numbers = {"time2retain": 30, "time2wait": 5, "first-burst": 4096, "max-burst": 8192, "max-connections": 2, "max-r2t": 4,
                   "max-receive-segment": 16384, "error-recovery-level": 1}
        flags = ["initial-r2t", "immediate-data", "data-pdu-in-order", "data-sequence-in-order"]
        if iscsicli_case.under_wine():  # where each command takes a second
            numbers, flags = {"max-burst": 8192}, flags[:1]
        for name, value in numbers.items():
            with self.subTest(name=name):
                settable = " to " in self.succeed("get", "lhba", name)
                if settable:
                    self.succeed("set", "lhba", name, str(value))
                    self.assertIn("%d (" % value, self.succeed("get", "lhba", name))
                    self.refuse(INVALID_PARAMETER, "set", "lhba", name, "4294967295")
                else:
                    self.refuse(NOT_SUPPORTED, "set", "lhba", name, str(value))
        for name in flags:
            with self.subTest(name=name):
                before = self.succeed("get", "lhba", name)
                if "else" in before:
                    self.succeed("set", "lhba", name, "off")
                    self.assertIn(" off ", self.succeed("get", "lhba", name))
                    self.succeed("set", "lhba", name, "on")
                    self.assertIn(" on ", self.succeed("get", "lhba", name))
                else:
                    self.refuse(NOT_SUPPORTED, "set", "lhba", name, "off")

    def test_authentication(self):
        self.assertIn("none", self.shown("show", "lhba")["methods that can be used"])
        self.refuse(INVALID_PARAMETER, "set", "lhba", "methods", "chap", "none")
        self.succeed("set", "lhba", "chap", "somebody", "-", stdin=b"a secret of some length\n"[:15] + b"\n")
        self.succeed("set", "lhba", "methods", "chap", "none")
        output = self.succeed("show", "lhba")
        self.assertRegex(output, r"methods in use +chap none\n")
        self.assertRegex(output, r"CHAP name +somebody\n")
        self.assertNotIn("a secret", output)
        self.succeed("set", "lhba", "methods", "none")
        self.refuse(INVALID_PARAMETER, "set", "lhba", "methods", "none", "none")
        self.refuse(INVALID_PARAMETER, "set", "lhba", "srp", "somebody")

    def test_discovery_methods(self):
        self.succeed("set", "lhba", "sendtargets", "off")
        self.assertEqual(self.shown("show", "lhba")["SendTargets discovery"], "no")
        self.succeed("set", "lhba", "sendtargets", "on")
        self.assertEqual(self.shown("show", "lhba")["SendTargets discovery"], "yes")
        self.refuse(NOT_SUPPORTED, "set", "lhba", "slp", "on")

    def test_ports(self):
        lnps = self.succeed("list", "lnps").split()
        self.assertTrue(lnps)
        self.assertTrue(self.succeed("list", "phbas"))
        for kind in "phba", "lnp", "pnp":
            self.assertIn(self.shown("show", kind)["status"], ("working", "disconnected", "failed"))
        self.assertEqual(self.succeed("list", "pnps", "lnp").split(), ["pnp:0"])
        self.assertEqual(self.shown("show", "pnp")["PHBA"], "phba:0")
        portals = [self.shown("show", name)["address"] for name in self.succeed("list", "portals").split()]
        self.assertTrue(portals)
        for parameter, value in ("mask", "255.255.255.0"), ("gateway", "192.0.2.1"), ("dhcp", "on"), ("dns", "192.0.2.1"):
            self.refuse(NOT_SUPPORTED, "set", "pnp", parameter, value)
        self.refuse(NOT_SUPPORTED, "set", "portal", "address", "192.0.2.1")
        self.refuse(NOT_SUPPORTED, "image", "phba", "/no/such/file")
        self.refuse(NOT_SUPPORTED, "download", "phba", "firmware", "/no/such/file")


class Samples(Case):
    """One for each example of the standard's Annex B."""

    def run_sample(self, name, *arguments):
        directory, ending = os.path.dirname(iscsicli_case.PROGRAM), os.path.splitext(iscsicli_case.PROGRAM)[1]
        command, environment = command_and_environment(self.state)
        command[-1] = os.path.join(directory, "ima_" + name + ending)
        process = subprocess.run(command + list(arguments), env=dict(environment, IMA_CONF="/no/such/file"), timeout=60,
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.assertEqual(process.returncode, 0, process.stdout)
        return text(process.stdout)

    def test_samples(self):
        self.assertIn("IMA version 1\n", self.run_sample("library_properties"))
        self.assertIn("The iscsidsc authors", self.run_sample("plugin_properties"))
        self.assertEqual(self.run_sample("associated_plugin"), "LHBA 0: The iscsidsc authors\n")
        self.assertIn("LHBA 0: ", self.run_sample("lhba_properties"))
        self.assertIn("PHBA 0: ", self.run_sample("phba_properties"))
        self.assertIn("PHBA 0: iSNS ", self.run_sample("phba_discovery"))
        name = self.run_sample("set_node_name").strip()
        self.assertRegex(name, r"^iqn\.")
        self.assertIn("name %s\n" % name, self.run_sample("node_properties"))
        self.assertIn("LHBA 0: 65536 (", self.run_sample("max_burst_length", "65536"))
        self.assertIn("LHBA 0: 65536 (", self.run_sample("max_burst_length"))


class Targets(Case):
    def setUp(self):
        super().setUp()
        if not self.portal:
            self.skipTest("no peer")

    def test_discovery_addresses(self):
        self.assertEqual(self.succeed("add", "address", self.portal), "address:%s\n" % self.portal)
        self.succeed("add", "address", self.portal)
        self.assertEqual(self.succeed("list", "addresses"), "address:%s\n" % self.portal)
        self.assertEqual(self.shown("show", "address:" + self.portal)["address"], self.portal)
        self.assertIn("target:%s:open\n" % BASE, self.succeed("list", "targets"))
        target = self.shown("show", "target:%s:open" % BASE)
        self.assertEqual((target["name"], target["LHBA"], target["node"]), (BASE + ":open", "lhba:0", "node"))
        self.assertIn("SendTargets", target["found by"])
        self.assertTrue(target["address"].split(",")[0].rpartition(":")[2].isdigit())
        self.succeed("remove", "address:" + self.portal)
        self.assertEqual(self.succeed("list", "addresses"), "")
        self.assertNotIn("target:%s:open\n" % BASE, self.succeed("list", "targets"))

    def test_static_targets(self):
        name = BASE + ":open"
        self.refuse(NOT_SUPPORTED, "add", "static", name, self.portal + ",1")
        self.assertEqual(self.succeed("add", "static", name, self.portal), "static:%s\n" % name)
        shown = self.shown("show", "static:" + name)
        self.assertEqual((shown["name"], shown["address"]), (name, self.portal))
        self.assertIn("static", self.shown("show", "target:" + name)["found by"])
        self.succeed("remove", "static:" + name)
        self.refuse(NOT_FOUND, "show", "static:" + name)

    def test_target_parameters_go_before_those_of_the_lhba(self):
        target = "target:%s:open" % BASE
        self.succeed("add", "address", self.portal)
        self.succeed("set", "lhba", "max-burst", "8192")
        self.assertIn("8192 (", self.succeed("get", target, "max-burst"))
        self.succeed("set", target, "max-burst", "16384")
        self.assertIn("16384 (", self.succeed("get", target, "max-burst"))
        self.assertIn("8192 (", self.succeed("get", "lhba", "max-burst"))

    def test_scsi_commands(self):
        self.succeed("add", "address", self.portal)
        lun = os.environ["TEST_EMBEDDED_LUN"]
        target, unit = "target:%s:two-luns" % BASE, "lu:%s:two-luns/%s" % (BASE, lun)
        self.assertEqual(len(self.succeed("luns", target).split()), 2)
        self.assertIn("vendor", self.succeed("inquiry", unit))
        self.assertIn("16384 blocks of 512 bytes", self.succeed("capacity", unit))
        self.assertIn("16384 blocks of 512 bytes", self.succeed("capacity", unit, "16"))
        self.succeed("inquiry", unit, "83")
        code, output = self.run_once("inquiry", unit, "fe")
        self.assertEqual(code, 1, output)
        self.assertIn("sense data:\n", output)
        self.assertIn("IMA_ERROR_SCSI_STATUS_CHECK_CONDITION", output)
        self.refuse(INVALID_PARAMETER, "capacity", unit, "12")

    def test_units(self):
        self.succeed("add", "address", self.portal)
        unit = "lu:%s:open/%s" % (BASE, os.environ["TEST_EMBEDDED_LUN"])
        self.assertEqual(self.shown("show", unit)["target"], "target:%s:open" % BASE)
        self.refuse("IMA_ERROR_LU_NOT_EXPOSED", "unexpose", unit)
        self.succeed("set", "target:%s:open" % BASE, "statistics", "on")
        self.assertEqual(self.shown("show", "target:%s:open" % BASE)["statistics collected"], "yes")
        self.refuse("IMA_ERROR_LU_NOT_EXPOSED", "statistics", "target:%s:open" % BASE)  # it has no session
        self.succeed("clean")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    iscsicli_case.PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
