"""Secrets and addresses of channels: read from the environment, and held to public hosts."""

import ipaddress
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from llma_assets.alerts.delivery.errors import Refused, Unreachable

PRIVATE_HOSTS = "LLMA_ALERTS_PRIVATE_HOSTS"
"""Hosts in private networks that messages may be sent to, separated by commas; set by who runs the installation."""


def secret(variable: str) -> str:
    """The value of a variable, or of the file that `<variable>_FILE` names.

    Raises:
        Refused: neither is set, or the file cannot be read.
    """
    if value := os.environ.get(variable, "").strip():
        return value
    if path := os.environ.get(f"{variable}_FILE", "").strip():
        try:
            return Path(path).read_text("utf-8").strip()
        except (OSError, UnicodeError):
            raise Unreachable(f"the file that {variable}_FILE names cannot be read") from None
    raise Unreachable(f"{variable} is not set in the environment of this process; nor is {variable}_FILE")


@dataclass(frozen=True, slots=True, repr=False)
class Target:
    """An address that was looked up and may be called.

    Attributes:
        url: with the number of the host in place of its name, so that another look-up cannot lead elsewhere.
        host: the name, for the header and the certificate.
    """

    url: str
    host: str

    def __repr__(self) -> str:
        """Without the path, which may be a secret."""
        return f"Target({self.host})"


def checked(url: str, variable: str) -> Target:
    """An address to POST to.

    Raises:
        Refused: it is no https address, has a user, or leads into a private network that is not allowed.
        Unreachable: its name is not known now.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise Refused(f"{variable} does not hold a valid address") from None
    allowed = is_allowed_private(host)
    if parts.scheme not in ("https", "http") or not host or parts.username is not None:
        raise Refused(f"{variable} must hold an address like https://host/path, without a user")
    if parts.scheme == "http" and not allowed:
        raise Refused(f"{variable} must hold an https address; plain http is for hosts in {PRIVATE_HOSTS}")
    number = resolved(host, port or (443 if parts.scheme == "https" else 80), variable)
    shown = f"[{number}]" if ":" in number else number
    netloc = f"{shown}:{port}" if port else shown
    return Target(parts._replace(netloc=netloc, fragment="").geturl(), f"{host}:{port}" if port else host)


def resolved(host: str, port: int, variable: str) -> str:
    """The number of a host; every one that it has must be public, unless the host is allowed.

    Raises:
        Refused: one is private. Unreachable: the name is not known now.
    """
    try:
        found = {str(each[4][0]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError):
        raise Unreachable(f"the host in {variable} is not known") from None
    if not is_allowed_private(host):
        for number in found:
            if not is_public(number):
                raise Refused(
                    f"the host in {variable} is in a private network; whoever runs this installation can allow it "
                    f"in {PRIVATE_HOSTS}"
                )
    return min(found, key=lambda number: (":" in number, number))


def is_public(number: str) -> bool:
    """Whether an address is one of the internet.

    >>> [is_public(each) for each in ("93.184.215.14", "10.1.2.3", "127.0.0.1", "::ffff:169.254.169.254", "fd00::1")]
    [True, False, False, False, False]
    """
    address = ipaddress.ip_address(number.split("%", maxsplit=1)[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if inner is not None:
            address = inner
        elif address in ipaddress.ip_network("64:ff9b::/96"):
            address = ipaddress.ip_address(int(address) & 0xFFFFFFFF)
    return address.is_global and not address.is_multicast


def is_allowed_private(host: str) -> bool:
    """Whether who runs the installation allows a host wherever it is."""
    return host.lower() in {
        each.strip().lower() for each in os.environ.get(PRIVATE_HOSTS, "").split(",") if each.strip()
    }
