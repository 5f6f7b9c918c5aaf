"""Loopback ports: which are free, which are ours, which answer."""

import os
import random
import socket
import time

_reserved = {}


def have_ipv6():
    """Whether ::1 can be listened on here."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
        return True
    except OSError:
        return False


def _can_bind(port, kind):
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        if family == socket.AF_INET6 and not have_ipv6():
            continue
        with socket.socket(family, kind) as probe:
            try:
                probe.bind((address, port))
            except OSError:
                return False
    return True


def reserve(kind=socket.SOCK_STREAM):
    """A port for a server that cannot choose one itself, of TCP or UDP.

    It lies below the range the kernel takes for outgoing connections, and an abstract Unix socket held until this
    process ends keeps harnesses that run at the same time from choosing it too.
    """
    while True:
        port = random.randrange(20000, 32000)
        holder = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            holder.bind("\0iscsidsc-test-port-%d" % port)
        except OSError:
            holder.close()
            continue
        if _can_bind(port, kind):
            _reserved[port] = holder
            return port
        holder.close()


def listening(port):
    """Whether somebody listens on the port; seen without connecting, for some servers count connections."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        if not os.path.exists(table):
            continue
        with open(table) as lines:
            for line in lines:
                fields = line.split()
                if len(fields) > 3 and fields[3] == "0A" and int(fields[1].rsplit(":", 1)[1], 16) == port:
                    return True
    return False


def wait_until(condition, what, seconds=20):
    """Wait for a condition; the bound is generous because it is only reached when something is broken."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("waited %d s for %s" % (seconds, what))
        time.sleep(0.01)


class RefusedPort:
    """A port that refuses connections: bound, so that nobody else gets it, but not listened on."""

    def __init__(self):
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.portal = "127.0.0.1:%d" % self.socket.getsockname()[1]

    def close(self):
        self.socket.close()


class SilentPort(RefusedPort):
    """A port that takes connections (the kernel does) and never answers."""

    def __init__(self):
        super().__init__()
        self.socket.listen(128)
