"""The chat model behind an OpenAI-compatible server: structured answers, one repair, a usage row a call.

HTTP, retries and deadlines are `openai_server`'s; what comes back looks like `completion`; schemas and reading the
object in it are `structured`'s.
"""

import copy
import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import BaseModel, ValidationError

from llma_assets.models.budget import Allowance, Tab, answer_limit, failed_usage, most_usd_of_chat
from llma_assets.models.completion import ChatCompletion, Choice, PromptDetails, trouble_in
from llma_assets.models.errors import InvalidAnswer
from llma_assets.models.failures import RequestRejected
from llma_assets.models.openai_server import OpenAIServer, Reply
from llma_assets.models.prices import price_of
from llma_assets.models.protocols import ChatMessage, Completion, Record, T, Usage, ignore_usage
from llma_assets.models.retry import RetryPolicy
from llma_assets.models.structured import Unreadable, bounded_schema, read_answer, strict_schema
from llma_assets.tokens import load_vocabulary

if TYPE_CHECKING:
    import openai

StructuredMode = Literal["json_schema", "json_object_schema", "json_object", "text"]
"""What is asked for: OpenAI's strict schema; JSON mode with a schema beside it, as llama.cpp's Python server and some
hosts of open models take it; plain JSON mode; words alone."""
LimitName = Literal["max_completion_tokens", "max_tokens", ""]
_NEXT_LIMIT: dict[LimitName, LimitName] = {"max_completion_tokens": "max_tokens", "max_tokens": ""}
_NEXT_MODE: dict[StructuredMode, StructuredMode] = {
    "json_schema": "json_object_schema",
    "json_object_schema": "json_object",
    "json_object": "text",
}
_FORMAT_WORDS = {"response_format", "json_schema", "json_object", "structured output", "schema", "grammar"}
_SENT_BACK = 8_000  # characters of an invalid answer that are sent back for repair

_JSON_ORDER = (
    "Answer with one JSON object and nothing else, no prose and no code fence. It must fit this JSON schema:\n{schema}"
)
_REPAIR_ORDER = (
    "That answer cannot be used. What is wrong with it:\n{problems}\n"
    "Answer again: one complete JSON object and nothing else. It must fit this JSON schema:\n{schema}"
)


@dataclass(slots=True)
class _Learned:
    """What the server has been found to support so far; the strictest is assumed until it refuses."""

    mode: StructuredMode = "json_schema"
    takes_temperature: bool = True
    limit_name: LimitName = "max_completion_tokens"
    lock: threading.Lock = field(default_factory=threading.Lock)


class OpenAIChat:
    """A chat model by name on any OpenAI-compatible server. Safe to use from several threads."""

    def __init__(
        self,
        model: str,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        policy: RetryPolicy | None = None,
        server: OpenAIServer | None = None,
    ) -> None:
        """
        Args:
            model: the name that the server knows it by; results carry it.
            api_key: None for servers that want none.
            base_url: root of the API, ending in `/v1` as a rule; None for OpenAI itself.
            policy: retries and deadline.
            server: in place of these three: one that other models are asked at, too. What is learned of it is shared.

        Raises:
            ModelConfigurationError: the key or the URL cannot be used.
        """
        self._model = model
        self._server = server or OpenAIServer(api_key=api_key, base_url=base_url, policy=policy or RetryPolicy())
        self._learned = _Learned()
        self._allowance: Allowance | None = None

    @property
    def name(self) -> str:
        """The model's name as results carry it."""
        return self._model

    @property
    def structured_mode(self) -> StructuredMode:
        """How structured answers are asked for: what the server has been found to support so far."""
        return self._learned.mode

    def within(self, allowance: Allowance) -> Self:
        """The same model on the same connections, whose HTTP calls are each paid out of `allowance`."""
        paid = copy.copy(self)
        paid._allowance = allowance
        return paid

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
        load_vocabulary(self._model)
        deadline = self._server.deadline()
        prompt = [{"role": message.role, "content": message.text} for message in messages]
        try:
            return Completion(self._ask(prompt, schema, deadline, record), self._model)
        except Unreadable as first:
            repair = self._repair_prompt(prompt, first, schema)
        try:
            return Completion(self._ask(repair, schema, deadline, record), self._model)
        except Unreadable as second:
            failure = InvalidAnswer(f"no usable answer after one repair ({second.kind}: {second})", kind=second.kind)
            failure.said = self._server.without_key(second.answer)
            raise failure from None

    @property
    def server(self) -> OpenAIServer:
        """Where the model is asked."""
        return self._server

    def request(self, messages: Sequence[ChatMessage], schema: type[BaseModel]) -> dict[str, Any]:
        """The body that asks for an object of `schema`, as far as is known of what the server supports."""
        prompt = [{"role": message.role, "content": message.text} for message in messages]
        return self._options(prompt, schema, replace(self._learned))

    def read_batched(self, body: bytes, schema: type[T], *, record: Record = ignore_usage) -> T:
        """An object of `schema` out of a chat completion that came in a batch, and at a batch's price.

        Raises:
            InvalidAnswer: as `complete` does for this prompt alone; there is no repair.
        """
        try:
            return self._read(Reply(body, 0.0), schema, record, batch=True)
        except Unreadable as error:
            raise InvalidAnswer(f"no usable answer ({error.kind}: {error})", kind=error.kind) from None

    def close(self) -> None:
        """Close the connections."""
        self._server.close()

    def __repr__(self) -> str:
        return f"OpenAIChat({self._model!r}, {self._server!r})"

    def _ask(self, prompt: list[dict[str, str]], schema: type[T], deadline: float, record: Record) -> T:
        """One answer, read; steps down from what the server turns out not to support."""
        while True:
            known = replace(self._learned)  # as it is now: other threads may learn more meanwhile
            options = self._options(prompt, schema, known)
            tab = Tab(self._model, partial(most_usd_of_chat, self._model, options), self._allowance, record)

            def send(
                client: "openai.OpenAI", timeout_s: float, options: dict[str, Any] = options, tab: Tab = tab
            ) -> Any:
                tab.open()
                create: Any = client.chat.completions.with_raw_response.create
                return create(timeout=timeout_s, **options)

            try:
                reply = self._server.call(send, deadline=deadline, on_failure=tab.failed)
            except RequestRejected as rejection:
                if not self._step_down(rejection, known):
                    raise
            else:
                return self._read(reply, schema, tab.close)

    def _options(self, prompt: list[dict[str, str]], schema: type[BaseModel], known: _Learned) -> dict[str, Any]:
        options: dict[str, Any] = {"model": self._model, "messages": prompt}
        if known.takes_temperature:
            options["temperature"] = 0
        if known.limit_name:
            options[known.limit_name] = answer_limit(self._model)
        if known.mode == "json_schema":
            strict = {"name": schema.__name__, "strict": True, "schema": strict_schema(schema)}
            options["response_format"] = {"type": "json_schema", "json_schema": strict}
        else:
            order = _JSON_ORDER.format(schema=json.dumps(strict_schema(schema)))
            options["messages"] = [{"role": "system", "content": order}, *prompt]
            if known.mode != "text":
                options["response_format"] = {"type": "json_object"}
            if known.mode == "json_object_schema":
                options["response_format"]["schema"] = bounded_schema(schema)
        return options

    def _step_down(self, rejection: RequestRejected, known: _Learned) -> bool:
        """Remember what the server does not support. False: the rejection was for something else."""
        learned, mode, limit = self._learned, known.mode, known.limit_name
        with learned.lock:  # another thread may have stepped down already
            # Servers with a small context refuse a large limit as too long.
            if rejection.kind in {"rejected", "too_long"} and limit in _NEXT_LIMIT and limit in rejection.mentions:
                if learned.limit_name == limit:
                    learned.limit_name = _NEXT_LIMIT[limit]
                return True
            if rejection.kind != "rejected":
                return False
            if known.takes_temperature and "temperature" in rejection.mentions:
                learned.takes_temperature = False
                return True
            if mode in _NEXT_MODE and rejection.mentions & _FORMAT_WORDS:
                if learned.mode == mode:
                    learned.mode = _NEXT_MODE[mode]
                return True
        return False

    def _read(self, reply: Reply, schema: type[T], record: Record, *, batch: bool = False) -> T:
        """The object in a reply; records the call's usage with what was wrong with it."""
        try:
            answer = ChatCompletion.model_validate_json(reply.body)
        except ValidationError:
            trouble = trouble_in(reply.body)
            record(failed_usage(self._model, trouble.kind if trouble else "garbage", reply.duration_s))
            if trouble:
                raise trouble from None
            raise Unreadable("garbage", ("the server's answer is no chat completion",)) from None
        choice = answer.choices[0]
        try:
            if choice.message.is_refusal or choice.finish_reason == "content_filter":
                raise InvalidAnswer("the model refused to answer", kind="refusal")
            value = self._said(choice, schema)
        except Unreadable as error:
            record(self._usage(answer, reply, error.kind, batch))
            raise
        except InvalidAnswer as error:
            error.said = self._server.without_key(choice.message.refusal or choice.message.text)
            record(self._usage(answer, reply, error.kind, batch))
            raise
        record(self._usage(answer, reply, "", batch))
        return value

    @staticmethod
    def _said(choice: Choice, schema: type[T]) -> T:
        """The object in a choice. An answer that was cut off after its object was complete is a good one."""
        if choice.finish_reason != "length":
            return read_answer(choice.message.text, schema)
        try:
            return read_answer(choice.message.text, schema, cut_off=True)
        except Unreadable:
            raise InvalidAnswer("the answer was cut off at the model's length limit", kind="length") from None

    @staticmethod
    def _repair_prompt(
        prompt: list[dict[str, str]], error: Unreadable, schema: type[BaseModel]
    ) -> list[dict[str, str]]:
        """The prompt, the unusable answer and what is wrong with it; the bare prompt where none came."""
        if not error.answer:
            return prompt
        problems = "\n".join(f"- {line}" for line in error.problems)
        order = _REPAIR_ORDER.format(problems=problems, schema=json.dumps(strict_schema(schema)))
        said = {"role": "assistant", "content": error.answer[:_SENT_BACK]}
        return [*prompt, said, {"role": "user", "content": order}]

    def _usage(self, answer: ChatCompletion, reply: Reply, error: str, batch: bool) -> Usage:
        model, tokens = (answer.model or self._model)[:200], answer.usage
        if tokens is None:
            return Usage(model, 0, 0, None, reply.duration_s, error)
        # The price of what was asked for, as the bound of the call has it.
        price = price_of(self._model) or price_of(model)
        details = tokens.prompt_tokens_details or PromptDetails()
        cached = details.cached_tokens or 0
        cost = (
            price.cost_usd(
                input_tokens=tokens.prompt_tokens,
                output_tokens=tokens.completion_tokens,
                cached_tokens=cached,
                cache_write_tokens=details.cache_write_tokens or 0,
                batch=batch,
            )
            if price
            else None
        )
        spoken, said = tokens.prompt_tokens, tokens.completion_tokens
        return Usage(model, spoken, said, cost, reply.duration_s, error, cached)
