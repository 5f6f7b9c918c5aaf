"""What tests of the service's devices share: a service that makes them, a target with its disks in files, and the programs
that people use on them."""

import contextlib
import glob
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "harness")]
import peers  # noqa: E402
import test_service  # noqa: E402
import test_service_restart  # noqa: E402

TARGET = peers.PREFIX + ":disk"
SECONDS = 60


def missing_program(name):
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin") is None


def missing_fuse():
    """Why there are no files of devices here."""
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        return "/dev/fuse cannot be opened"
    return "fusermount3 is not installed" if missing_program("fusermount3") else None


def missing_loop():
    """Why there are no block devices here."""
    if os.geteuid() != 0:
        return "only root makes loop devices"
    return None if os.access("/dev/loop-control", os.R_OK | os.W_OK) else "/dev/loop-control cannot be opened"


def loops_of(directory):
    """The loop devices whose files lie there."""
    found = []
    for name in os.listdir("/sys/block"):
        with contextlib.suppress(OSError), open("/sys/block/%s/loop/backing_file" % name) as backing:
            found += ["/dev/" + name] if backing.read().startswith(directory) else []
    return found


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
        self.disks = [self.new_disk(number, size) for number, size in enumerate(self.sizes)]
        self.target = self.start_target("127.0.0.1:0")
        self.portal = self.target.portals[0]
        self.start_service()

    def start_service(self):
        """One that knows nothing yet."""
        os.mkdir(self.state, 0o700)
        self.root = os.path.join(self.state, "devices")
        self.links = os.path.join(self.directory_in_memory(), "links")
        self.configure(self.settings)
        self.service = self.serve()

    def directory_in_memory(self):
        """A directory that costs no disk, as /dev is: there are dozens of links for each unit."""
        directory = tempfile.mkdtemp(prefix="devices-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
        self.addCleanup(shutil.rmtree, directory, ignore_errors=True)
        return directory

    def configure(self, settings):
        with open(os.path.join(self.state, "iscsi.conf"), "w") as file:
            file.write("DeviceDirectory = %s\nLinkDirectory = %s\n%s" % (self.root, self.links, settings))

    def new_disk(self, number, size):
        path = os.path.join(self.directory, "disk%s" % number)
        with open(path, "wb") as file:
            file.truncate(size)
        return path

    def start_target(self, portal):
        files = [word for disk in self.disks for word in ("--lun", "file:" + disk)]
        target = Target(test_service.BUILD, portal, *files, *self.more)
        self.addCleanup(target.stop)
        return target.start()

    def log_in_to_units(self, portal=None):
        """They become devices soon."""
        address, port = (portal or self.portal).rsplit(":", 1)
        self.succeed("AddTargetPortal", address, port)
        self.succeed("LoginTarget", TARGET, "T", address, port, *"* * * * * * *".split(), self.time2wait, *"* * * * * 0".split())

    def log_in_to_disk(self, portal=None):
        """Where the first unit's NBD export is."""
        self.log_in_to_units(portal)
        return self.wait_for_nbd(0)

    def listed(self):
        """What there is of devices."""
        return sorted(name for name in os.listdir(self.root) if name not in ("control", "status"))

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


class BlockCase(Case):
    """Units become block devices, and file systems are mounted from them."""

    settings = "LoopDevices = yes\n"

    def setUp(self):
        why = missing_fuse() or missing_loop()
        if why:
            self.skipTest("there are no block devices here: " + why)
        super().setUp()

    def block_device(self):
        """Of the only unit."""
        links = os.path.join(self.links, "bus0", "target0", "lun*", "disk")
        test_service.wait_for(lambda: glob.glob(links), links)
        link, = glob.glob(links)
        return os.path.realpath(link)

    def mount(self, device, options="rw"):
        place = os.path.join(self.directory, "mounted")
        os.makedirs(place, exist_ok=True)
        self.tool("mount", "-t", "ext4", "-o", options, device, place)
        self.addCleanup(subprocess.run, ["umount", "-l", place], stderr=subprocess.DEVNULL, check=False)
        return place

    def unmount(self, place):
        self.tool("umount", place)
