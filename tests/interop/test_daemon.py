#!/usr/bin/env python3
"""The discovery daemon: what a service makes of the discovery addresses in iscsi.conf, without anybody calling it.

    python3 tests/harness/run.py --build BUILD -- tests/interop/test_daemon.py BUILD [TEST...]
"""

import os
import re
import signal
import subprocess
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "harness")]
import peers  # noqa: E402
import ports  # noqa: E402
import test_service  # noqa: E402
from test_service import wait_for  # noqa: E402

FIRST, SECOND, THIRD = ("%s:%s" % (peers.PREFIX, name) for name in ("first", "second", "third"))
LUN = ["--lun", "ram:64K"]
ESTABLISHED = "01"


class OwnTarget(peers.OwnProgram):
    """The project's own target on one port, which it has again when it is started again."""

    kind = "embedded"
    program = "iscsi-test-target"

    def __init__(self, build, *options, port=None):
        super().__init__(build)
        self.port = port or ports.reserve()
        self.portal = "127.0.0.1:%d" % self.port
        self.words = options

    def options(self):
        return ["--portal", self.portal, *self.words]

    def change(self, count=1):
        """Obeys what stands behind the next --on-hup."""
        self.process.send_signal(signal.SIGHUP)
        self.wait(lambda: self.said().count(["changed"]) >= count, "the target to change")


def targets_with_disks(*names):
    return [word for name in names for word in ("--target", name, *LUN)]


def connections_to(port):
    """The local ports of connections to that port."""
    found = set()
    with open("/proc/net/tcp") as table:
        for line in list(table)[1:]:
            local, remote, state = line.split()[1:4]
            if state == ESTABLISHED and int(remote.rsplit(":", 1)[1], 16) == port:
                found.add(int(local.rsplit(":", 1)[1], 16))
    return found


class Case(test_service.Case):
    def start_target(self, *options, port=None):
        target = OwnTarget(test_service.BUILD, *options, port=port)
        self.addCleanup(target.stop)
        return target.start()

    def write(self, *lines):
        os.makedirs(self.state, mode=0o700, exist_ok=True)
        path = os.path.join(self.state, "iscsi.conf")
        with open(path + ".new", "w") as file:
            file.write("".join(line + "\n" for line in lines))
        os.chmod(path + ".new", 0o600)
        os.rename(path + ".new", path)

    def serve_with(self, *lines):
        self.write(*lines)
        return self.serve()

    def reload(self):
        """The exit code, and what it says."""
        done = subprocess.run([test_service.program("iscsidscd"), "reload"], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                              timeout=test_service.DEADLINE, env=self.environment("require"))
        return done.returncode, done.stdout

    def reload_well(self):
        code, said = self.reload()
        self.assertEqual((code, said), (0, "The configuration has been read again.\n"))

    def logged_in(self):
        """Target names and session ids of the sessions that are connected."""
        output = self.succeed("SessionList")
        parts = re.split(r"^Session Id +: ", output, flags=re.M)[1:]
        return sorted((re.search(r"^Target Node Name +: (\S+)$", part, re.M).group(1), part.split()[0])
                      for part in parts if re.search(r"^\s*Connection Id +: ", part, re.M))

    def names(self):
        return [name for name, _ in self.logged_in()]

    def wait_names(self, *expected, seconds=test_service.DEADLINE):
        found = []

        def there():
            found[:] = self.names()
            return found == sorted(expected)
        try:
            ports.wait_until(there, "sessions", seconds)
        except TimeoutError:
            self.fail("expected sessions to %s, there are %s" % (sorted(expected), found))

    def disks(self, count):
        """Waits for so many logical units of all sessions."""
        def units():
            return self.succeed("ReportTargetMappings").count("OS Lun") >= count
        wait_for(units, "%d logical units" % count)

    def listed_portals(self):
        output = self.succeed("ListTargetPortals")
        return sorted(re.findall(r"Address and Socket\s+: (\S+) (\d+)", output))


class Start(Case):
    def test_targets_come_without_a_call(self):
        one = self.start_target(*targets_with_disks(FIRST, SECOND))
        other = self.start_target(*targets_with_disks(THIRD))
        self.serve_with("DiscoveryAddress = " + one.portal, "DiscoveryAddress = " + other.portal)
        self.wait_names(FIRST, SECOND, THIRD)
        self.disks(3)
        self.assertEqual(self.listed_portals(), sorted(("127.0.0.1", str(peer.port)) for peer in (one, other)))

    def test_one_that_is_silent_does_not_hold_up_the_others(self):
        silent = ports.SilentPort()
        self.addCleanup(silent.close)
        target = self.start_target(*targets_with_disks(FIRST))
        self.serve_with("DiscoveryAddress = " + silent.portal, "DiscoveryAddress = " + target.portal)
        self.wait_names(FIRST, seconds=10)

    def test_one_that_is_down_is_asked_again_until_it_is_there(self):
        port = ports.reserve()
        service = self.serve_with("DiscoveryAddress = 127.0.0.1:%d" % port)
        wait_for(lambda: self.names() == [], "an answer")
        self.start_target(*targets_with_disks(FIRST), port=port)
        self.wait_names(FIRST, seconds=15)
        self.assertEqual(service.stop(), 0)
        self.assertEqual(connections_to(port), set())

    def test_the_addresses_are_listed_and_not_stored(self):
        target = self.start_target(*targets_with_disks(FIRST))
        service = self.serve_with("DiscoveryAddress = " + target.portal)
        address = ("127.0.0.1", str(target.port))
        self.assertEqual(self.listed_portals(), [address])
        code, output = self.ask("RemoveTargetPortal", *address)
        self.assertEqual(code, test_service.ACCESS_DENIED, output)
        self.assertEqual(self.listed_portals(), [address])
        service.stop()
        self.serve_with()
        self.assertEqual(self.listed_portals(), [])

    def test_targets_that_are_not_enabled_are_only_known(self):
        one = self.start_target(*targets_with_disks(FIRST, SECOND))
        other = self.start_target(*targets_with_disks(THIRD))
        self.serve_with("DiscoveryAddress = " + one.portal, "DiscoveryAddress = " + other.portal, "    Enabled = no",
                        "TargetName = " + SECOND, "    Enabled = no")
        wait_for(lambda: self.succeed("ListTargets").count(peers.PREFIX) == 3, "three targets")
        self.wait_names(FIRST)

    def test_a_persistent_login_is_made_once(self):
        target = self.start_target(*targets_with_disks(FIRST, SECOND))
        service = self.serve_with("DiscoveryAddress = " + target.portal)
        self.wait_names(FIRST, SECOND)
        self.succeed("PersistentLoginTarget", FIRST, "T", "127.0.0.1", str(target.port), *["*"] * 13, "0")
        service.stop()
        self.serve()
        self.wait_names(FIRST, SECOND)
        self.succeed("ListTargets", "T")  # every address has answered once more
        self.assertEqual(self.names(), [FIRST, SECOND])


class Changes(Case):
    def test_a_target_that_is_announced_comes_at_once(self):
        target = self.start_target(*targets_with_disks(FIRST), "--on-hup", *targets_with_disks(SECOND),
                                   "--on-hup", *targets_with_disks(THIRD))
        self.serve_with("DiscoveryInterval = 0", "DiscoveryAddress = " + target.portal)
        self.wait_names(FIRST)
        target.change()
        self.wait_names(FIRST, SECOND, seconds=10)
        target.change(2)
        self.wait_names(FIRST, SECOND, THIRD, seconds=10)

    def test_a_unit_that_is_announced_comes_at_once(self):
        target = self.start_target(*targets_with_disks(FIRST), "--on-hup", "--of", FIRST + ",1", *LUN)
        self.serve_with("DiscoveryInterval = 0", "DiscoveryAddress = " + target.portal)
        self.wait_names(FIRST)
        self.disks(1)
        target.change()
        self.disks(2)

    def test_tgtd_is_asked_from_time_to_time(self):
        peer = peers.TgtdMany(1)
        self.addCleanup(peer.stop)
        peer.start()
        self.serve_with("DiscoveryInterval = 1", "DiscoveryAddress = " + peer.portals[0])
        self.wait_names(peers.PREFIX + ":many-000")
        peer.add_target("later")
        self.wait_names(peers.PREFIX + ":many-000", peers.PREFIX + ":later", seconds=15)

    def test_a_list_that_is_asked_for_by_force_brings_new_targets(self):
        target = self.start_target(*targets_with_disks(FIRST), "--on-hup", *targets_with_disks(SECOND))
        self.serve_with("DiscoveryInterval = 0", "DiscoveryAddress = " + target.portal, "    Continuous = no")
        self.wait_names(FIRST)
        wait_for(lambda: len(connections_to(target.port)) == 1, "the discovery session to end")
        target.change()
        self.assertEqual(self.names(), [FIRST])
        self.assertIn(SECOND, self.succeed("ListTargets", "T"))
        self.wait_names(FIRST, SECOND, seconds=10)

    def test_what_came_during_an_outage_is_found_afterwards(self):
        target = self.start_target(*targets_with_disks(FIRST))
        self.serve_with("DiscoveryInterval = 0", "DiscoveryAddress = " + target.portal)
        self.wait_names(FIRST)
        before = self.logged_in()
        target.stop()
        wait_for(lambda: self.names() == [], "the session to be lost")
        self.start_target(*targets_with_disks(FIRST, SECOND), port=target.port)
        self.wait_names(FIRST, SECOND, seconds=20)
        self.assertIn(before[0], self.logged_in(), "the session that was lost is another one now")

    def test_the_discovery_session_stays_while_its_target_answers(self):
        """Signs of life go both ways: with our target, tgtd and istgt, whatever they would make of a NOP."""
        own = self.start_target("--target", FIRST)
        tgtd, istgt = peers.TgtdMany(1), peers.Istgt()
        for peer in tgtd, istgt:
            self.addCleanup(peer.stop)
            peer.start()
        portals = [own.portal, tgtd.portals[0], istgt.portals[0]]
        self.serve_with("DiscoveryInterval = 0", "IdleTimeout = 1", "PingTimeout = 2",
                        *(line for portal in portals for line in ("DiscoveryAddress = " + portal, "    Enabled = no")))
        wait_for(lambda: len(self.succeed("ListTargets").split(peers.PREFIX)) > 5, "all targets")
        before = [connections_to(peers.port_of(portal)) for portal in portals]
        self.assertEqual([len(ports_of_one) for ports_of_one in before], [1, 1, 1])
        enough = time.monotonic() + 2.5  # for two signs of life; that nothing happens has no other end

        def stay():
            self.assertEqual([connections_to(peers.port_of(portal)) for portal in portals], before)
            return time.monotonic() > enough

        wait_for(stay, "the connections to stay")


class Logout(Case):
    def test_who_is_logged_out_stays_so_until_the_file_is_read_again(self):
        target = self.start_target(*targets_with_disks(FIRST, SECOND))
        self.serve_with("DiscoveryInterval = 1", "DiscoveryAddress = " + target.portal)
        self.wait_names(FIRST, SECOND)
        self.succeed("LogoutTarget", dict(self.logged_in())[FIRST])
        for _ in range(3):
            self.succeed("ListTargets", "T")
        self.assertEqual(self.names(), [SECOND])
        self.reload_well()
        self.wait_names(FIRST, SECOND, seconds=10)

    def test_stopping_logs_discovery_sessions_out(self):
        target = self.start_target(*targets_with_disks(FIRST))
        service = self.serve_with("DiscoveryAddress = " + target.portal)
        self.wait_names(FIRST)
        self.assertEqual(len(connections_to(target.port)), 2)
        self.assertEqual(service.stop(), 0)
        self.assertEqual(connections_to(target.port), set())


class Reload(Case):
    """One test for each sentence on the dynamic reconfiguration of the driver."""

    def test_new_addresses_are_discovered_and_their_targets_logged_in_to(self):
        one, other = self.start_target(*targets_with_disks(FIRST)), self.start_target(*targets_with_disks(SECOND))
        self.serve_with("DiscoveryAddress = " + one.portal)
        self.wait_names(FIRST)
        before = self.logged_in()
        self.write("DiscoveryAddress = " + one.portal, "DiscoveryAddress = " + other.portal)
        self.reload_well()
        self.wait_names(FIRST, SECOND, seconds=10)
        self.assertIn(before[0], self.logged_in())
        self.assertEqual(len(connections_to(other.port)), 2)

    def test_existing_sessions_keep_what_they_were_made_with(self):
        """A digest that the target does not do: with it nobody could log in."""
        target = self.start_target("--digest", "None", *targets_with_disks(FIRST), "--on-hup", *targets_with_disks(SECOND))
        lines = "DiscoveryInterval = 0", "DiscoveryAddress = " + target.portal
        self.serve_with(*lines)
        self.wait_names(FIRST)
        sessions, connections = self.logged_in(), connections_to(target.port)
        self.write(*lines, "TargetName = " + FIRST, "    HeaderDigest = always", "TargetName = " + SECOND, "    HeaderDigest = always")
        self.reload_well()
        target.change()
        wait_for(lambda: SECOND in self.succeed("ListTargets"), "the new target to be found")
        self.assertEqual(self.logged_in(), sessions)
        self.assertLessEqual(connections, connections_to(target.port), "a connection has been made anew")
        self.write(*lines)
        self.reload_well()
        self.wait_names(FIRST, SECOND, seconds=10)
        self.assertIn(sessions[0], self.logged_in())

    def test_a_removed_address_takes_its_discovery_session_along_and_no_other(self):
        one, other = self.start_target(*targets_with_disks(FIRST)), self.start_target(*targets_with_disks(SECOND))
        self.serve_with("DiscoveryAddress = " + one.portal, "DiscoveryAddress = " + other.portal)
        self.wait_names(FIRST, SECOND)
        before = self.logged_in()
        self.assertEqual(len(connections_to(other.port)), 2)
        self.write("DiscoveryAddress = " + one.portal)
        self.reload_well()
        wait_for(lambda: len(connections_to(other.port)) == 1, "the discovery session to end")
        self.assertEqual(self.logged_in(), before)
        self.assertEqual(self.listed_portals(), [("127.0.0.1", str(one.port))])
        self.disks(2)

    def test_a_session_of_a_removed_address_survives_an_outage(self):
        target = self.start_target(*targets_with_disks(FIRST))
        self.serve_with("DiscoveryAddress = " + target.portal)
        self.wait_names(FIRST)
        before = self.logged_in()
        self.write()
        self.reload_well()
        target.stop()
        wait_for(lambda: self.names() == [], "the session to be lost")
        self.start_target(*targets_with_disks(FIRST), port=target.port)
        self.wait_names(FIRST, seconds=20)
        self.assertEqual(self.logged_in(), before)

    def test_a_bad_file_is_told_precisely_and_changes_nothing(self):
        target = self.start_target(*targets_with_disks(FIRST))
        service = self.serve_with("DiscoveryAddress = " + target.portal)
        self.wait_names(FIRST)
        before = self.logged_in()
        self.write("# nothing wrong here", "DiscoveryAddress = 127.0.0.1:70000", "LoginTimeout = soon")
        code, said = self.reload()
        self.assertEqual(code, 1, said)
        path = os.path.join(self.state, "iscsi.conf")
        self.assertRegex(said, r"(?m)^iscsidscd: %s:2:\d+: .*70000" % re.escape(path))
        self.assertRegex(said, r"(?m)^iscsidscd: %s:3:\d+: .*soon" % re.escape(path))
        self.assertIn(path + ":2:", service.wait_event("bad-configuration"))
        self.assertEqual(self.logged_in(), before)
        self.assertEqual(len(connections_to(target.port)), 2)
        self.assertEqual(self.listed_portals(), [("127.0.0.1", str(target.port))])

    def test_sighup_does_the_same(self):
        target = self.start_target(*targets_with_disks(FIRST))
        service = self.serve_with()
        self.assertEqual(self.names(), [])
        self.write("DiscoveryAddress = " + target.portal)
        service.process.send_signal(signal.SIGHUP)
        self.wait_names(FIRST, seconds=10)

    def test_there_must_be_a_service(self):
        code, said = self.reload()
        self.assertEqual((code, said), (1, "iscsidscd: the service is not running\n"))

    def test_many_at_once_are_all_answered(self):
        self.serve_with()
        run = [subprocess.Popen([test_service.program("iscsidscd"), "reload"], stdout=subprocess.PIPE, text=True,
                                env=self.environment("require")) for _ in range(8)]
        self.assertEqual([one.communicate(timeout=test_service.DEADLINE)[0] for one in run],
                         ["The configuration has been read again.\n"] * 8)


class Secrets(Case):
    FOUND_BY, LOGGED_IN_BY = "finder:discoverysecret1", "user:targetsecret12"

    def start_guarded(self):
        return self.start_target("--discovery-chap", self.FOUND_BY, "--target", FIRST, "--chap", self.LOGGED_IN_BY, *LUN)

    def section(self, line, account):
        user, password = account.split(":")
        return [line, "    Username = " + user, "    Password = " + password]

    def test_each_section_has_its_own(self):
        target = self.start_guarded()
        self.serve_with(*self.section("DiscoveryAddress = " + target.portal, self.FOUND_BY),
                        *self.section("TargetName = " + FIRST, self.LOGGED_IN_BY))
        self.wait_names(FIRST)

    def test_one_that_is_wrong_can_be_mended_without_a_restart(self):
        target = self.start_guarded()
        lines = self.section("DiscoveryAddress = " + target.portal, self.FOUND_BY)
        service = self.serve_with(*lines, *self.section("TargetName = " + FIRST, "user:not-the-secret"))
        wait_for(lambda: FIRST in self.succeed("ListTargets"), "the target")
        self.assertEqual(self.names(), [])
        self.write(*lines, *self.section("TargetName = " + FIRST, self.LOGGED_IN_BY))
        self.reload_well()
        self.wait_names(FIRST, seconds=10)
        self.assertNotIn("secret", "".join(service.lines))

    def test_a_discovery_that_is_refused_is_told_once(self):
        target = self.start_guarded()
        service = self.serve_with(*self.section("DiscoveryAddress = " + target.portal, "finder:not-the-secret"))
        line = service.wait_event("discovery-failed")
        self.assertIn("address=%s status=LOGIN_AUTHENTICATION_FAILED" % target.portal, line)
        self.write(*self.section("DiscoveryAddress = " + target.portal, self.FOUND_BY))
        self.reload_well()
        service.wait_event("discovery-works")
        self.assertEqual(sum("discovery-failed" in line for line in service.lines), 1)


class Many(Case):
    """200 targets on 4 discovery addresses, each a process of its own."""

    BOUND = 20  # seconds: of a machine that does other things; the exact figure is tests/bench's

    def places(self):
        """Bus and target id of each target."""
        output = self.succeed("ReportTargetMappings")
        found = {}
        for part in re.split(r"^\s*Session Id", output, flags=re.M)[1:]:
            name, *place = (re.search(r"^\s*%s\s*: (\S+)$" % what, part, re.M).group(1)
                            for what in ("Target Name", "Initiator Bus", "Initiator Target Id"))
            found[name] = tuple(place)
        return found

    def test_two_hundred_targets_come_up_and_keep_their_ids(self):
        names, lines = [], []
        for group in range(4):
            own = ["%s:group-%d-%02d" % (peers.PREFIX, group, number) for number in range(50)]
            names += own
            lines.append("DiscoveryAddress = " + self.start_target(*targets_with_disks(*own)).portal)
        self.write(*lines)
        places = []
        for _ in range(2):
            begin = time.monotonic()
            service = self.serve()
            self.wait_names(*names, seconds=self.BOUND)
            print("200 targets on 4 discovery addresses: %.2f s" % (time.monotonic() - begin))
            self.disks(200)
            places.append(self.places())
            self.assertEqual(service.stop(), 0)
        self.assertEqual(sorted(places[0]), sorted(names))
        self.assertEqual(places[0], places[1], "ids have changed from one start to the next")


if __name__ == "__main__":
    test_service.BUILD = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
