#!/usr/bin/env python3
"""iscsi-ls and iscsi.bindings with a running service: what is shown of sessions, and that ids last.

    python3 tests/harness/run.py --build BUILD -- tests/interop/test_iscsi_ls.py BUILD [TEST...]
"""

import errno
import json
import os
import re
import signal
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "harness")]
import device_case  # noqa: E402
import peers  # noqa: E402
import test_service  # noqa: E402
import test_service_restart  # noqa: E402

TARGETS = ["%s:ls-%d" % (peers.PREFIX, number) for number in range(3)]


class Many(test_service_restart.EmbeddedAt):
    """Three targets; the last one has no units."""

    def options(self):
        options = ["--portal", self.portal]
        for number, target in enumerate(TARGETS):
            options += ["--target", target] + ["--lun", "ram:1M"] * (2 - number)
        return options


def at(state, **variables):
    """The environment of a program that looks for the service itself."""
    environment = dict(os.environ, ISCSIDSC_STATE=state, **variables)
    environment.pop("ISCSIDSC_SERVICE", None)
    return environment


def run(*arguments, program=None, environment=None, **more):
    """Exit code, output, what was complained of."""
    done = subprocess.run([program or test_service.program("iscsi-ls"), *arguments], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False,
                          timeout=test_service.DEADLINE, env=environment, **more)
    return done.returncode, done.stdout, done.stderr


class Case(test_service.Case):
    def setUp(self):
        super().setUp()
        os.mkdir(self.state, 0o700)
        self.target = self.start_target("127.0.0.1:0")
        self.portal = self.target.portals[0]
        self.address, self.port = self.portal.rsplit(":", 1)

    def start_target(self, portal):
        target = Many(test_service.BUILD, portal)
        self.addCleanup(target.stop)
        return target.start()

    def write(self, name, text):
        with open(os.path.join(self.state, name), "w") as file:
            file.write(text)

    def bindings(self):
        with open(os.path.join(self.state, "iscsi.bindings")) as file:
            return file.read()

    def log_in_to(self, *targets):
        self.succeed("AddTargetPortal", self.address, self.port)
        for target in targets:
            self.succeed("QLoginTarget", target)
        self.succeed("SessionList")  # the units have been looked at

    def list(self, *options):
        code, output, complaint = run(*options, environment=at(self.state))
        self.assertEqual((code, complaint), (0, ""))
        return output

    def sessions_listed(self):
        return json.loads(self.list("-j"))["sessions"]

    def places(self):
        return {session["target"]: (session["bus"], session["id"]) for session in self.sessions_listed()}

    def fields(self, block):
        return dict(re.findall(r"^([A-Z][A-Z. 0-9]*?) *: (.*)$", block, re.M))

    def blocks(self, *options):
        """The fields of each session."""
        parts = re.split(r"^\*+\n", self.list(*options), flags=re.M)
        self.assertRegex(parts[1], r"^iSCSI driver version: \d+\.\d+\.\d+\n$")
        return [part for part in parts[2:] if part]


class Listing(Case):
    def test_nothing(self):
        self.serve()
        self.assertEqual(self.blocks(), [])
        self.assertEqual(self.sessions_listed(), [])

    def test_columns(self):
        self.serve()
        self.log_in_to(*TARGETS)
        blocks = [self.fields(block) for block in self.blocks()]
        self.assertEqual([block["TARGET NAME"] for block in blocks], TARGETS)
        self.assertEqual([block["LUN NO"] for block in blocks], ["0 1", "0", "?"])
        for number, block in enumerate(blocks):
            self.assertEqual((block["HOST NO"], block["BUS NO"], block["TARGET NO"]), ("3", "0", str(number)))
            self.assertEqual(block["TARGET ADDRESS"], self.portal)
            self.assertEqual(block["DISC ADDRESS"], self.portal)
            self.assertEqual(block["PORTAL ADDRESS 1"], self.portal)
            self.assertRegex(block["SESSION STATUS"], r"^ESTABLISHED AT \w{3} \w{3} \d\d \d\d:\d\d:\d\d \d{4}$")
            self.assertRegex(block["SESSION ID"], r"^ISID [0-9a-f]{12} TSIH [0-9a-f]+$")

    def test_devices(self):
        self.serve()
        self.log_in_to(*TARGETS)
        first, second, third = self.blocks("-l")
        self.assertEqual(re.findall(r"^LUN ID : (.*)$", first, re.M), ["0", "1"])
        self.assertIn("  Type:   Direct-Access ", first)
        self.assertRegex(second, r"  Vendor: \S+ +Model: .* Rev: \S+\n")
        self.assertRegex(second, r"  Serial: \S+\n  Capacity: 2048 blocks of 512 bytes \[0\.0 GB\]\n  Device: \?\n")
        self.assertEqual(re.findall(r"^LUN ID : (.*)$", third, re.M), ["?"])

    def test_json(self):
        self.serve()
        self.log_in_to(*TARGETS)
        sessions = self.sessions_listed()
        self.assertEqual([session["target"] for session in sessions], TARGETS)
        self.assertEqual([len(session["units"]) for session in sessions], [2, 1, 0])
        portal = {"address": self.address, "port": int(self.port)}
        for session in sessions:
            self.assertEqual(session["state"], "established")
            self.assertEqual((session["portal"], session["portals"], session["discovery"]), (portal, [portal], portal))
            self.assertEqual(set(session), {"target", "alias", "host", "bus", "id", "state", "since", "portal", "portals",
                                            "discovery", "isid", "tsih", "portal_group", "units"})
        unit = sessions[0]["units"][1]
        self.assertEqual(set(unit), {"lun", "target_lun", "type", "vendor", "product", "revision", "serial", "blocks",
                                     "block_length", "write_protected", "exposed", "device"})
        self.assertEqual((unit["lun"], unit["target_lun"], unit["blocks"], unit["block_length"]), (1, 1, 2048, 512))
        self.assertIsNone(unit["device"])

    def test_parameters(self):
        """What the file says counts for whom it says it, and its passwords stay where they are."""
        self.write("iscsi.conf", "LoginTimeout = 21\nTargetName=%s\n    DataDigest=prefer-on\n    Password=verysecret12\n"
                   "    Username=user\n" % TARGETS[0])
        self.serve()
        self.log_in_to(TARGETS[1])
        found = json.loads(self.list("-jv"))
        path = os.path.join(self.state, "iscsi.conf")
        self.assertEqual(found["file"], path)
        service = {parameter["name"]: parameter for parameter in found["parameters"]}
        self.assertEqual(service["LoginTimeout"],
                         {"name": "LoginTimeout", "value": "21", "source": "file", "scope": "global", "line": 1})
        self.assertEqual(service["DataDigest"]["source"], "default")
        self.assertEqual(found["sessions"][0]["parameters"], [])
        output = self.list("-v")
        self.assertIn("  LoginTimeout = 21 (%s:1, global)\n" % path, output)
        self.log_in_to(TARGETS[0])
        session = [session for session in json.loads(self.list("-jv"))["sessions"] if session["target"] == TARGETS[0]][0]
        own = {parameter["name"]: parameter for parameter in session["parameters"]}
        self.assertEqual((own["DataDigest"]["source"], own["DataDigest"]["scope"], own["DataDigest"]["line"]),
                         ("file", "TargetName", 3))
        self.assertEqual(own["Password"]["value"], "(set)")
        self.assertNotIn("verysecret12", self.list("-v") + self.list("-jv"))

    def test_a_lost_connection(self):
        self.serve()
        self.log_in_to(TARGETS[0])
        self.target.stop()
        test_service.wait_for(lambda: self.sessions_listed()[0]["portal"] is None, "the session to be lost")
        block = self.fields(self.blocks()[0])
        self.assertEqual((block["TARGET ADDRESS"], block["LUN NO"]), ("?:?", "0 1"))
        self.assertRegex(block["SESSION STATUS"], "^DROPPED AT ")
        self.start_target(self.portal)
        test_service.wait_for(lambda: self.sessions_listed()[0]["state"] == "established", "the session to be back")

    def test_without_a_service(self):
        code, output, complaint = run("-l", environment=at(self.state))
        self.assertEqual((code, output), (1, ""))
        self.assertRegex(complaint, "^iscsi-ls: .+\n$")

    def test_options(self):
        for option in ("-x", "-lx", "l", "-", "--long"):
            code, output, complaint = run(option)
            self.assertEqual((code, output), (2, ""), option)
            self.assertTrue(complaint.startswith("iscsi-ls: %s: no such option\nusage: iscsi-ls " % option), complaint)
        for option in ("-h", "--help"):
            code, output, complaint = run(option)
            self.assertEqual((code, complaint), (0, ""))
            self.assertTrue(output.startswith("usage: iscsi-ls "), output)
        self.assertRegex(run("-V")[1], r"^iscsi-ls \d+\.\d+\.\d+\n$")

    def test_who_may_look(self):
        """A reader of the service sees it; a stranger does not."""
        if os.geteuid() != 0:
            self.skipTest("not root")
        self.write("iscsi.conf", "ServiceReadGroup = 4243\n")
        place = os.path.join(self.directory, "place")
        os.mkdir(place, 0o755)
        os.chmod(self.directory, 0o755)
        socket = os.path.join(place, "door.sock")
        environment = at(self.state, ISCSIDSC_SOCKET=socket)
        self.serve("--socket", socket)
        program = os.path.join(self.directory, "iscsi-ls")  # the build's may be where others cannot pass
        subprocess.run(["cp", test_service.program("iscsi-ls"), program], check=True)
        as_nobody = {"user": 65534, "group": 65534, "program": program, "environment": environment}
        code, output, complaint = run("-j", extra_groups=[4243], **as_nobody)
        self.assertEqual((code, complaint), (0, ""))
        self.assertEqual(json.loads(output)["sessions"], [])
        code, output, complaint = run("-j", extra_groups=[4244], **as_nobody)
        self.assertEqual((code, output), (1, ""))
        self.assertRegex(complaint, "^iscsi-ls: .+\n$")


class Devices(device_case.Case):
    sizes = [8 << 20]

    def test_paths_are_those_of_the_tree(self):
        self.log_in_to_disk()
        output = run("-j", environment=at(self.state))[1]
        unit, = json.loads(output)["sessions"][0]["units"]
        if unit["device"] is None:
            self.skipTest("no file systems in user space here")
        self.assertEqual(os.stat(unit["device"]).st_size, 8 << 20)
        self.assertEqual(unit["device"], self.place(0, "disk"))
        output = run("-l", environment=at(self.state))[1]
        self.assertIn("  Device: %s\n" % unit["device"], output)


    def test_status_and_control(self):
        """What /proc/scsi/iscsi told and took."""
        status, control = os.path.join(self.root, "status"), os.path.join(self.root, "control")

        def order(text):
            with open(control, "wb", buffering=0) as file:
                file.write(text)

        def lines():
            with open(status) as file:
                return [line.split() for line in file.read().splitlines() if not line.startswith("#")]
        if not os.path.exists(status):
            self.skipTest("no file systems in user space here")
        with open(status) as file:
            self.assertRegex(file.read(), r"^# iSCSI driver version: \d+\.\d+\.\d+\n#\n# Bus Target +LUN +IP address +Port +TargetName\n$")
        self.log_in_to_disk()
        address, port = self.portal.rsplit(":", 1)
        self.assertEqual(lines(), [["0", "0", "0", address, port, device_case.TARGET]])
        order(b"scsi add-single-device 3 0 0 1\n")
        order(b"target 0 0 address %s\n" % self.portal.encode())
        for text, code in ((b"target 0 0\n", errno.EINVAL), (b"target 0 9 address 1.2.3.4\n", errno.ENODEV),
                           (b"target 0 0 address 192.0.2.9\n", errno.ENXIO)):
            with self.assertRaises(OSError) as caught:
                order(text)
            self.assertEqual(caught.exception.errno, code, text)
        self.target.stop()
        test_service.wait_for(lambda: lines() == [["0", "0", "0", "?", "?", device_case.TARGET]], "the session to be lost")


class Bindings(Case):
    def test_ids_last(self):
        service = self.serve()
        self.log_in_to(*TARGETS)
        before = self.places()
        self.assertEqual(sorted(before.values()), [(0, 0), (0, 1), (0, 2)])
        self.assertEqual(service.stop(), 0)
        self.serve()
        self.log_in_to(*reversed(TARGETS))
        self.assertEqual(self.places(), before)

    def test_they_are_written_at_once(self):
        service = self.serve()
        self.log_in_to(*TARGETS)
        before = self.places()
        test_service.wait_for(lambda: self.bindings().count("\n") == 3, "three lines")
        service.stop(signal.SIGKILL)
        self.serve()
        self.log_in_to(*reversed(TARGETS))
        self.assertEqual(self.places(), before)

    def test_an_administrator_chooses(self):
        text = "# ours\n1 7 %s\n0 999 %s\n" % (TARGETS[1].upper(), TARGETS[2])
        self.write("iscsi.bindings", text)
        service = self.serve()
        self.log_in_to(*TARGETS)
        self.assertEqual(self.places(), dict(zip(TARGETS, [(0, 0), (1, 7), (0, 1)])))
        self.assertIn('at=%s/iscsi.bindings:3 reason="the target id is above 255"' % self.state,
                      service.wait_event("bad-binding"))
        added = "0 0 %s\n0 1 %s\n" % (TARGETS[0], TARGETS[2])
        test_service.wait_for(lambda: self.bindings() == text + added, "the lines that are missing")

    def test_owner_and_permissions_stay(self):
        self.write("iscsi.bindings", "")
        path = os.path.join(self.state, "iscsi.bindings")
        os.chmod(path, 0o664)
        link = os.path.join(self.directory, "link")
        os.rename(path, link)
        os.symlink(link, path)
        if os.geteuid() == 0:
            os.chown(link, 4242, 4243)
        owner = os.stat(link)
        self.serve()
        self.log_in_to(TARGETS[0])
        test_service.wait_for(lambda: self.bindings() == "0 0 %s\n" % TARGETS[0], "the line")
        self.assertTrue(os.path.islink(path))
        now = os.stat(link)
        self.assertEqual((now.st_mode, now.st_uid, now.st_gid), (owner.st_mode, owner.st_uid, owner.st_gid))

    def test_a_full_disk_is_told(self):
        if os.geteuid() != 0:
            self.skipTest("not root: nothing can be mounted")
        place = os.path.join(self.directory, "small")
        os.mkdir(place)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8k", "none", place], stderr=subprocess.DEVNULL,
                          check=False).returncode != 0:
            self.skipTest("nothing can be mounted")
        self.addCleanup(subprocess.run, ["umount", "-l", place], check=True)
        path = os.path.join(place, "iscsi.bindings")
        self.write("iscsi.conf", "BindingsFile = %s\n" % path)
        with open(path, "w") as file:
            file.write("0 5 %s\n" % TARGETS[1] + "#" * 4000 + "\n")
        with open(os.path.join(place, "filler"), "w") as file:
            file.write("x" * 4000)
        with open(path) as file:
            before = file.read()
        service = self.serve()
        self.log_in_to(*TARGETS[:2])
        self.assertEqual(self.places(), dict(zip(TARGETS, [(0, 0), (0, 5)])))
        self.assertIn("file=%s status=STORE_FULL" % path, service.wait_event("bindings-not-kept"))
        with open(path) as file:
            self.assertEqual(file.read(), before)
        self.assertEqual(sorted(os.listdir(place)), ["filler", "iscsi.bindings", "iscsi.bindings.lock"])


if __name__ == "__main__":
    test_service.BUILD = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
