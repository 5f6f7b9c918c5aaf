"""Just enough of an iSCSI initiator (RFC 7143) to see that a peer is a target: login, CHAP, SendTargets, READ (10)."""

import hashlib
import socket
import struct

LOGIN_FINAL_FULL = 0x87      # T, CSG operational, NSG full feature
LOGIN_SECURITY = 0x81        # T, CSG security, NSG operational
LOGIN_SECURITY_GOES_ON = 0x00


class Refused(Exception):
    """The target's login status said no; args[0] is class << 8 | detail."""


class Initiator:
    """One connection of one session."""

    def __init__(self, portal, target=None, chap=None, qualifier=1):
        """`qualifier` ends the ISID: sessions of one name side by side need different ones."""
        self.isid = b"\x80\x00\x00\x2a" + struct.pack(">H", qualifier)
        host, port = portal.rsplit(":", 1)
        self.socket = socket.create_connection((host.strip("[]"), int(port)), timeout=20)
        self.command_number, self.status_number = 1, 0
        keys = {"InitiatorName": "iqn.2026-11.org.example:selftest", "AuthMethod": "CHAP" if chap else "None",
                "SessionType": "Normal" if target else "Discovery"}
        if target:
            keys["TargetName"] = target
        if chap:
            self.login(LOGIN_SECURITY_GOES_ON, keys)
            asked = self.login(LOGIN_SECURITY_GOES_ON, {"CHAP_A": "5"})
            self.login(LOGIN_SECURITY, answer_chap(asked, *chap))
        else:
            self.login(LOGIN_SECURITY, keys)
        self.negotiated = self.login(LOGIN_FINAL_FULL, {"HeaderDigest": "None,CRC32C", "DataDigest": "None,CRC32C",
                                                         "MaxConnections": "1"})

    def close(self):
        self.socket.close()

    def receive(self, size):
        data = b""
        while len(data) < size:
            part = self.socket.recv(size - len(data))
            if not part:
                raise ConnectionError("the target closed the connection")
            data += part
        return data

    def exchange(self, header, data=b""):
        """Send a PDU and return the header and data of the next one that comes."""
        header = header[:4] + struct.pack(">I", len(data)) + header[8:]
        self.socket.sendall(header + data + bytes(-len(data) % 4))
        return self.receive_pdu()

    def receive_pdu(self):
        header = self.receive(48)
        length = int.from_bytes(header[5:8], "big")
        data = self.receive(length + -length % 4)[:length]
        if header[0] & 0x3f != 0x25 or header[1] & 1:  # Data-In without status carries no StatSN
            self.status_number = (int.from_bytes(header[24:28], "big") + 1) & 0xffffffff
        return header, data

    def login(self, flags, keys):
        header = struct.pack(">BBBB4x6sHIHxxII16x", 0x43, flags, 0, 0, self.isid, 0, 7, 0, self.command_number,
                             self.status_number)
        answer, data = self.exchange(header, text(keys))
        if answer[36:38] != b"\0\0":
            raise Refused(int.from_bytes(answer[36:38], "big"))
        return parse(data)

    def send_targets(self):
        """The names and addresses of all targets, as (key, value) pairs."""
        found, transfer_tag, data = b"", 0xffffffff, text({"SendTargets": "All"})
        while True:
            header = struct.pack(">BBxx4x8xIIII16x", 0x04, 0x80, self.command_number, transfer_tag,
                                 self.command_number, self.status_number)
            self.command_number += 1
            answer, part = self.exchange(header, data)
            found += part
            if answer[1] & 0x80:
                return [tuple(item.split("=", 1)) for item in found.decode().split("\0") if item]
            transfer_tag, data = int.from_bytes(answer[20:24], "big"), b""

    def read_block(self, lun, block):
        """One 512-byte block."""
        for _ in range(8):  # a new session's first commands end with unit attentions
            command = struct.pack(">BBIBHB", 0x28, 0, block, 0, 1, 0)
            header = struct.pack(">BBxx4xHxxxxxxIIII16s", 0x01, 0xc1, lun, self.command_number, 512,
                                 self.command_number, self.status_number, command)
            self.command_number += 1
            answer, data = self.exchange(header)
            status = answer
            if answer[0] & 0x3f == 0x25 and not answer[1] & 1:
                status = self.receive_pdu()[0]
            if status[3] == 0:
                return data
        raise ValueError("READ never succeeded: the last status is %#x" % status[3])


def text(keys):
    return "".join("%s=%s\0" % pair for pair in keys.items()).encode()


def parse(data):
    return dict(item.split("=", 1) for item in data.decode().split("\0") if item)


def answer_chap(asked, user, secret):
    challenge = bytes.fromhex(asked["CHAP_C"][2:])
    digest = hashlib.md5(bytes([int(asked["CHAP_I"])]) + secret.encode() + challenge).hexdigest()
    return {"CHAP_N": user, "CHAP_R": "0x" + digest}


