"""Real iSCSI targets on loopback: each a process of its own, in a private directory, ended by its own pid."""

import ctypes
import os
import shutil
import signal
import struct
import subprocess
import tempfile

import ports

PREFIX = "iqn.2026-11.org.example"
CHAP_USER, CHAP_SECRET = "chapuser", "chapsecret123"
TARGET_USER, TARGET_SECRET = "targetuser", "targetsecret1"
DISK_SIZE = 8 << 20
MANY_TARGETS = 200
MANY_DISKS = 32

# Test targets: name suffix, authentication, number of disks.
TARGETS = (("open", "none", 1), ("chap", "chap", 1), ("mutual", "mutual", 1), ("two-luns", "none", 2))


class PeerError(Exception):
    """A peer that did not start, or ended early."""


def die_with_parent():
    """Run in the child: a harness that is killed leaves no server behind."""
    PR_SET_PDEATHSIG = 1
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def write_disk(path):
    """A disk whose every 8 bytes hold their own offset, big-endian."""
    with open(path, "wb") as disk:
        words = DISK_SIZE // 8
        disk.write(struct.pack(">%dQ" % words, *range(0, DISK_SIZE, 8)))


class Peer:
    """What all peers share. A subclass gives kind, command() and, if it needs them, prepare() and configure()."""

    kind = ""
    first_lun = 0
    stop_signal = signal.SIGKILL

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="iscsidsc-peer-")
        self.process = None
        self.log_path = os.path.join(self.directory, "log")
        self.portals = []

    def start(self):
        """Start the peer and wait until it answers. Returns itself."""
        self.prepare()
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env=self.process_environment(), cwd=self.directory,
                                            start_new_session=True, preexec_fn=die_with_parent)
        try:
            self.configure()
            for portal in self.portals:
                self.wait(lambda: ports.listening(port_of(portal)), "%s to listen on %s" % (self.kind, portal))
        except (PeerError, TimeoutError, subprocess.SubprocessError) as error:
            tail = self.log_tail()
            self.stop()
            raise PeerError("%s\n%s" % (error, tail)) from error
        return self

    def wait(self, condition, what):
        def ready_or_dead():
            if self.process.poll() is not None:
                raise PeerError("%s ended with code %d while starting" % (self.kind, self.process.returncode))
            return condition()
        ports.wait_until(ready_or_dead, what)

    def stop(self):
        """End the peer and remove what it left."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(self.stop_signal)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    def log_tail(self, lines=40):
        """The last lines the peer wrote."""
        try:
            with open(self.log_path, errors="replace") as log:
                return "".join(log.readlines()[-lines:])
        except OSError:
            return ""

    def __enter__(self):
        return self.start()

    def __exit__(self, *exception):
        self.stop()

    def prepare(self):
        """Make what the command needs."""

    def configure(self):
        """Set the running peer up."""

    def command(self):
        raise NotImplementedError

    def process_environment(self):
        return dict(os.environ)

    def reserve_portals(self):
        """Two IPv4 portals and, where there is IPv6, one of those."""
        self.portals = ["127.0.0.1:%d" % ports.reserve(), "127.0.0.1:%d" % ports.reserve()]
        if ports.have_ipv6():
            self.portals.append("[::1]:%d" % ports.reserve())

    def disk(self, name):
        path = os.path.join(self.directory, name)
        write_disk(path)
        return path

    def environment(self):
        """What a test program is told."""
        prefix = "TEST_%s_" % self.kind.upper()
        variables = {prefix + "LUN": str(self.first_lun)}
        variables.update(zip((prefix + "PORTAL", prefix + "PORTAL2", prefix + "PORTAL6"), self.portals))
        return variables


def port_of(portal):
    return int(portal.rsplit(":", 1)[1])


class Tgtd(Peer):
    """tgt. It ignores SIGTERM, so it is killed; all it keeps is in its directory."""

    kind = "tgtd"
    first_lun = 1  # LUN 0 is a controller

    def __init__(self):
        super().__init__()
        self.next_tid = 1
        self.accounts = set()

    def prepare(self):
        self.reserve_portals()

    def command(self):
        listen = ",".join("portal=" + portal for portal in self.portals)
        return [find("tgtd"), "-f", "-C", "1", "-t", "1", "--iscsi", listen]

    def process_environment(self):
        return dict(os.environ, TGT_IPC_SOCKET=os.path.join(self.directory, "ipc"))

    def configure(self):
        self.wait(lambda: self.try_admin("target", "show").returncode == 0, "tgtd's control socket")
        for suffix, authentication, disks in TARGETS:
            self.add_target(suffix, authentication, disks, MaxConnections=8)

    def try_admin(self, mode, operation, **options):
        arguments = [find("tgtadm"), "-C", "1", "--lld", "iscsi", "--mode", mode, "--op", operation]
        for option, value in options.items():
            arguments.append("--" + option.replace("_", "-"))
            if value is not True:
                arguments.append(str(value))
        return subprocess.run(arguments, env=self.process_environment(), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20, check=False)

    def admin(self, mode, operation, **options):
        done = self.try_admin(mode, operation, **options)
        if done.returncode != 0:
            raise PeerError("tgtadm %s %s %s: %s" % (mode, operation, options, done.stdout.decode(errors="replace")))
        return done.stdout.decode()

    def account(self, user, secret):
        if user not in self.accounts:
            self.admin("account", "new", user=user, password=secret)
            self.accounts.add(user)

    def add_target(self, suffix, authentication="none", disks=1, **parameters):
        """Add a target; parameters are tgtd's names and values, such as HeaderDigest='CRC32C'. Returns its tid."""
        tid = self.next_tid
        self.next_tid += 1
        self.admin("target", "new", tid=tid, targetname="%s:%s" % (PREFIX, suffix))
        for name, value in parameters.items():
            self.admin("target", "update", tid=tid, name=name, value=value)
        for number in range(disks):
            path = self.disk("%s-%d" % (suffix, number))
            self.admin("logicalunit", "new", tid=tid, lun=self.first_lun + number, backing_store=path)
        if authentication != "none":
            self.account(CHAP_USER, CHAP_SECRET)
            self.admin("account", "bind", tid=tid, user=CHAP_USER)
        if authentication == "mutual":
            self.account(TARGET_USER, TARGET_SECRET)
            self.admin("account", "bind", tid=tid, user=TARGET_USER, outgoing=True)
        self.admin("target", "bind", tid=tid, initiator_address="ALL")
        return tid


class TgtdDigest(Tgtd):
    """tgtd whose only target demands digests."""

    kind = "tgtd_digest"

    def configure(self):
        self.wait(lambda: self.try_admin("target", "show").returncode == 0, "tgtd's control socket")
        self.add_target("open", HeaderDigest="CRC32C", DataDigest="CRC32C")


class TgtdChapDiscovery(Tgtd):
    """tgtd that tells its targets only to whom it knows. Discovery accounts are bound without a target."""

    kind = "tgtd_chapdiscovery"

    def configure(self):
        self.wait(lambda: self.try_admin("target", "show").returncode == 0, "tgtd's control socket")
        self.add_target("open")
        self.account(CHAP_USER, CHAP_SECRET)
        self.account(TARGET_USER, TARGET_SECRET)
        self.admin("account", "bind", user=CHAP_USER)
        self.admin("account", "bind", user=TARGET_USER, outgoing=True)


class TgtdMany(Tgtd):
    """tgtd with many targets, none of which has a disk."""

    kind = "tgtd_many"

    def __init__(self, count=MANY_TARGETS):
        super().__init__()
        self.count = count

    def configure(self):
        self.wait(lambda: self.try_admin("target", "show").returncode == 0, "tgtd's control socket")
        width = max(3, len(str(self.count - 1)))
        for number in range(self.count):
            self.add_target("many-%0*d" % (width, number), disks=0)


class Istgt(Peer):
    """istgt: all of it is told by two files."""

    kind = "istgt"

    def prepare(self):
        self.reserve_portals()
        self.write("auth.conf", '[AuthGroup1]\n  Auth "%s" "%s"\n[AuthGroup2]\n  Auth "%s" "%s" "%s" "%s"\n'
                   % (CHAP_USER, CHAP_SECRET, CHAP_USER, CHAP_SECRET, TARGET_USER, TARGET_SECRET))
        units = [self.unit(number, *target) for number, target in enumerate(TARGETS, 1)]
        self.write("istgt.conf", self.globals() + "".join(units))

    def write(self, name, text):
        path = os.path.join(self.directory, name)
        with open(path, "w") as file:
            file.write(text)
        os.chmod(path, 0o600)

    def globals(self):
        portals = "".join("  Portal P%d %s\n" % (number, portal) for number, portal in enumerate(self.portals))
        return ("[Global]\n  NodeBase \"%s\"\n  PidFile %s/pid\n  AuthFile %s/auth.conf\n  MediaDirectory %s\n"
                "  DiscoveryAuthMethod None\n  MaxSessions 64\n  MaxConnections 8\n  NopInInterval 20\n  Timeout 30\n"
                "[UnitControl]\n[PortalGroup1]\n%s"
                "[InitiatorGroup1]\n  InitiatorName \"ALL\"\n  Netmask 127.0.0.0/8\n  Netmask [::1]\n"
                % (PREFIX, self.directory, self.directory, self.directory, portals))

    def unit(self, number, suffix, authentication, disks):
        method, group = {"none": ("None", "None"), "chap": ("CHAP", "AuthGroup1"),
                         "mutual": ("CHAP Mutual", "AuthGroup2")}[authentication]
        luns = "".join("  LUN%d Storage %s 8MB\n" % (lun, self.disk("%s-%d" % (suffix, lun))) for lun in range(disks))
        return ("[LogicalUnit%d]\n  TargetName \"%s:%s\"\n  TargetAlias \"disk of %s\"\n  Mapping PortalGroup1 InitiatorGroup1\n  AuthMethod %s\n"
                "  AuthGroup %s\n  UseDigest Auto\n  UnitType Disk\n  QueueDepth 32\n%s"
                % (number, PREFIX, suffix, suffix, method, group, luns))

    def command(self):
        return [find("istgt"), "-D", "-c", os.path.join(self.directory, "istgt.conf"),
                "-p", os.path.join(self.directory, "pid")]


class OwnProgram(Peer):
    """A program of ours (tests/support): it takes ephemeral ports, tells them, and says when it is ready."""

    program = ""
    stop_signal = signal.SIGTERM

    def __init__(self, build):
        super().__init__()
        self.path = os.path.join(build, self.program)
        if not os.path.exists(self.path):
            # Under Wine the peers stay native: the Linux build beside the Windows one has them.
            self.path = os.path.join(os.path.dirname(os.path.abspath(build)), "linux", self.program)

    def command(self):
        if not os.path.exists(self.path):
            raise PeerError("%s has not been built" % self.path)
        return [self.path, "--no-stdin", *self.options()]

    def options(self):
        raise NotImplementedError

    def said(self):
        """The lines the program has written so far, as lists of words."""
        with open(self.log_path, errors="replace") as log:
            return [line.split() for line in log.read().splitlines()]

    def configure(self):
        self.wait(lambda: ["ready"] in self.said(), "%s to say that it is ready" % self.program)
        self.portals = [words[1] for words in self.said() if words[:1] == ["portal"]]


class Embedded(OwnProgram):
    """The project's own target."""

    kind = "embedded"
    program = "iscsi-test-target"

    def options(self):
        addresses = ["127.0.0.1:0", "127.0.0.1:0"] + (["[::1]:0"] if ports.have_ipv6() else [])
        return [word for address in addresses for word in ("--portal", address)] + ["--standard"]


class EmbeddedMany(Embedded):
    """The project's own target with a disk for each of many users: :disk-00 has 128 blocks, each next one 2 more."""

    kind = "embedded_many"

    def options(self):
        disks = (("--target", "%s:disk-%02d" % (PREFIX, number), "--lun", "ram:%d" % (512 * (128 + 2 * number)))
                 for number in range(MANY_DISKS))
        return ["--portal", "127.0.0.1:0", "--portal", "127.0.0.1:0", *(word for disk in disks for word in disk)]


class EmbeddedSlow(Embedded):
    """The project's own target that takes its time over logouts, drops the connection on READ CAPACITY and wants to be left alone
    for a while then, and refuses the first REPORT LUNS."""

    kind = "embedded_slow"

    def options(self):
        return ["--time2wait", "60", "--portal", "127.0.0.1:0", "--standard", "--fault", "on logout-response delay 400",
                "--fault", "on scsi-command with cdb=0x25 close",
                "--fault", "on scsi-command 1 with cdb=0xa0 answer check-condition 5 0x24 0"]


class EmbeddedLazy(Embedded):
    """The project's own target that thinks for three and a half seconds about each SCSI command."""

    kind = "embedded_lazy"

    def options(self):
        return ["--portal", "127.0.0.1:0", "--standard", "--fault", "on scsi-command delay 3500"]


class Misbehaving(OwnProgram):
    """The project's target that misbehaves to order, one port for each case."""

    kind = "misbehaving"
    program = "iscsi-test-peer"

    def options(self):
        return ["--ports", self.ports_file()]

    def ports_file(self):
        return os.path.join(self.directory, "ports")

    def environment(self):
        return {"TEST_PEER_PORTS": self.ports_file()}


def find(program):
    """A program's path; servers lie in directories that users do not search."""
    path = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if not path:
        raise PeerError("%s is not installed (scripts/install-tools test)" % program)
    return path
