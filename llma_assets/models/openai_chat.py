"""The chat model behind an OpenAI-compatible server: structured answers, one repair, a usage row a call.

HTTP, retries and deadlines are `openai_server`'s; what comes back looks like `completion`; schemas and reading the
object in it are `structured`'s.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Unpack

import orjson
from pydantic import BaseModel

from llma_assets.models.budget import default_effort, most_usd_of_chat
from llma_assets.models.catalog import with_listed_models
from llma_assets.models.chat_capabilities import ChatCapabilities, RequestForm, StructuredMode
from llma_assets.models.chat_request import as_sent, repair_prompt, request_body
from llma_assets.models.completion import ChatCompletion, read_completion
from llma_assets.models.errors import InvalidAnswer, ModelConfigurationError
from llma_assets.models.failures import RequestRejected
from llma_assets.models.metering import CallMeter, answered_usage, failed_usage
from llma_assets.models.openai_model import Connection, OpenAIModel
from llma_assets.models.openai_server import Reply
from llma_assets.models.protocols import ChatMessage, Completion, Record, T, Usage, ignore_usage
from llma_assets.models.refusals import SHOWN_CHARS
from llma_assets.models.structured import Unreadable, read_answer
from llma_assets.models.verdicts import keep_refusal, kept_refusal
from llma_assets.tokens import load_vocabulary

if TYPE_CHECKING:
    import openai

_PATH = "chat/completions"


class OpenAIChat(OpenAIModel):
    """A chat model by name on any OpenAI-compatible server. Safe to use from several threads."""

    def __init__(self, model: str, *, effort: str | None = None, **connection: Unpack[Connection]) -> None:
        """
        Args:
            model, connection: as for `OpenAIModel`.
            effort: how much the model thinks before it answers, as far as the server takes it: `none`, `low` …; ""
                leaves that to the server; None is `none` for models that think unless they are told not to.

        Raises:
            ModelConfigurationError: the key or the URL cannot be used.
        """
        super().__init__(model, **connection)
        first = RequestForm(effort=default_effort(model) if effort is None else effort)
        self._capabilities = self._server.capabilities((model, first), lambda: ChatCapabilities(first))

    @property
    def structured_mode(self) -> StructuredMode:
        """How structured answers are asked for: what the server has been found to support so far."""
        return self._capabilities.form.mode

    def complete(
        self,
        messages: Sequence[ChatMessage],
        schema: type[T],
        *,
        offline: Callable[[], T],  # noqa: ARG002 - the protocol's; only the offline model calls it
        record: Record = ignore_usage,
    ) -> Completion[T]:
        """Answer with an object of `schema`; see `ChatModel.complete`.

        An empty or unreadable answer is asked for once more, with what was wrong with it. A truncated or
        refused one is not: it would come back the same.

        Raises:
            ModelConfigurationError: key, model, URL or account; stop.
            ModelUnavailable: after retries, or at the deadline.
            InvalidAnswer: for this prompt alone.
        """
        if refusal := kept_refusal(self._server.asked(self._model)):
            raise refusal
        load_vocabulary(self._model)
        deadline = self._server.deadline()
        prompt = as_sent(messages)
        try:
            try:
                return Completion(self._ask(prompt, schema, deadline, record), self._model)
            except Unreadable as first:
                repair = repair_prompt(prompt, first, schema)
            return Completion(self._ask(repair, schema, deadline, record), self._model)
        except Unreadable as second:
            raise _unusable(second, "no usable answer after one repair") from None
        except ModelConfigurationError as error:
            final = with_listed_models(error, self._server, self._model)
            keep_refusal(self._server.asked(self._model), final)
            raise final from None

    def request(self, messages: Sequence[ChatMessage], schema: type[BaseModel]) -> dict[str, Any]:
        """The body that asks for an object of `schema`, as far as is known of what the server supports."""
        return request_body(self._model, as_sent(messages), schema, self._capabilities.form)

    def read_batched(self, body: bytes, schema: type[T], *, record: Record = ignore_usage) -> T:
        """An object of `schema` out of a chat completion that came in a batch, and at a batch's price.

        Raises:
            InvalidAnswer: as `complete` does for this prompt alone; there is no repair.
        """
        try:
            return self._read(Reply(body, 0.0), schema, record, batch=True)
        except Unreadable as error:
            raise _unusable(error, "no usable answer") from None

    def _ask(self, prompt: list[dict[str, str]], schema: type[T], deadline: float, record: Record) -> T:
        """One answer, read; steps down from what the server turns out not to support."""
        capabilities = self._capabilities

        def call(form: RequestForm) -> tuple[Reply, CallMeter]:
            body = request_body(self._model, prompt, schema, form)
            content = orjson.dumps(body)
            meter = CallMeter(self._model, partial(most_usd_of_chat, self._model, body), self._allowance, record)

            def send(client: "openai.OpenAI", timeout_s: float) -> Any:
                meter.start()
                # Not `completions.create`, which rewrites the body by its types at each call: as much CPU as all else.
                return self._server.post(client, _PATH, content, timeout_s)

            reply = self._server.call(send, deadline=deadline, on_failure=meter.fail)
            capabilities.note_accepted(form)
            return reply, meter

        only_this: RequestForm | None = None
        while True:
            form = only_this or capabilities.form
            try:
                reply, meter = call(form)
            except RequestRejected as rejection:
                if following := form.without(rejection.kind, rejection.mentions):
                    # A prompt that leaves no room for the limit says nothing of the next one.
                    only_this = following if rejection.kind == "too_long" or only_this else None
                    if only_this is None:
                        capabilities.step_down(form, following)
                    continue
                if rejection.kind != "rejected" or not capabilities.may_search:
                    raise
                with capabilities.searching:
                    if capabilities.form != form:
                        continue  # another thread has found something meanwhile
                    reply, meter = self._search(form, rejection, call)
            return self._read(reply, schema, meter.finish)

    def _search(
        self, refused: RequestForm, rejection: RequestRejected, call: Callable[[RequestForm], tuple[Reply, CallMeter]]
    ) -> tuple[Reply, CallMeter]:
        """The reply to a plainer form, after a refusal that does not say what it refuses.

        Raises:
            RequestRejected: the refusal; it is the prompt's fault, as far as can be known.
        """
        if not self._capabilities.may_search:
            raise rejection
        for form in refused.plainer():
            try:
                return call(form)
            except RequestRejected:
                continue
        self._capabilities.searches += 1
        raise rejection

    def _read(self, reply: Reply, schema: type[T], record: Record, *, batch: bool = False) -> T:
        """The object in a reply; records the call's usage with what was wrong with it."""
        answer = read_completion(reply.body)
        if answer is None:
            record(failed_usage(self._model, "garbage", reply.duration_s))
            raise Unreadable("garbage", ("the server's answer is not a chat completion",))
        # Some servers repeat the key that they were given; nothing that is read, stored or quoted may hold it.
        clean = self._server.without_key
        answer = replace(answer, text=clean(answer.text), refusal=clean(answer.refusal))

        def usage(error: str) -> Usage:
            return answered_usage(self._model, answer.model, answer.tokens, reply.duration_s, error, batch=batch)

        try:
            if answer.refusal:
                raise InvalidAnswer("the model refused to answer", kind="refusal", said=answer.refusal[:SHOWN_CHARS])
            value = self._said(answer, schema)
        except (Unreadable, InvalidAnswer) as error:
            record(usage(error.kind))
            raise
        record(usage(""))
        return value

    @staticmethod
    def _said(answer: ChatCompletion, schema: type[T]) -> T:
        """The object in an answer. One that was cut off after its object was complete is a good one."""
        if not answer.is_cut_off:
            return read_answer(answer.text, schema)
        try:
            return read_answer(answer.text, schema, cut_off=True)
        except Unreadable:
            raise InvalidAnswer(
                "the answer was cut off at the model's length limit", kind="length", said=answer.text[:SHOWN_CHARS]
            ) from None


def _unusable(error: Unreadable, what: str) -> InvalidAnswer:
    return InvalidAnswer(f"{what} ({error.kind}: {error})", kind=error.kind, said=error.answer[:SHOWN_CHARS])
