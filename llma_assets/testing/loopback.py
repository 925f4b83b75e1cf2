"""What every server of this package is: threads on a free loopback port, inside a `with` block."""

import socketserver
import threading
from http.server import ThreadingHTTPServer
from types import TracebackType
from typing import Self


class LoopbackServer:
    """A threaded server, running inside a `with` block.

    A subclass says what handles a request; the handler finds the subclass as `owner`.
    """

    transport: type[socketserver.TCPServer] = ThreadingHTTPServer

    def handler(self) -> type[socketserver.BaseRequestHandler]:
        """The class that handles a request."""
        raise AssertionError(f"{type(self).__name__} has no handler")

    @property
    def host(self) -> str:
        """Where it listens, as host:port."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        handler = type("Handler", (self.handler(),), {"owner": self})
        self._server = self.transport(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
