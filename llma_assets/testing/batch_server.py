"""The chat server with OpenAI's files and batches beside it, and with what can go wrong there.

A batch is answered by the same `answer` as calls are. It ends when its state is asked for `polls` times after it was
made, or never while `held`. Endings are used up by batches in order; then come normal ones.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from llma_assets.testing.chat_server import ChatHandler, ChatServer
from llma_assets.testing.faults import Content, Reset
from llma_assets.testing.requests import Request

EXPIRED = {"code": "batch_expired", "message": "too late"}


@dataclass(frozen=True)
class Ending:
    """How a batch ends.

    Attributes:
        status: the server's word.
        answered: so many requests have an answer, None for all; the rest is in the error file as not made.
        silent: the rest is in no file.
        replies: what stands at these positions in place of the normal answer: a chat completion's content, or the
            status and error object of a refusal.
        twice: each line of the output stands there twice.
        verbatim: lines that stand in the output beside the answers.
        codes: errors of the batch as a whole.
    """

    status: str = "completed"
    answered: int | None = None
    silent: bool = False
    replies: Mapping[int, Content | tuple[int, dict[str, Any]]] = field(default_factory=dict)
    twice: bool = False
    verbatim: tuple[bytes, ...] = ()
    codes: tuple[str, ...] = ()


@dataclass
class Store:
    """What a server keeps; give it to another server, and it goes on where the first one ended."""

    files: dict[str, bytes] = field(default_factory=dict)
    batches: dict[str, dict[str, Any]] = field(default_factory=dict)
    polls: dict[str, int] = field(default_factory=dict)


class BatchServer(ChatServer):
    """A `ChatServer` that also takes files and batches.

    >>> from llma_assets.models import OpenAIBatches, OpenAIChat
    >>> with BatchServer(endings=[Ending(status="expired", answered=2)]) as server:
    ...     batches = OpenAIBatches(OpenAIChat("my-model", api_key="any", base_url=server.url).server)

    Args:
        endings: how batches end, in order.
        polls: how often a batch is not done yet when it is asked about.
        held: batches do not end; set it to False to let them.
        lost_creations: so many batches are made without anyone being told: the connection is reset.
        store: what another server has left.
        options: those of `ChatServer`.
    """

    def __init__(
        self,
        *,
        endings: Iterable[Ending] = (),
        polls: int = 0,
        held: bool = False,
        lost_creations: int = 0,
        store: Store | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.store = store or Store()
        self.held = held
        self._endings = list(endings)
        self._polls = polls
        self._lost_creations = lost_creations

    def handler(self) -> type[ChatHandler]:
        return _BatchHandler

    @property
    def created(self) -> list[dict[str, Any]]:
        """The batches that were made, in order."""
        return list(self.store.batches.values())

    def requests_of(self, batch: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The requests of a batch, as they were uploaded."""
        return [json.loads(line) for line in self.store.files[f"kept-{batch['input_file_id']}"].splitlines()]

    def upload(self, body: bytes, content_type: str) -> dict[str, Any]:
        """Keep the file of a multipart body."""
        found = re.search(r'boundary="?([^";]+)', content_type)
        assert found is not None
        parts = body.split(b"--" + found[1].encode())
        head, data = next(part for part in parts if b"filename=" in part).split(b"\r\n\r\n", 1)
        assert b'name="file"' in head
        assert any(b'name="purpose"' in part and b"\r\n\r\nbatch\r\n" in part for part in parts)
        file_id = f"file-{len(self.store.files)}"
        self.store.files[file_id] = self.store.files[f"kept-{file_id}"] = data.removesuffix(b"\r\n")
        return {"id": file_id, "object": "file", "purpose": "batch", "bytes": len(data), "created_at": 0}

    def create(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """Make a batch."""
        batch_id = f"batch-{len(self.store.batches)}"
        total = len(self.store.files[wanted["input_file_id"]].splitlines())
        batch = {
            "id": batch_id,
            "object": "batch",
            "status": "validating",
            "created_at": len(self.store.batches),
            "request_counts": {"total": total, "completed": 0, "failed": 0},
            **wanted,
        }
        self.store.batches[batch_id] = batch
        self.store.polls[batch_id] = self._polls
        return batch

    def charge(self, request: Request, said: str | None = None) -> tuple[int, int]:
        """Put a request on the bill, if it is one that a model answers."""
        return super().charge(request, said) if "messages" in (request.body or {}) else (0, 0)

    def lose(self) -> bool:
        """Whether the answer about a batch that was made gets lost."""
        self._lost_creations -= 1
        return self._lost_creations >= 0

    def look(self, batch_id: str) -> dict[str, Any] | None:
        """A batch as it stands; asking brings its end nearer."""
        batch = self.store.batches.get(batch_id)
        if batch is None or batch["status"] not in {"validating", "in_progress", "cancelling"} or self.held:
            return batch
        self.store.polls[batch_id] -= 1
        if self.store.polls[batch_id] >= 0:
            batch["status"] = "in_progress"
        else:
            self._end(batch, self._endings.pop(0) if self._endings else Ending())
        return batch

    def cancel(self, batch_id: str) -> dict[str, Any] | None:
        """Begin to end a batch."""
        batch = self.store.batches.get(batch_id)
        if batch is not None:
            batch["status"] = "cancelling"
            self._endings.insert(0, Ending("cancelled", answered=0))
        return batch

    def page(self, limit: int, after: str) -> dict[str, Any]:
        """The newest batches first, as OpenAI lists them."""
        batches = list(self.store.batches.values())[::-1]
        start = 1 + next((n for n, batch in enumerate(batches) if batch["id"] == after), -1)
        some = batches[start : start + limit]
        return {"object": "list", "data": some, "has_more": start + limit < len(batches)}

    def _end(self, batch: dict[str, Any], ending: Ending) -> None:
        batch["status"] = ending.status
        if ending.status == "failed":
            problems = [{"code": code, "message": "injected", "line": None, "param": None} for code in ending.codes]
            batch["errors"] = {"object": "list", "data": problems}
            return
        output, errors = list(ending.verbatim), []
        for number, request in enumerate(self.requests_of(batch)):
            line: dict[str, Any] = {"id": f"r{number}", "custom_id": request["custom_id"], "error": None}
            if ending.answered is not None and number >= ending.answered:
                if not ending.silent:
                    errors.append(json.dumps({**line, "response": None, "error": EXPIRED}).encode())
                continue
            asked = Request("/v1/chat/completions", {}, request["body"])
            reply = ending.replies.get(number) or Content(self.answer(asked))
            if isinstance(reply, Content):
                response = {"status_code": 200, "request_id": f"q{number}", "body": self.completion(asked, reply)}
                output += [json.dumps({**line, "response": response}).encode()] * (2 if ending.twice else 1)
            else:
                response = {"status_code": reply[0], "request_id": f"q{number}", "body": {"error": reply[1]}}
                errors.append(json.dumps({**line, "response": response}).encode())
        for name, lines in (("output", output[::-1]), ("error", errors)):
            if lines:
                batch[f"{name}_file_id"] = f"{name}-{batch['id']}"
                self.store.files[f"{name}-{batch['id']}"] = b"\n".join(lines) + b"\n"
        batch["request_counts"] |= {"completed": len(output), "failed": len(errors)}


class _BatchHandler(ChatHandler):
    owner: BatchServer

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        head, _, last = parts.path.removeprefix("/v1/").partition("/")
        body: Any = None
        if head == "batches":
            query = parse_qs(parts.query)
            limit, after = int(query.get("limit", ["20"])[0]), query.get("after", [""])[0]
            body = (lambda: self.owner.look(last)) if last else (lambda: self.owner.page(limit, after))
        elif head == "files" and last.endswith("/content"):
            body = lambda: self.owner.store.files.get(last.removesuffix("/content"))  # noqa: E731
        else:
            super().do_GET()
            return
        self._reply(Request(parts.path, self._lower_headers(), None), body)

    def do_POST(self) -> None:
        if not self.path.startswith(("/v1/files", "/v1/batches")):
            super().do_POST()
            return
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = self._lower_headers()
        if self.path == "/v1/files":
            request = Request(self.path, headers, None)
            self._reply(request, lambda: self.owner.upload(raw, headers["content-type"]))
        elif self.path.endswith("/cancel"):
            batch_id = self.path.split("/")[-2]
            self._reply(Request(self.path, headers, None), lambda: self.owner.cancel(batch_id))
        else:
            wanted = json.loads(raw)
            self._reply(Request(self.path, headers, wanted), lambda: self.owner.create(wanted))

    def do_DELETE(self) -> None:
        file_id = self.path.rsplit("/", 1)[1]

        def delete() -> Any:
            found = self.owner.store.files.pop(file_id, None) is not None
            return {"id": file_id, "object": "file", "deleted": True} if found else None

        self._reply(Request(self.path, self._lower_headers(), None), delete)

    def _reply(self, request: Request, work: Any) -> None:
        fault = self.owner.begin(request)
        try:
            if fault is not None:
                self._fail(request, fault)
                return
            answer = work()
            created = self.command == "POST" and request.path == "/v1/batches"
            if created and self.owner.lose():
                self._fail(request, Reset())
            elif answer is None:
                self._json(404, {"error": {"message": "no such thing", "type": "invalid_request_error"}})
            elif isinstance(answer, bytes):
                self._bytes(200, answer, "application/octet-stream")
            else:
                self._json(200, answer)
        finally:
            self.owner.end()
