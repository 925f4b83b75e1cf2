"""The chat model behind an OpenAI-compatible server: structured answers, one repair, a usage row a call.

HTTP, retries and deadlines are `openai_server`'s; what comes back looks like `completion`; schemas and reading the
object in it are `structured`'s.
"""

import copy
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel

from llma_assets.models.budget import Allowance, Tab, answer_limit, default_effort, failed_usage, most_usd_of_chat
from llma_assets.models.catalog import explained
from llma_assets.models.chat_habits import ChatHabits, Form, StructuredMode
from llma_assets.models.completion import ChatCompletion, read_completion
from llma_assets.models.errors import InvalidAnswer, ModelConfigurationError
from llma_assets.models.failures import RequestRejected
from llma_assets.models.openai_server import OpenAIServer, Reply
from llma_assets.models.prices import price_of
from llma_assets.models.protocols import ChatMessage, Completion, Record, T, Usage, ignore_usage
from llma_assets.models.refusals import SHOWN_CHARS
from llma_assets.models.retry import RetryPolicy
from llma_assets.models.structured import Unreadable, bounded_schema, read_answer, strict_schema
from llma_assets.tokens import load_vocabulary

if TYPE_CHECKING:
    import openai

_SENT_BACK = 8_000  # characters of an invalid answer that are sent back for repair

_JSON_ORDER = (
    "Answer with one JSON object and nothing else, no prose and no code fence. It must fit this JSON schema:\n{schema}"
)
_REPAIR_ORDER = (
    "That answer cannot be used. What is wrong with it:\n{problems}\n"
    "Answer again: one complete JSON object and nothing else. It must fit this JSON schema:\n{schema}"
)


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
        effort: str | None = None,
    ) -> None:
        """
        Args:
            model: the name that the server knows it by; results carry it.
            api_key: None for servers that want none.
            base_url: root of the API, ending in `/v1` as a rule; None for OpenAI itself.
            policy: retries and deadline.
            server: in place of these three: one that other models are asked at, too. What is learned of it is shared.
            effort: how much the model thinks before it answers, as far as the server takes it: `none`, `low` …; ""
                leaves that to the server; None is `none` for models that think unless they are told not to.

        Raises:
            ModelConfigurationError: the key or the URL cannot be used.
        """
        self._model = model
        self._server = server or OpenAIServer(api_key=api_key, base_url=base_url, policy=policy or RetryPolicy())
        first = Form(effort=default_effort(model) if effort is None else effort)
        self._habits = self._server.habits((model, first), lambda: ChatHabits(first))
        self._allowance: Allowance | None = None

    @property
    def name(self) -> str:
        """The model's name as results carry it."""
        return self._model

    @property
    def structured_mode(self) -> StructuredMode:
        """How structured answers are asked for: what the server has been found to support so far."""
        return self._habits.form.mode

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
            try:
                return Completion(self._ask(prompt, schema, deadline, record), self._model)
            except Unreadable as first:
                repair = self._repair_prompt(prompt, first, schema)
            return Completion(self._ask(repair, schema, deadline, record), self._model)
        except Unreadable as second:
            raise _unusable(second, "no usable answer after one repair") from None
        except ModelConfigurationError as error:
            raise explained(error, self._server, self._model) from None

    @property
    def server(self) -> OpenAIServer:
        """Where the model is asked."""
        return self._server

    def request(self, messages: Sequence[ChatMessage], schema: type[BaseModel]) -> dict[str, Any]:
        """The body that asks for an object of `schema`, as far as is known of what the server supports."""
        prompt = [{"role": message.role, "content": message.text} for message in messages]
        return self._options(prompt, schema, self._habits.form)

    def read_batched(self, body: bytes, schema: type[T], *, record: Record = ignore_usage) -> T:
        """An object of `schema` out of a chat completion that came in a batch, and at a batch's price.

        Raises:
            InvalidAnswer: as `complete` does for this prompt alone; there is no repair.
        """
        try:
            return self._read(Reply(body, 0.0), schema, record, batch=True)
        except Unreadable as error:
            raise _unusable(error, "no usable answer") from None

    def close(self) -> None:
        """Close the connections."""
        self._server.close()

    def __repr__(self) -> str:
        return f"OpenAIChat({self._model!r}, {self._server!r})"

    def _ask(self, prompt: list[dict[str, str]], schema: type[T], deadline: float, record: Record) -> T:
        """One answer, read; steps down from what the server turns out not to support."""
        habits = self._habits

        def call(form: Form) -> tuple[Reply, Tab]:
            options = self._options(prompt, schema, form)
            tab = Tab(self._model, partial(most_usd_of_chat, self._model, options), self._allowance, record)

            def send(client: "openai.OpenAI", timeout_s: float) -> Any:
                tab.open()
                create: Any = client.chat.completions.with_raw_response.create
                return create(timeout=timeout_s, **options)

            reply = self._server.call(send, deadline=deadline, on_failure=tab.failed)
            habits.taken(form)
            return reply, tab

        only_this: Form | None = None
        while True:
            form = only_this or habits.form
            try:
                reply, tab = call(form)
            except RequestRejected as rejection:
                if following := form.without(rejection.kind, rejection.mentions):
                    # A prompt that leaves no room for the limit says nothing of the next one.
                    only_this = following if rejection.kind == "too_long" or only_this else None
                    if only_this is None:
                        habits.step(form, following)
                    continue
                if rejection.kind != "rejected" or not habits.may_search:
                    raise
                with habits.searching:
                    if habits.form != form:
                        continue  # another thread has found something meanwhile
                    reply, tab = self._search(form, rejection, call)
            return self._read(reply, schema, tab.close)

    def _search(
        self, refused: Form, rejection: RequestRejected, call: Callable[[Form], tuple[Reply, Tab]]
    ) -> tuple[Reply, Tab]:
        """The reply to a plainer form, after a refusal that does not say what it refuses.

        Raises:
            RequestRejected: the refusal; it is the prompt's fault, as far as can be known.
        """
        if not self._habits.may_search:
            raise rejection
        for form in refused.plainer():
            try:
                return call(form)
            except RequestRejected:
                continue
        self._habits.searches += 1
        raise rejection

    def _options(self, prompt: list[dict[str, str]], schema: type[BaseModel], form: Form) -> dict[str, Any]:
        order = "" if form.mode == "json_schema" else _JSON_ORDER.format(schema=json.dumps(strict_schema(schema)))
        options: dict[str, Any] = {"model": self._model, "messages": _messages(prompt, order, form.takes_system)}
        if form.takes_temperature:
            options["temperature"] = 0
        if form.effort:
            options["reasoning_effort"] = form.effort
        if form.limit_name:
            options[form.limit_name] = answer_limit(self._model, form.effort)
        if form.mode == "json_schema":
            strict = {"name": schema.__name__, "strict": True, "schema": strict_schema(schema)}
            options["response_format"] = {"type": "json_schema", "json_schema": strict}
        elif form.mode != "text":
            options["response_format"] = {"type": "json_object"}
        if form.mode == "json_object_schema":
            options["response_format"]["schema"] = bounded_schema(schema)
        return options

    def _read(self, reply: Reply, schema: type[T], record: Record, *, batch: bool = False) -> T:
        """The object in a reply; records the call's usage with what was wrong with it."""
        answer = read_completion(reply.body)
        if answer is None:
            record(failed_usage(self._model, "garbage", reply.duration_s))
            raise Unreadable("garbage", ("the server's answer is no chat completion",))
        # Some servers repeat the key that they were given; nothing that is read, stored or quoted may hold it.
        clean = self._server.without_key
        answer = replace(answer, text=clean(answer.text), refusal=clean(answer.refusal))
        try:
            if answer.refusal:
                raise InvalidAnswer("the model refused to answer", kind="refusal", said=answer.refusal[:SHOWN_CHARS])
            value = self._said(answer, schema)
        except (Unreadable, InvalidAnswer) as error:
            record(self._usage(answer, reply, error.kind, batch))
            raise
        record(self._usage(answer, reply, "", batch))
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
        model, tokens = (answer.model or self._model)[:200], answer.tokens
        cost = None
        # The price of what was asked for, as the bound of the call has it.
        price = price_of(self._model) or price_of(model)
        if price and tokens.prompt is not None and tokens.completion is not None:
            cost = price.cost_usd(
                input_tokens=tokens.prompt,
                output_tokens=tokens.completion,
                cached_tokens=tokens.cached,
                cache_write_tokens=tokens.cache_write,
                batch=batch,
            )
        spoken, said = tokens.prompt or 0, tokens.completion or 0
        return Usage(model, spoken, said, cost, reply.duration_s, error, tokens.cached)


def _messages(prompt: Sequence[dict[str, str]], order: str, takes_system: bool) -> list[dict[str, str]]:
    """The prompt with one system message, which comes first; or with none, and what it says before the question.

    Templates of chat models refuse a second one, and many do not know any.
    """
    told = [message["content"] for message in prompt if message["role"] == "system"]
    instructions = "\n\n".join(filter(None, (*told, order)))
    said = [message for message in prompt if message["role"] != "system"]
    if not instructions:
        return said
    if takes_system or not said:
        return [{"role": "system" if takes_system else "user", "content": instructions}, *said]
    return [{**said[0], "content": f"{instructions}\n\n{said[0]['content']}"}, *said[1:]]


def _unusable(error: Unreadable, what: str) -> InvalidAnswer:
    return InvalidAnswer(f"{what} ({error.kind}: {error})", kind=error.kind, said=error.answer[:SHOWN_CHARS])
