"""A real RADIUS server on loopback: freeradius, set up as docs/radius.md tells its readers."""

import os
import re
import socket
import textwrap

import peers
import ports

SECRET = "radius secret, 22 byte"
DOCUMENT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "radius.md")
INITIATORS, ONLY_OURS = "/^initiator-/", "/^%s$/" % peers.CHAP_USER

# What every configuration needs and none of our readers has to be told.
FRAME = """
prefix = {directory}
raddbdir = {directory}
logdir = {directory}
run_dir = {directory}
db_dir = {directory}
name = radiusd
hostname_lookups = no
proxy_requests = no
max_request_time = 10
cleanup_delay = 1
log {{
    destination = stdout
    auth = yes
}}
security {{
    reject_delay = 0
    status_server = no
    allow_vulnerable_openssl = yes
}}
thread pool {{
    start_servers = 1
    max_servers = 4
    min_spare_servers = 1
    max_spare_servers = 4
}}
modules {{
    always reject {{
        rcode = reject
    }}
    chap {{
    }}
    expr {{
    }}
    files {{
        usersfile = ${{raddbdir}}/accounts
    }}
    files wrong {{
        usersfile = ${{raddbdir}}/wrong
    }}
}}
"""
SERVER = """
server {name} {{
{listen}
    client loopback4 {{
        ipaddr = 127.0.0.1
        secret = "{secret}"
        require_message_authenticator = yes
    }}
    client loopback6 {{
        ipv6addr = ::1
        secret = "{secret}"
        require_message_authenticator = yes
    }}
{rules}
}}
"""
LISTEN = """
    listen {{
        type = auth
        {family} = {address}
        port = {port}
    }}
"""


def documented_rules():
    """The part of the configuration that docs/radius.md shows."""
    with open(DOCUMENT) as document:
        section = document.read().split("\n## FreeRADIUS\n")[1]
    rules = textwrap.dedent("".join(line for line in section.splitlines(True) if re.match(r" {4}|\n", line)))
    if INITIATORS not in rules:
        raise peers.PeerError("docs/radius.md names no accounts %s that responses are made for" % INITIATORS)
    return rules.replace(INITIATORS, ONLY_OURS)


class Freeradius(peers.Peer):
    """Two virtual servers: one with the accounts of the test targets, one whose accounts have other secrets."""

    kind = "freeradius"

    def __init__(self):
        super().__init__()
        self.port, self.wrong_port = ports.reserve(socket.SOCK_DGRAM), ports.reserve(socket.SOCK_DGRAM)
        self.silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.silent.bind(("127.0.0.1", 0))

    def prepare(self):
        self.write("dictionary", "")
        self.write("accounts", '%s Cleartext-Password := "%s"\n%s Cleartext-Password := "%s"\n'
                   % (peers.CHAP_USER, peers.CHAP_SECRET, peers.TARGET_USER, peers.TARGET_SECRET))
        self.write("wrong", '%s Cleartext-Password := "wrongsecret12"\n%s Cleartext-Password := "wrongsecret34"\n'
                   % (peers.CHAP_USER, peers.TARGET_USER))
        rules = documented_rules()
        self.write("radiusd.conf", FRAME.format(directory=self.directory) + self.server("right", self.port, rules)
                   + self.server("wrong", self.wrong_port, re.sub(r"^(\s*)files$", r"\1wrong", rules, flags=re.M)))

    def write(self, name, text):
        path = os.path.join(self.directory, name)
        with open(path, "w") as file:
            file.write(text)
        os.chmod(path, 0o600)

    def server(self, name, port, rules):
        listen = LISTEN.format(family="ipaddr", address="127.0.0.1", port=port)
        if ports.have_ipv6():
            listen += LISTEN.format(family="ipv6addr", address="::1", port=port)
        return SERVER.format(name=name, listen=listen, secret=SECRET, rules=textwrap.indent(rules, "    "))

    def command(self):
        return [peers.find("freeradius"), "-d", self.directory, "-n", "radiusd", "-f", "-l", "stdout", "-xx"]

    def configure(self):
        self.wait(lambda: "Ready to process requests" in self.log_tail(20), "freeradius to be ready")

    def stop(self):
        self.silent.close()
        super().stop()

    def environment(self):
        return {"TEST_FREERADIUS_SERVER": "127.0.0.1:%d" % self.port,
                "TEST_FREERADIUS_SERVER6": "[::1]:%d" % self.port,
                "TEST_FREERADIUS_WRONG": "127.0.0.1:%d" % self.wrong_port,
                "TEST_FREERADIUS_SILENT": "127.0.0.1:%d" % self.silent.getsockname()[1],
                "TEST_FREERADIUS_SECRET": SECRET}
