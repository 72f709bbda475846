"""What a person can do about a source that does not answer as it should, by the kind of error."""

from __future__ import annotations

ADVICE = {
    "Unreachable": "Check the host name and the port, and that a firewall lets this machine through. "
    "From this machine, `curl` to the same address should answer.",
    "Unauthorised": "Make a new API token at that server and enter it here; mind that none of it is cut off.",
    "Refused": "The server answers, but not with the Deployments API: the address goes up to and including /api/v2, "
    "and the token must be allowed to list deployments.",
    "Malformed": "Something answers there, but not the Deployments API: a log-in page or a proxy, perhaps. "
    "The address goes up to and including /api/v2.",
    "Astray": "The server sends elsewhere. Enter the address that it redirects to (often https:// instead of http://).",
    "TooLarge": "The answer is larger than this installation takes. Ask for it at the server's administrator.",
    "Overloaded": "The server asks to wait. It is asked again by itself; nothing needs to be done here.",
    "Broken": "The server fails by itself. Its own log says why; it is asked again by itself.",
    "AddressRefused": "This installation does not call addresses in private networks unless they are named: an "
    "administrator can add the host to TRUSTED_HOSTS, or set ALLOW_PRIVATE_ADDRESSES.",
}
KINDS = {
    "Unreachable": "not reached",
    "Unauthorised": "token refused",
    "Refused": "said no",
    "Malformed": "not readable",
    "Astray": "sends elsewhere",
    "TooLarge": "answer too large",
    "Overloaded": "asks to wait",
    "Broken": "fails by itself",
    "AddressRefused": "address not allowed",
}


def advice(kind: str) -> str:
    """One or two sentences; "" for a kind that nothing is known of."""
    return ADVICE.get(kind, "")


def kind_words(kind: str) -> str:
    """The error kind in two or three words; as it stands where there are none."""
    return KINDS.get(kind, kind)
