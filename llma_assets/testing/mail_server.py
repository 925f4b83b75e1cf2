"""A mail server on a free loopback port: SMTP (RFC 5321) as far as a client needs it, with codes on a script."""

import socketserver
import threading
from collections.abc import Iterable
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from llma_assets.testing.loopback import LoopbackServer


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True


class MailServer(LoopbackServer):
    """Takes mail inside a `with` block.

    Args:
        refuses: codes with which the first messages are refused after DATA, in order; None takes one.
        unknown: recipients that there are not; they are refused with 550.

    Attributes:
        mails: what was taken, parsed.
    """

    transport = _Server

    def __init__(self, refuses: Iterable[int | None] = (), *, unknown: Iterable[str] = ()) -> None:
        self._refuses = list(refuses)
        self._unknown = set(unknown)
        self._lock = threading.Lock()
        self.mails: list[EmailMessage] = []

    @property
    def address(self) -> str:
        """Its address, as a channel names it."""
        return f"smtp://{self.host}"

    def knows(self, recipient: str) -> bool:
        """Whether a recipient is here."""
        return recipient not in self._unknown

    def take(self, content: bytes) -> int:
        """Take a mail; the code of the answer."""
        with self._lock:
            code = self._refuses.pop(0) if self._refuses else None
            if code is None:
                mail = message_from_bytes(content, policy=policy.default)
                assert isinstance(mail, EmailMessage)
                self.mails.append(mail)
        return code or 250

    def handler(self) -> type[socketserver.StreamRequestHandler]:
        return _Handler


class _Handler(socketserver.StreamRequestHandler):
    owner: MailServer

    def handle(self) -> None:
        self._say(220, "mail.test ESMTP")
        recipients = 0
        while line := self.rfile.readline(2048):
            verb, _, rest = line.decode("utf-8", "replace").strip().partition(" ")
            match verb.upper():
                case "EHLO" | "HELO":
                    self._say(250, "mail.test")
                case "MAIL" | "RSET" | "NOOP":
                    recipients = 0
                    self._say(250, "OK")
                case "RCPT":
                    known = self.owner.knows(rest.partition("<")[2].partition(">")[0])
                    recipients += known
                    self._say(250 if known else 550, "OK" if known else "no such user")
                case "DATA" if recipients:
                    self._say(354, "go on")
                    code = self.owner.take(self._content())
                    self._say(code, "OK" if code == 250 else "not now")
                case "QUIT":
                    self._say(221, "bye")
                    return
                case _:
                    self._say(503, "not now")

    def _content(self) -> bytes:
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        return b"".join(lines)

    def _say(self, code: int, text: Any) -> None:
        self.wfile.write(f"{code} {text}\r\n".encode())
