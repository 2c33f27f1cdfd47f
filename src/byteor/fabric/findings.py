"""The F codes: what can be wrong with a link between two hosts.

Rule 1. Standard library only: whoever explains a code need not load a fabric.
Rule 2. The path of a finding is the name of the link's role; of this host's own certificate, a key of the placement.
"""

from __future__ import annotations

from byteor.diag import rule

NO_PEER = rule(
    "F001",
    "no-peer",
    """What: for four seconds nobody answered at the other end of a link.
Why: the other host is not started yet, or is down, or the network between is cut, or an address is wrong. The link
goes on trying, and nothing is lost meanwhile: the lane before it fills, and holds its producer back.
Instead: start the other host; check the addresses of the placement, and what a firewall lets through.""",
    severity="warning",
)
WRONG_CERTIFICATE = rule(
    "F002",
    "wrong-certificate",
    """What: the two ends of a link do not trust each other's certificates, or that of a host is not of this time.
Why: both sides show a certificate, and each must be signed, for now, by the authority that the other one names.
Example: a certificate that has expired, or one of another authority.
Instead: give both hosts certificates of one authority; `openssl verify -CAfile CA CERT` tells whether they are.""",
)
STRANGER = rule(
    "F003",
    "stranger",
    """What: somebody connected to a link, and showed no certificate of the authority, or spoke another language.
Why: whoever reaches the port can try; such a connection is closed, and the link goes on waiting for its peer.
Instead: find out who it is; if it is the other host, give it a certificate of the same authority.""",
    severity="warning",
)
BAD_KEYS = rule(
    "F004",
    "bad-keys",
    """What: the certificate, key or authority of a link cannot be used.
Why: a file is missing or is no PEM file, or the key is not the certificate's.
Instead: check the three paths on this host.""",
)
BAD_ADDRESS = rule(
    "F005",
    "bad-link-address",
    """What: a link cannot listen at its address, or the address names nobody.
Why: the port is taken, the address is not this host's, or the name is unknown.
Instead: correct the address in the placement, or end who listens there.""",
)
OTHER_RUN = rule(
    "F006",
    "other-run",
    """What: the other end of a link belongs to another run of the plant.
Why: positions of one run mean nothing in another; to go on would lose or repeat records.
Example: one host was started anew, or a host of an old run was never stopped.
Instead: start all hosts of the plant with the same run.""",
)
OTHER_LANE = rule(
    "F007",
    "other-lane",
    """What: the other end of a link carries another lane, or records of another form.
Why: an address was given to two lanes, or the two hosts have different plans.
Instead: start all hosts with the same plan and placement.""",
)
PEER_LOST = rule(
    "F008",
    "peer-lost",
    """What: the lane at the other end of a link is not the one that this end has worked with.
Why: its memory was lost, by a restart of its host or because its folder was removed, and was made again, empty.
What this end has given back, or has passed on, is not there any more; to go on would lose or repeat records.
Instead: run the plant from its start on all hosts. What has to outlive a host goes through a journal with `fsync`.""",
)
NO_ZENOH = rule(
    "F009",
    "no-zenoh",
    """What: a link is to be carried by zenoh, and the package is not installed.
Why: it is an extra: a link needs none of it with `tcp`.
Instead: `pip install byteor[zenoh]`, or say `fabric = "tcp"`.""",
)
UNCONFIRMED = rule(
    "F010",
    "unconfirmed-end",
    """What: a link has delivered everything, and its sender did not say that it knows.
Why: the sender's host was away at the very end. All records are here; but should the sender come back, it asks
whether they are, and nobody would answer.
Instead: nothing, if the sender has ended; else go on with both plants, which then tell each other.""",
    severity="warning",
)
WRONG_NAME = rule(
    "F011",
    "wrong-name",
    """What: a certificate is good, and names another host.
Why: the authority has signed it for somebody else: a host that could be anybody of that authority is not known.
Example: `address = "10.0.0.2:7400"`, and a certificate for `DNS:west` alone.
Instead: a certificate whose `subjectAltName` has the host of the address: `DNS:name`, or `IP:number` for a number.
`openssl x509 -in CERT -noout -ext subjectAltName` tells what is in it.""",
)
HALF_ENCRYPTED = rule(
    "F012",
    "half-encrypted",
    """What: one end of a link shows a certificate, and the other does not.
Why: the two hosts have different placements, or something else listens at the address. The link goes on trying.
Example: `[tls]` was added to the placement, and one host still runs by the old one.
Instead: start both hosts with the same placement.""",
    severity="warning",
)
