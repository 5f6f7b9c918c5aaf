#!/usr/bin/env python3
"""An iSNS server that speaks another version than everybody: it answers each message in version 2.

    oddisns.py PORT
"""

import os
import socketserver
import struct
import sys

if __name__ != "__main__":
    import peers
    import ports

HEADER = struct.Struct(">HHHHHH")  # version, function, length, flags, transaction, sequence
OTHER_VERSION, IS_RESPONSE = 2, 0x8000
FROM_SERVER_WHOLE = 0x4C00  # flags: sender is the server, first and last message


class Handler(socketserver.BaseRequestHandler):
    def receive(self, length):
        data = b""
        while len(data) < length:
            more = self.request.recv(length - len(data))
            if not more:
                return None
            data += more
        return data

    def handle(self):
        while True:
            header = self.receive(HEADER.size)
            if header is None:
                return
            _, function, length, _, transaction, sequence = HEADER.unpack(header)
            if self.receive(length) is None:
                return
            status = struct.pack(">I", 0)
            self.request.sendall(HEADER.pack(OTHER_VERSION, function | IS_RESPONSE, len(status), FROM_SERVER_WHOLE,
                                             transaction, sequence) + status)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


if __name__ == "__main__":
    with Server(("127.0.0.1", int(sys.argv[1])), Handler) as server:
        server.serve_forever()
else:
    class OddIsns(peers.Peer):
        """This file as a peer."""

        kind = "odd_isns"

        def prepare(self):
            self.portals = ["127.0.0.1:%d" % ports.reserve()]

        def command(self):
            return [sys.executable, os.path.abspath(__file__), str(peers.port_of(self.portals[0]))]

        def environment(self):
            return {"TEST_ODD_ISNS": self.portals[0]}
