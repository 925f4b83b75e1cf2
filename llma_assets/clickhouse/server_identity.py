"""Authenticates the server to its client by challenge and response, before the client sends the password.

A port proves nothing: after a server has ended, any process may listen there. So each new connection begins with a
challenge that only a process with the folder's password can answer; all requests use the same connection.
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
    """The server's response to a challenge: a keyed hash, which does not reveal the password."""
    return hmac.new(password.encode(), challenge[:_LONGEST].encode(), hashlib.sha256).hexdigest()


def knows_password(connection: socket.socket, password: str) -> bool:
    """Challenge the server on a new connection, which can be used as new afterwards.

    Raises:
        OSError: the connection broke, or there was no response in time.
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
