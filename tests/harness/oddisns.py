#!/usr/bin/env python3
"""iSNS servers that nobody can talk to: one answers each message in version 2, the other one with what is no iSNS at all.

    oddisns.py PORT GARBLED_PORT
"""

import os
import socketserver
import struct
import sys
import threading

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


class Garbled(socketserver.BaseRequestHandler):
    def handle(self):
        while self.request.recv(4096):
            self.request.sendall(b"\xFF" * 64)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def serve(port, handler):
    with Server(("127.0.0.1", int(port)), handler) as server:
        server.serve_forever()


if __name__ == "__main__":
    threading.Thread(target=serve, args=(sys.argv[2], Garbled), daemon=True).start()
    serve(sys.argv[1], Handler)
else:
    class OddIsns(peers.Peer):
        """This file as a peer."""

        kind = "odd_isns"

        def prepare(self):
            self.portals = ["127.0.0.1:%d" % ports.reserve(), "127.0.0.1:%d" % ports.reserve()]

        def command(self):
            return [sys.executable, os.path.abspath(__file__), *(str(peers.port_of(portal)) for portal in self.portals)]

        def environment(self):
            return {"TEST_ODD_ISNS": self.portals[0], "TEST_GARBLED_ISNS": self.portals[1]}
