"""The kinds of peer by the names that --peers takes."""

import freeradius
import isnsd
import oddisns
import peers

FULL = ("embedded", "tgtd", "istgt")
KINDS = {
    "embedded": peers.Embedded,
    "tgtd": peers.Tgtd,
    "istgt": peers.Istgt,
    "tgtd-digest": peers.TgtdDigest,
    "tgtd-chapdiscovery": peers.TgtdChapDiscovery,
    "tgtd-many": peers.TgtdMany,
    "embedded-many": peers.EmbeddedMany,
    "embedded-lazy": peers.EmbeddedLazy,
    "embedded-slow": peers.EmbeddedSlow,
    "odd-isns": oddisns.OddIsns,
    "misbehaving": peers.Misbehaving,
    "freeradius": freeradius.Freeradius,
    "isnsd-many": isnsd.IsnsdMany,
}
NEED_BUILD = {"embedded", "embedded-many", "embedded-lazy", "embedded-slow", "misbehaving"}


def make(kind, build):
    """A peer of that kind, not yet started."""
    if kind not in KINDS:
        raise peers.PeerError("no such peer: %s (there are: %s)" % (kind, ", ".join(KINDS)))
    return KINDS[kind](build) if kind in NEED_BUILD else KINDS[kind]()
