"""From a pydantic model to the JSON schema that servers take, and from a model's text back to the object."""

import json
import re
from collections.abc import Iterator, Set
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, ValidationError

from llma_assets.models.protocols import T

# Strict mode refuses these, or servers differ on them; the answer is validated against them here anyway.
_DROPPED = {"title", "default", "examples", "minLength", "maxLength", "maxItems", "uniqueItems", "format", "pattern"}
_LONGEST_STRING = 400
_END_OF_THINKING = "</think>"
_MAX_PROBLEMS = 8
_MAX_TRIES = 200  # braces that are looked behind; a hostile answer must not cost the square of its length


class Unreadable(Exception):
    """A model's text is not the object that was asked for.

    Attributes:
        kind: `garbage`, `empty`, `invalid_json` or `schema`.
        problems: one line each, without any of the text; fit to be sent back to the model and to be stored.
        answer: the text itself, for the model alone; it is in no message.
    """

    def __init__(self, kind: str, problems: tuple[str, ...], *, answer: str = "") -> None:
        super().__init__("; ".join(problems))
        self.kind = kind
        self.problems = problems
        self.answer = answer


@lru_cache(maxsize=64)
def strict_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema of `model` as strict mode wants it: all fields required, no others. Not to be changed."""
    import openai

    parameters = openai.pydantic_function_tool(model)["function"]["parameters"]
    schema: dict[str, Any] = _without_loose_keywords(parameters, _DROPPED)
    return schema


@lru_cache(maxsize=64)
def bounded_schema(model: type[BaseModel]) -> dict[str, Any]:
    """`strict_schema` with an end to each string, and to each list that has one in `model`.

    For servers that make a grammar of it: a small model writes on until the grammar stops it.
    """
    import openai

    parameters = openai.pydantic_function_tool(model)["function"]["parameters"]
    schema: dict[str, Any] = _without_loose_keywords(parameters, _DROPPED - {"maxLength", "maxItems"})
    bounded: dict[str, Any] = _with_ends(schema)
    return bounded


def _with_ends(node: Any) -> Any:
    if isinstance(node, dict):
        ended = {key: _with_ends(value) for key, value in node.items()}
        return {"maxLength": _LONGEST_STRING, **ended} if node.get("type") == "string" else ended
    return [_with_ends(value) for value in node] if isinstance(node, list) else node


def _without_loose_keywords(node: Any, dropped: Set[str], *, names: bool = False) -> Any:
    """Drop keywords in `node`; where its keys are names of fields or definitions (`names`), keep all keys."""
    if isinstance(node, dict):
        return {
            key: _without_loose_keywords(value, dropped, names=not names and key in {"properties", "$defs"})
            for key, value in node.items()
            if names or key not in dropped
        }
    if isinstance(node, list):
        return [_without_loose_keywords(value, dropped) for value in node]
    return node


def read_answer(text: str, schema: type[T], *, cut_off: bool = False) -> T:
    """Read an object of `schema` out of a model's text: bare JSON, or JSON with a fence or prose around it.

    Args:
        text: what the model said.
        schema: what it has to be.
        cut_off: the text may end too early, so an object inside an incomplete one does not count.

    Raises:
        Unreadable: there is no such object in it.
    """
    thoughts, thought, said = text.rpartition(_END_OF_THINKING)
    # Objects in thoughts are tried out, not given; unless the words of the tag stand inside the object itself.
    answer = text if thought and thoughts.lstrip().startswith("{") else said
    if not answer.strip():
        raise Unreadable("empty", ("the answer is empty",))
    problem: ValidationError | None = None
    for found in _objects(answer, outermost=cut_off):
        try:
            return schema.model_validate(found)
        except ValidationError as error:
            problem = problem or error
    if problem is None:
        raise Unreadable("invalid_json", ("the answer holds no complete JSON object",), answer=text)
    # The path may hold keys of the model's own making, so only names of the schema are repeated.
    known = set(re.findall(r'"([A-Za-z_]\w*)"', json.dumps(schema.model_json_schema())))
    details = problem.errors(include_url=False, include_input=False, include_context=False)
    lines = [f"{_path(detail['loc'], known)}: {detail['type']}" for detail in details[:_MAX_PROBLEMS]]
    raise Unreadable("schema", tuple(lines), answer=text)


def _path(loc: tuple[int | str, ...], known: set[str]) -> str:
    return ".".join(str(part) if isinstance(part, int) or part in known else "…" for part in loc) or "answer"


def _objects(text: str, *, outermost: bool) -> Iterator[Any]:
    """Complete JSON objects in `text`, one behind the other; `outermost` ends at what is none."""
    decoder = json.JSONDecoder()
    start, tried = text.find("{"), 0
    while start != -1 and tried < _MAX_TRIES:
        tried += 1
        try:
            found, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            start = -1 if outermost else text.find("{", start + 1)
        else:
            yield found
            start = text.find("{", end)
