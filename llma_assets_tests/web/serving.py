"""The web server on a free port of the loopback interface, for clients that need a real one. No tests here."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from llma_assets.web import Site, create_app


@contextmanager
def serving(site: Site) -> Iterator[str]:
    """The address of a server that runs in a thread inside a `with` block."""
    server = uvicorn.Server(uvicorn.Config(create_app(site), port=0, log_level="warning"))
    with server.config.bind_socket() as socket:
        socket.listen()
        thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{socket.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
