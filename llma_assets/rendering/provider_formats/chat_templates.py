"""Splits conversations in the syntax of chat templates: ChatML, Llama, Gemma, Phi, Mistral, Harmony.

Transcripts without tokens of a template belong in `transcripts`. All patterns take linear time.
"""

import re
from collections.abc import Iterator
from typing import Final

from llma_assets.rendering.json_text import NOT_JSON, parse_container
from llma_assets.rendering.message import THINKING, Message, role_of
from llma_assets.rendering.provider_formats.nested import mapping, tool_call

_STARTS: Final = ("<|", "<start_of_turn>", "<bos>", "<s>", "[INST]", "[SYSTEM_PROMPT]", "[AVAILABLE_TOOLS]")
_TURNS: Final = (
    re.compile(r"<\|im_start\|>(\w{1,40})\n(.*?)(?:<\|im_end\|>|(?=<\|im_start\|>)|\Z)", re.DOTALL),
    re.compile(
        r"<\|start_header_id\|>(\w{1,40})<\|end_header_id\|>(.*?)(?:<\|eo[tm]_id\|>|(?=<\|start_header)|\Z)", re.DOTALL
    ),
    re.compile(r"<start_of_turn>(\w{1,40})\n(.*?)(?:<end_of_turn>|(?=<start_of_turn>)|\Z)", re.DOTALL),
    re.compile(
        r"<\|(system|user|assistant|tool)\|>(.*?)(?:<\|end\|>|</s>|(?=<\|(?:system|user|assistant)\|>)|\Z)", re.DOTALL
    ),
)
"""Templates that name the role of each turn."""

_MISTRAL: Final = re.compile(r"\[/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_RESULTS|TOOL_CALLS)\]|</?s>")
_LLAMA_SYSTEM: Final = re.compile(r"\s*<<SYS>>(.*?)<</SYS>>", re.DOTALL)
_MISTRAL_ROLES: Final = {
    "[INST]": "user", "[SYSTEM_PROMPT]": "system", "[TOOL_RESULTS]": "tool", "[TOOL_CALLS]": "calls",
    "[AVAILABLE_TOOLS]": "tools",
}  # fmt: skip
_HARMONY: Final = re.compile(r"<\|(start|channel|constrain|message|end|call|return)\|>")
_TO: Final = re.compile(r"\bto=(?:functions\.)?([\w.-]{1,120})")


def read_template(text: str) -> list[Message]:
    """The turns of a conversation in a template, or `[]` if `text` is in none.

    >>> [(m.role, m.text) for m in read_template("<start_of_turn>user\\nHi<end_of_turn>\\n<start_of_turn>model\\n")]
    [('user', 'Hi')]
    >>> [(m.role, m.text) for m in read_template("<s>[INST] Hi [/INST] Hello!</s>[INST] Bye [/INST]")]
    [('user', 'Hi'), ('assistant', 'Hello!'), ('user', 'Bye')]
    """
    if not text.startswith(_STARTS):
        return []
    if text.startswith(("<|start|>", "<|channel|>")):
        return list(_harmony(text))
    for pattern in _TURNS:
        turns = [(turn.group(1), turn.group(2).strip()) for turn in pattern.finditer(text)]
        if turns:
            turns = turns[:-1] if not turns[-1][1] else turns  # the empty turn that prompts for an answer
            return [Message(role_of(name, "user"), words) for name, words in turns]
    return list(_mistral(text)) if "[INST]" in text else []


def _mistral(text: str) -> Iterator[Message]:
    """Turns of Mistral and Llama 2: what is not between tokens that name a role was said by the model."""
    role, end = "assistant", 0
    for token in [*_MISTRAL.finditer(text), None]:
        said = text[end : token.start() if token else len(text)].strip()
        if said and role == "user" and (system := _LLAMA_SYSTEM.match(said)):
            yield Message("system", system.group(1).strip())
            said = said[system.end() :].strip()
        if said and role == "calls":
            parsed = parse_container(said)
            calls = parsed if isinstance(parsed, list) else []
            found = tuple(tool_call(call.get("name"), call.get("arguments")) for call in map(mapping, calls))
            yield Message("assistant", "" if found else said, found)
        elif said and role != "tools":
            yield Message(role, said)
        if token:
            end = token.end()
            role = _MISTRAL_ROLES.get(token.group(), "assistant")


def _harmony(text: str) -> Iterator[Message]:
    """Turns of gpt-oss: `<|start|>role<|channel|>channel<|message|>text<|end|>`; analysis is the model's thinking."""
    header, said, part = {"start": "assistant"}, "", "start"
    tokens = list(_HARMONY.finditer(text))
    for place, token in enumerate(tokens):
        behind = tokens[place + 1].start() if place + 1 < len(tokens) else len(text)
        part, said = token.group(1), text[token.end() : behind].strip()
        if part in {"end", "call", "return"}:
            header = {"start": "assistant"}
        elif part == "message":
            if said:
                yield _harmony_turn(header, said)
        elif part == "start":
            header = {"start": said}
        else:
            header[part] = said


def _harmony_turn(header: dict[str, str], said: str) -> Message:
    who, channel = header.get("start", "").split(" to=")[0].strip(), header.get("channel", "")
    if who not in {"assistant", "user", "system", "developer"}:
        return Message("tool", said)
    target = _TO.search(f"{header.get('start', '')} {channel}")
    if who == "assistant" and target is not None:
        parsed = parse_container(said)
        return Message("assistant", "", (tool_call(target.group(1), said if parsed is NOT_JSON else parsed),))
    return Message(THINKING if channel.startswith("analysis") else role_of(who, "assistant"), said)
