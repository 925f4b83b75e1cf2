"""What a chat completion looks like on its way from the server: the parts that are read, in the shapes that occur.

All else that a server sends is let be. What the text in it must be belongs to `structured`.
"""

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from llma_assets.models.errors import ModelError
from llma_assets.models.failures import classify_answer


class Part(BaseModel):
    """One of several parts of a message's content; what is neither text nor refusal is let be."""

    text: str | None = None
    refusal: str | None = None


class Function(BaseModel):
    arguments: str = ""


class ToolCall(BaseModel):
    function: Function = Function()


class Message(BaseModel):
    content: str | list[Part] | None = None
    refusal: str | None = None
    tool_calls: list[ToolCall] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None

    @property
    def text(self) -> str:
        """What was said. Some servers put the object into a call of a tool that nobody offered, or, where the model
        did not think at all, into what it thought.
        """
        said = (
            self.content if isinstance(self.content, str) else "".join(part.text or "" for part in self.content or ())
        )
        if said.strip():
            return said
        called = [call.function.arguments for call in self.tool_calls or ()]
        thought = (self.reasoning_content or self.reasoning or "").strip()
        return called[0] if called else thought if thought.startswith("{") else ""

    @property
    def is_refusal(self) -> bool:
        """Whether the model said that it will not answer."""
        parts = () if isinstance(self.content, str) else self.content or ()
        return bool(self.refusal or any(part.refusal for part in parts))


class Choice(BaseModel):
    message: Message
    finish_reason: str | None = None


class PromptDetails(BaseModel):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None


class Tokens(BaseModel):
    prompt_tokens: int = Field(ge=0)
    completion_tokens: int = Field(default=0, ge=0)
    prompt_tokens_details: PromptDetails | None = None


class ChatCompletion(BaseModel):
    """The part of a chat completion that is read; all else that a server sends is let be."""

    model_config = ConfigDict(extra="ignore")

    choices: list[Choice] = Field(min_length=1)
    model: str | None = None
    usage: Tokens | None = None


class _Error(BaseModel):
    code: int | str | None = None
    message: str | None = None


class _Trouble(BaseModel):
    """What gateways send with status 200 when the server behind them failed."""

    error: _Error


def trouble_in(body: bytes) -> ModelError | None:
    """The failure that a gateway reports where a completion should be; None where it reports none."""
    try:
        error = _Trouble.model_validate_json(body).error
    except ValidationError:
        return None
    code = str(error.code or "")
    status = int(code) if code.isdecimal() and 400 <= int(code) < 600 else 502
    return classify_answer(status, code=code, param="", message=error.message or "")
