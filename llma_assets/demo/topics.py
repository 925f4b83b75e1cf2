"""Planted topics, and how their templates become a conversation. The texts belong in one module for each team."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

Slots = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool call that the topic needs.

    Attributes:
        name: the function.
        arguments: templates by argument name.
        results: possible results.
        error: the error if it fails.
    """

    name: str
    arguments: Mapping[str, Any]
    results: tuple[Mapping[str, Any] | str, ...]
    error: str = "upstream service timed out after 30 s"


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic of conversations; all texts are templates with the team's slots in braces.

    Attributes:
        name: the planted label.
        weight: frequency relative to the team's other topics.
        openings: possible first messages of the user.
        questions: pairs of a question of the assistant and the user's reply.
        tools: tool calls in order; all but the first may be left out.
        answers: possible answers.
        follow_ups: pairs of a follow-up of the user and the assistant's reply.
        failures: answers after a tool that kept failing.
        failure_rate: share of conversations, 0 to 1, that end with the failure of a tool.
    """

    name: str
    weight: float
    openings: tuple[str, ...]
    questions: tuple[tuple[str, str], ...]
    tools: tuple[Tool, ...]
    answers: tuple[str, ...]
    follow_ups: tuple[tuple[str, str], ...]
    failures: tuple[str, ...] = ()
    failure_rate: float = 0.0


@dataclass(frozen=True, slots=True)
class Call:
    """An executed tool call, and whether it failed."""

    name: str
    arguments: Mapping[str, Any]
    result: Mapping[str, Any] | str
    failed: bool


@dataclass(frozen=True, slots=True)
class Turn:
    """A message of the user, the tool calls after it, and the assistant's answer."""

    user: str
    calls: tuple[Call, ...]
    assistant: str


def converse(topic: Topic, slots: Mapping[str, tuple[str, ...]], random: Random) -> list[Turn]:
    """One conversation on a topic: the same slot values throughout, at least one turn."""
    values = choose_slots(slots, random)
    opening = fill(random.choice(topic.openings), values)
    turns = []
    if topic.questions and random.random() < 0.55:
        question, reply = random.choice(topic.questions)
        turns.append(Turn(opening, (), fill(question, values)))
        opening = fill(reply, values)
    failed = bool(topic.failures) and random.random() < topic.failure_rate
    calls = _calls(topic, values, random, failed=failed)
    answers = topic.failures if failed else topic.answers
    turns.append(Turn(opening, calls, fill(random.choice(answers), values)))
    if topic.follow_ups and not failed and random.random() < 0.6:
        user, assistant = random.choice(topic.follow_ups)
        turns.append(Turn(fill(user, values), (), fill(assistant, values)))
    return turns


def _calls(topic: Topic, values: Slots, random: Random, *, failed: bool) -> tuple[Call, ...]:
    calls = []
    for number, tool in enumerate(topic.tools):
        if number > 0 and random.random() < 0.15:
            continue
        arguments = fill(tool.arguments, values)
        last = failed and number == len(topic.tools) - 1
        stumbles = 2 if last else int(random.random() < 0.06)
        calls += [Call(tool.name, arguments, fill(tool.error, values), True)] * stumbles
        if not last:
            calls.append(Call(tool.name, arguments, fill(random.choice(tool.results), values), False))
    return tuple(calls)


def choose_slots(slots: Mapping[str, tuple[str, ...]], random: Random) -> dict[str, str]:
    """One value for each slot; slots with equal choices (`origin`, `destination`) get different values."""
    values: dict[str, str] = {}
    for name, choices in slots.items():
        used = {values[other] for other in values if slots[other] == choices}
        values[name] = random.choice([choice for choice in choices if choice not in used])
    return values


def fill(template: Any, values: Slots) -> Any:
    """Fill the slots of a text, or of all texts of an object."""
    if isinstance(template, str):
        return template.format_map(values)
    if isinstance(template, Mapping):
        return {key: fill(value, values) for key, value in template.items()}
    if isinstance(template, list | tuple):
        return [fill(value, values) for value in template]
    return template
