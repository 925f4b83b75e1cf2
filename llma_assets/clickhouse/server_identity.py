"""How a client knows the server of its folder before it says the password: the server shows that it has it, too.

A port says nothing: when a server has ended, anybody may listen there. So each new connection begins with a question
whose answer takes the password, which only the folder's owner can read; what follows goes over the same connection.
"""

import hashlib
import hmac
import http.client
import secrets
import socket

PATH = "/ping"
CHALLENGE, PROOF = "X-Llma-Challenge", "X-Llma-Proof"
_LONGEST = 128


def proof_of(password: str, challenge: str) -> str:
    """What a server answers: a keyed hash, from which the password does not follow."""
    return hmac.new(password.encode(), challenge[:_LONGEST].encode(), hashlib.sha256).hexdigest()


def has_password(connection: socket.socket, password: str) -> bool:
    """Ask whoever is at the other end of a new connection; afterwards it can be used as if new.

    Raises:
        OSError: the connection broke, or there was no answer in its time.
    """
    challenge = secrets.token_hex(32)
    request = f"GET {PATH} HTTP/1.1\r\nHost: localhost\r\n{CHALLENGE}: {challenge}\r\n\r\n"
    connection.sendall(request.encode())
    answer = http.client.HTTPResponse(connection)
    try:
        answer.begin()
        answer.read()
    except http.client.HTTPException:
        return False
    finally:
        answer.close()
    return bool(password) and hmac.compare_digest(
        answer.getheader(PROOF, "").encode(), proof_of(password, challenge).encode()
    )
