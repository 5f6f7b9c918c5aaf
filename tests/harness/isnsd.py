"""open-isns' server as a peer: `isnsd` on a port of its own, told what there is by `isnsadm`."""

import contextlib
import os
import shutil
import subprocess
import tempfile

import ports
from peers import PREFIX, Peer, PeerError, find, port_of

ADMINISTRATOR = PREFIX + ":administrator"
AT_ONCE = 100  # targets: more do not fit into one registration


class Isnsd(Peer):
    """isnsd. What it keeps outlasts a restart that does not say `forget`."""

    kind = "isnsd"

    def __init__(self, host="127.0.0.1", **options):
        super().__init__()
        self.host = host
        self.options = options
        # It writes a synced file for each object: in memory that takes a twentieth of the time.
        self.database = tempfile.mkdtemp(prefix="iscsidsc-peer-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)

    def stop(self):
        super().stop()
        shutil.rmtree(self.database, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, options):
        with open(self.path(name), "w") as file:
            file.write("".join("%s = %s\n" % option for option in options.items()))

    def prepare(self):
        if not self.portals:
            address = "[%s]" % self.host if ":" in self.host else self.host
            self.portals = ["%s:%d" % (address, ports.reserve())]
        os.makedirs(self.database, exist_ok=True)
        common = {"HostName": "localhost", "SLPRegister": 0, "Security": 0}
        self.write("isnsd.conf", {**common, "SourceName": PREFIX + ":isns", "BindAddress": self.portals[0],
                                  "Database": self.database, "PIDFile": self.path("pid"),
                                  "ControlSocket": self.path("control"), "DefaultDiscoveryDomain": 1,
                                  "RegistrationPeriod": "10m", **self.options})
        self.write("isnsadm.conf", {**common, "SourceName": ADMINISTRATOR, "ServerAddress": self.portals[0]})

    def command(self):
        return [find("isnsd"), "-f", "-c", self.path("isnsd.conf"), "-d", "esi", "-d", "scn"]

    def configure(self):
        self.wait(lambda: ports.listening(port_of(self.portals[0])), "isnsd to listen")

    def kill(self):
        """End it as a crash would, and keep its place."""
        self.process.kill()
        self.process.wait()

    def restart(self, forget=True):
        """It comes back at the same address."""
        if self.process.poll() is None:
            self.kill()
        if forget:
            shutil.rmtree(self.database)
        self.start()

    def admin(self, *arguments):
        done = subprocess.run([find("isnsadm"), "-c", self.path("isnsadm.conf"), *arguments], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False)
        output = done.stdout.decode(errors="replace")
        if done.returncode != 0:
            raise PeerError("isnsadm %s: %s" % (" ".join(arguments)[:200], output))
        return output

    def register(self, entity, targets, portals=("192.0.2.1:3260",), tag=None):
        """Targets, name or (name, alias), of a new entity that can be reached at all the portals."""
        words = ["entity=%s.%s" % (entity, PREFIX)]
        for target in targets:
            name, alias = (target, None) if isinstance(target, str) else target
            words.append("target=%s%s" % (name, ",alias=" + alias if alias else ""))
        for portal in portals:
            words.append("portal=" + portal)
            if tag is not None:
                words.append("pg,pgt=%d" % tag)
        self.admin("--register", *words)

    def register_many(self, count, names=PREFIX + ":many-%04d"):
        """`count` targets, with two portals each."""
        for first in range(0, count, AT_ONCE):
            number = first // AT_ONCE + 1
            targets = [(names % i, "number %d" % i) for i in range(first, min(first + AT_ONCE, count))]
            self.register("many-%d" % number, targets, ["192.0.2.%d:3260" % number, "[2001:db8::%x]:3260" % number])

    def deregister(self, name):
        self.admin("--deregister", "iscsi-name=" + name)

    def domain(self, name, members):
        """A discovery domain: its members see each other and nobody else."""
        self.admin("--dd-register", "dd-name=" + name, *("dd-member-name=" + member for member in members))

    def nodes(self):
        """What `isnsadm` shows of the storage nodes. The server now and then leaves it without an answer: a question that changes
        nothing is put again."""
        for _ in range(2):
            with contextlib.suppress(PeerError):
                return self.admin("--list", "nodes")
        return self.admin("--list", "nodes")

    def log(self):
        with open(self.log_path, errors="replace") as file:
            return file.read()

    def environment(self):
        return {"TEST_ISNSD": self.portals[0]}


class IsnsdMany(Isnsd):
    """isnsd with 500 targets, of which no domain hides any."""

    kind = "isnsd-many"

    def configure(self):
        super().configure()
        self.register_many(500)
