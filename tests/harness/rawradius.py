"""Just enough RADIUS to see that a peer is a server that knows CHAP."""

import hashlib
import hmac
import os
import socket
import struct

ACCEPT, REJECT = 2, 3
CHAP_PASSWORD = 3


def _attribute(kind, value):
    return bytes([kind, len(value) + 2]) + value


def response(identifier, secret, challenge):
    """What CHAP makes of a secret (RFC 1994, 4.1)."""
    return hashlib.md5(bytes([identifier]) + secret.encode() + challenge).digest()


def ask(server, secret, user, challenge, proof, identifier=17):
    """Asks whether that is the user's response. Returns the answer's code and attributes, a list of pairs."""
    host, port = server.rsplit(":", 1)
    parts = (_attribute(1, user.encode()), _attribute(CHAP_PASSWORD, bytes([identifier]) + proof),
             *(_attribute(60, challenge[at:at + 253]) for at in range(0, len(challenge), 253)))
    body = b"".join(parts)
    head = struct.pack(">BBH", 1, 1, 38 + len(body)) + os.urandom(16)
    signature = hmac.new(secret.encode(), head + _attribute(80, bytes(16)) + body, "md5").digest()
    with socket.socket(socket.AF_INET6 if host[0] == "[" else socket.AF_INET, socket.SOCK_DGRAM) as question:
        question.settimeout(5)
        question.connect((host.strip("[]"), int(port)))
        question.send(head + _attribute(80, signature) + body)
        answer = question.recv(4096)
    if hashlib.md5(answer[:4] + head[4:] + answer[20:] + secret.encode()).digest() != answer[4:20]:
        raise AssertionError("an answer that the server did not sign")
    found, at = [], 20
    while at < len(answer):
        found.append((answer[at], answer[at + 2:at + answer[at + 1]]))
        at += answer[at + 1]
    return answer[0], found
