"""Hosts of a network of one's own: network namespaces with links between them that can be cut and healed.

    with netns.Network() as network:
        initiator, storage = network.host(), network.host()
        link = network.link(initiator, storage)     # link.addresses: one of each, in a subnet of its own
        with storage.inside():
            start_a_server_at(link.addresses[1])    # processes that are started in here are on that host
        with initiator.inside():
            ...
            link.cut()

Nothing of it has a name that others could have, and all of it is gone with the processes that hold the namespaces, which end with
this one, however that ends.
"""

import contextlib
import ctypes
import os
import shutil
import subprocess

import peers

CLONE_NEWNET = 0x40000000
OWN = "/proc/thread-self/ns/net"
NETWORK, PREFIX = "10.77.%d.%d", 24
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


def _libc(name, *arguments):
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments) != 0:
        error = ctypes.get_errno()
        raise OSError(error, "%s: %s" % (name, os.strerror(error)))


def missing():
    """Why there can be no such network here, or None."""
    if shutil.which("ip", path=PATH) is None:
        return "ip is not installed (scripts/install-tools test)"
    done = subprocess.run(["unshare", "--net", "ip", "link", "add", "one", "type", "veth", "peer", "name", "other"],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                          env=dict(os.environ, PATH=PATH))
    return None if done.returncode == 0 else "no network namespace: %s" % done.stdout.strip()


class Host:
    """A namespace, for as long as a process in it lives."""

    def __init__(self):
        self.process = subprocess.Popen(["unshare", "--net", "cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        preexec_fn=peers.die_with_parent)
        self.process.stdin.write(b"?")  # answered when it is there
        self.process.stdin.flush()
        self.process.stdout.read(1)
        self.namespace = os.open("/proc/%d/ns/net" % self.process.pid, os.O_RDONLY | os.O_CLOEXEC)
        self.ip("link", "set", "lo", "up")

    @contextlib.contextmanager
    def inside(self):
        """This thread, and what it starts meanwhile, is on the host."""
        before = os.open(OWN, os.O_RDONLY | os.O_CLOEXEC)
        _libc("setns", self.namespace, CLONE_NEWNET)
        try:
            yield self
        finally:
            _libc("setns", before, CLONE_NEWNET)
            os.close(before)

    def ip(self, *words):
        with self.inside():
            subprocess.run(["ip", *words], check=True, stdin=subprocess.DEVNULL, env=dict(os.environ, PATH=PATH))

    def close(self):
        os.close(self.namespace)
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class Link:
    """A cable between two hosts; `addresses` are those of its ends."""

    def __init__(self, number, one, other):
        self.ends = [(one, "link%d" % number), (other, "link%d" % number)]
        self.subnet = NETWORK % (number, 0) + "/%d" % PREFIX
        self.addresses = [NETWORK % (number, 1), NETWORK % (number, 2)]
        one.ip("link", "add", self.ends[0][1], "type", "veth", "peer", "name", self.ends[1][1], "netns", str(other.process.pid))
        for (host, name), address in zip(self.ends, self.addresses):
            host.ip("address", "add", "%s/%d" % (address, PREFIX), "dev", name)
            host.ip("link", "set", name, "up")

    def cut(self):
        """Nothing gets through any more, and nobody is told. The first end has no carrier."""
        host, name = self.ends[1]
        host.ip("link", "set", name, "down")

    def heal(self):
        host, name = self.ends[1]
        host.ip("link", "set", name, "up")


class Network:
    def __init__(self):
        self.hosts, self.links = [], 0

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def host(self):
        self.hosts.append(Host())
        return self.hosts[-1]

    def link(self, one, other):
        self.links += 1
        return Link(self.links, one, other)

    def close(self):
        while self.hosts:
            self.hosts.pop().close()
