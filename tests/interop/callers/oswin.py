#!/usr/bin/env python3
"""Like the iSCSI utilities of a cloud's Windows driver: Python, ctypes, the W functions, a query with size 0 and a pointer to an
empty array, which is repeated for as long as 122 comes back; a persistent login first and then a real one.

    python3 tests/harness/run.py --peers embedded,tgtd --build BUILD -- tests/interop/callers/oswin.py BUILD
"""

import ctypes
import os
import sys

ULONG, USHORT, UCHAR, ULONGLONG = ctypes.c_uint32, ctypes.c_uint16, ctypes.c_ubyte, ctypes.c_uint64
BASE = "iqn.2026-11.org.example"
SUCCESS, INSUFFICIENT_BUFFER = 0, 122
TARGET_NOT_FOUND, ALREADY_LOGGED_IN, INVALID_SESSION = 0xEFFF0029, 0xEFFF003F, 0xEFFF001C
ANY_PORT = 0xFFFFFFFF
INSTANCE = "Root\\ISCSIPRT\\0000_0"
MOST_TRIES = 100  # it has no bound of its own


def text(length):
    return USHORT * length


class UniqueId(ctypes.Structure):
    _fields_ = [("AdapterUnique", ULONGLONG), ("AdapterSpecific", ULONGLONG)]

    def same(self, other):
        return (self.AdapterUnique, self.AdapterSpecific) == (other.AdapterUnique, other.AdapterSpecific)


class LoginOptions(ctypes.Structure):
    _fields_ = [("Version", ULONG), ("InformationSpecified", ULONG), ("LoginFlags", ULONG), ("AuthType", ULONG),
                ("HeaderDigest", ULONG), ("DataDigest", ULONG), ("MaximumConnections", ULONG), ("DefaultTime2Wait", ULONG),
                ("DefaultTime2Retain", ULONG), ("UsernameLength", ULONG), ("PasswordLength", ULONG),
                ("Username", ctypes.c_void_p), ("Password", ctypes.c_void_p)]


class Portal(ctypes.Structure):
    _fields_ = [("SymbolicName", text(256)), ("Address", text(256)), ("Socket", USHORT)]


class ConnectionInfo(ctypes.Structure):
    _fields_ = [("ConnectionId", UniqueId), ("InitiatorAddress", ctypes.c_void_p), ("TargetAddress", ctypes.c_void_p),
                ("InitiatorSocket", USHORT), ("TargetSocket", USHORT), ("CID", UCHAR * 2)]


class SessionInfo(ctypes.Structure):
    # Its declaration has these two the other way round, so that it reads the third pointer.
    _fields_ = [("SessionId", UniqueId), ("InitiatorName", ctypes.c_void_p), ("TargetName", ctypes.c_void_p),
                ("TargetNodeName", ctypes.c_void_p), ("ISID", UCHAR * 6), ("TSID", UCHAR * 2), ("ConnectionCount", ULONG),
                ("Connections", ctypes.POINTER(ConnectionInfo))]


class PersistentLogin(ctypes.Structure):
    _fields_ = [("TargetName", text(224)), ("IsInformationalSession", UCHAR), ("InitiatorInstance", text(256)),
                ("InitiatorPortNumber", ULONG), ("TargetPortal", Portal), ("SecurityFlags", ULONGLONG),
                ("Mappings", ctypes.c_void_p), ("LoginOptions", LoginOptions)]


class ScsiAddress(ctypes.Structure):
    _fields_ = [("Length", ULONG), ("PortNumber", UCHAR), ("PathId", UCHAR), ("TargetId", UCHAR), ("Lun", UCHAR)]


class Guid(ctypes.Structure):
    _fields_ = [("Data1", ULONG), ("Data2", USHORT), ("Data3", USHORT), ("Data4", UCHAR * 8)]


class DeviceNumber(ctypes.Structure):
    _fields_ = [("DeviceType", ULONG), ("DeviceNumber", ULONG), ("PartitionNumber", ULONG)]


class Device(ctypes.Structure):
    _fields_ = [("InitiatorName", text(256)), ("TargetName", text(224)), ("ScsiAddress", ScsiAddress),
                ("DeviceInterfaceType", Guid), ("DeviceInterfaceName", text(260)), ("LegacyName", text(260)),
                ("StorageDeviceNumber", DeviceNumber), ("DeviceInstance", ULONG)]


def wide(string):
    """A NUL-terminated array of UTF-16."""
    units = string.encode("utf-16-le") + b"\0\0"
    return (USHORT * (len(units) // 2)).from_buffer_copy(units)


def read(array):
    data = bytes(array).decode("utf-16-le", "replace")
    return data.split("\0", 1)[0]


def read_at(address):
    units = []
    while True:
        unit = USHORT.from_address(address + 2 * len(units)).value
        if unit == 0:
            return bytes((USHORT * len(units))(*units)).decode("utf-16-le")
        units.append(unit)


class Failure(Exception):
    pass


class Library:
    def __init__(self, path):
        self.library = ctypes.CDLL(path)

    def call(self, name, *arguments, ignored=()):
        function = getattr(self.library, name)
        function.restype = ULONG
        code = function(*arguments)
        if code == SUCCESS or code in ignored:
            return code
        raise Failure("%s gave %#x" % (name, code))

    def fetch(self, name, kind, *arguments, characters=False, order=("size", "count", "buffer")):
        """An array that grows until it fits; size in bytes or elements."""
        function = getattr(self.library, name)
        function.restype = ULONG
        size, count, buffer = ULONG(0), ULONG(0), (kind * 0)()
        for _ in range(MOST_TRIES):
            words = {"size": ctypes.byref(size), "count": ctypes.byref(count), "buffer": buffer}
            code = function(*arguments, *(words[word] for word in order))
            if code & 0xFFFF != INSUFFICIENT_BUFFER:
                break
            number = size.value if characters or "count" not in order else -(-size.value // ctypes.sizeof(kind))
            buffer = (kind * number)()
        else:
            raise Failure("%s never has room enough" % name)
        if code != SUCCESS:
            raise Failure("%s gave %#x" % (name, code))
        return buffer, (count.value if "count" in order else size.value)

    def names(self, name, *arguments):
        buffer, size = self.fetch(name, USHORT, *arguments, characters=True, order=("size", "buffer"))
        joined = bytes(buffer)[:2 * size].decode("utf-16-le")
        return [item for item in joined.split("\0") if item]

    def node_name(self):
        buffer = (USHORT * 224)()
        self.call("GetIScsiInitiatorNodeNameW", buffer)
        return read(buffer)

    def sessions(self, target):
        buffer, count = self.fetch("GetIScsiSessionListW", SessionInfo)
        return [(session, buffer) for session in buffer[:count]
                if read_at(session.TargetNodeName).upper() == target.upper() and session.ConnectionCount > 0]

    def log_in(self, target, portal, persistent):
        options = LoginOptions(LoginFlags=2)
        session, connection = UniqueId(), UniqueId()
        self.call("LoginIScsiTargetW", wide(target), UCHAR(0), wide(INSTANCE), ULONG(ANY_PORT), ctypes.byref(portal),
                  ULONGLONG(0), None, ctypes.byref(options), ULONG(0), None, UCHAR(persistent), ctypes.byref(session),
                  ctypes.byref(connection), ignored=(ALREADY_LOGGED_IN,))
        return session

    def logins(self, target):
        buffer, count = self.fetch("ReportIScsiPersistentLoginsW", PersistentLogin, order=("count", "buffer", "size"))
        return [login for login in buffer[:count] if read(login.TargetName) == target]


def need(condition, what):
    if not condition:
        raise Failure(what)


def check_devices(library, session, first):
    devices, count = library.fetch("GetDevicesForIScsiSessionW", Device, ctypes.byref(session),
                                   order=("size", "buffer"))
    need(count == 2, "%d devices" % count)
    for lun, device in enumerate(devices[:count], first):
        need(device.ScsiAddress.Length == 8, "an address of %d bytes" % device.ScsiAddress.Length)
        need(device.ScsiAddress.Lun == lun, "unit %d where %d was expected" % (device.ScsiAddress.Lun, lun))
        number = device.StorageDeviceNumber
        need(number.DeviceType == 7 and number.DeviceNumber != ANY_PORT, "no disk yet")
        need(read(device.LegacyName) == "\\\\.\\PhysicalDrive%d" % number.DeviceNumber, read(device.LegacyName))


def work(library, address, socket, first):
    target = BASE + ":two-luns"
    need(library.names("ReportIScsiInitiatorListW") == [INSTANCE], "another initiator")
    need(library.node_name().startswith("iqn."), "no node name")
    portal = Portal(Address=text(256)(*wide(address)), Socket=socket)

    # A static target with nothing but its name; it need not be known otherwise.
    library.call("AddIScsiStaticTargetW", wide(target), None, ULONG(0), UCHAR(0), None, None, None)
    need(target in library.names("ReportIScsiTargetsW", UCHAR(0)), "the target is not listed")
    library.log_in(target, portal, True)
    session = library.log_in(target, portal, False)
    found = library.sessions(target)
    need(len(found) == 1 and found[0][0].SessionId.same(session), "the session is not there")
    connection = found[0][0].Connections[0]
    need((read_at(connection.TargetAddress), connection.TargetSocket) == (address, socket), "another portal")
    check_devices(library, session, first)

    # Once for each record, with what was read.
    for login in library.logins(target):
        library.call("RemoveIScsiPersistentTargetW", login.InitiatorInstance, ULONG(login.InitiatorPortNumber),
                     login.TargetName, ctypes.byref(login.TargetPortal))
    need(not library.logins(target), "a login is still stored")
    library.call("LogoutIScsiTarget", ctypes.byref(session))
    need(not library.sessions(target), "the session is still there")
    library.call("LogoutIScsiTarget", ctypes.byref(session), ignored=(INVALID_SESSION,))
    library.call("RemoveIScsiStaticTargetW", wide(target), ignored=(TARGET_NOT_FOUND,))
    library.call("RemoveIScsiStaticTargetW", wide(target), ignored=(TARGET_NOT_FOUND,))
    need(target not in library.names("ReportIScsiTargetsW", UCHAR(0)), "the target is still listed")


def main():
    library = Library(os.path.join(sys.argv[1], "libiscsidsc.so"))
    for kind in os.environ["TEST_PEERS"].split(","):
        address, socket = os.environ["TEST_%s_PORTAL" % kind.upper()].rsplit(":", 1)
        print("with %s" % kind, flush=True)
        work(library, address, int(socket), int(os.environ["TEST_%s_LUN" % kind.upper()]))


if __name__ == "__main__":
    main()
