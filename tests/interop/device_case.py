"""What tests of the service's devices share: a service that makes them, a target with its disks in files, and the programs
that people use on them."""

import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "harness")]
import peers  # noqa: E402
import test_service  # noqa: E402
import test_service_restart  # noqa: E402

TARGET = peers.PREFIX + ":disk"
SECONDS = 60


def missing_program(name):
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin") is None


class Target(test_service_restart.EmbeddedAt):
    """A target whose disks outlive it."""

    def __init__(self, build, portal, *options):
        super().__init__(build, portal)
        self.more = options

    def options(self):
        return ["--portal", self.portal, "--target", TARGET, *self.more]


class Case(test_service_restart.Case):
    settings = "DelayBetweenReconnect = 1\n"  # of iscsi.conf
    sizes = [32 << 20]  # of the units that are files
    more = []  # options of the target
    time2wait = "*"

    def setUp(self):
        super().setUp()
        os.mkdir(self.state, 0o700)
        self.root = os.path.join(self.state, "devices")
        self.configure(self.settings)
        self.disks = [self.new_disk(number, size) for number, size in enumerate(self.sizes)]
        self.target = self.start_target("127.0.0.1:0")
        self.portal = self.target.portals[0]
        self.service = self.serve()

    def configure(self, settings):
        with open(os.path.join(self.state, "iscsi.conf"), "w") as file:
            file.write("DeviceDirectory = %s\n%s" % (self.root, settings))

    def new_disk(self, number, size):
        path = os.path.join(self.directory, "disk%d" % number)
        with open(path, "wb") as file:
            file.truncate(size)
        return path

    def start_target(self, portal):
        files = [word for disk in self.disks for word in ("--lun", "file:" + disk)]
        target = Target(test_service.BUILD, portal, *files, *self.more)
        self.addCleanup(target.stop)
        return target.start()

    def log_in_to_disk(self, portal=None):
        """Where the first unit's NBD export is."""
        address, port = (portal or self.portal).rsplit(":", 1)
        self.succeed("AddTargetPortal", address, port)
        self.succeed("LoginTarget", TARGET, "T", address, port, *"* * * * * * *".split(), self.time2wait, *"* * * * * 0".split())
        return self.wait_for_nbd(0)

    def place(self, lun, form):
        return os.path.join(self.root, "bus0", "target0", "lun%d" % lun, form)

    def nbd(self, lun):
        return self.place(lun, "nbd")

    def wait_for(self, path):
        test_service.wait_for(lambda: os.path.exists(path), path)
        return path

    def wait_for_nbd(self, lun):
        return "nbd+unix:///?socket=" + self.wait_for(self.nbd(lun))

    def tool(self, *command, code=0):
        """The output of a program."""
        if missing_program(command[0]):
            self.skipTest("%s is not installed" % command[0])
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=SECONDS, check=False, text=True)
        self.assertEqual(done.returncode, code, "%s\n%s" % (" ".join(command), done.stdout))
        return done.stdout
