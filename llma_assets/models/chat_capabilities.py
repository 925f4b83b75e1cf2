"""What a server accepts of a chat request, learned from what it refuses.

The strictest form is asked first. Where a refusal names what it refuses, that is asked in another way; where it names
nothing, one part after another is left out. What is found is kept for the server and the model. Knows no HTTP.
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

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
_NEXT_EFFORT = {"none": "minimal", "minimal": "low"}
_MOST_SEARCHES = 2


@dataclass(frozen=True, slots=True)
class RequestForm:
    """The form of a request.

    Attributes:
        mode: how an object is asked for.
        takes_temperature: whether a temperature is sent.
        limit_name: what the limit of the answer is called, "" where none is sent.
        effort: the reasoning effort that is sent, "" for none.
        takes_system: whether instructions go as a system message; else they stand before the first question.
    """

    mode: StructuredMode = "json_schema"
    takes_temperature: bool = True
    limit_name: LimitName = "max_completion_tokens"
    effort: str = ""
    takes_system: bool = True

    def without(self, kind: str, mentions: frozenset[str]) -> "RequestForm | None":
        """The next form to try after a refusal of this kind, that speaks of these parts; None where it is for
        something else.
        """
        # Servers with a small context refuse a large limit as too long.
        if kind in {"rejected", "too_long"} and self.limit_name in _NEXT_LIMIT and self.limit_name in mentions:
            return replace(self, limit_name=_NEXT_LIMIT[self.limit_name])
        if kind != "rejected":
            return None
        following = {
            "effort": replace(self, effort=_NEXT_EFFORT.get(self.effort, "")),
            "temperature": replace(self, takes_temperature=False),
            "system": replace(self, takes_system=False),
            "format": replace(self, mode=_NEXT_MODE.get(self.mode, self.mode)),
        }
        return next((form for part, form in following.items() if part in mentions and form != self), None)

    def plainer(self) -> Iterator["RequestForm"]:
        """Forms to try after a refusal that names nothing: each part alone left out, then all of them."""
        plainest = RequestForm("text", False, "", "", False)
        parts = (
            replace(self, effort=""),
            replace(self, limit_name="max_tokens" if self.limit_name == "max_completion_tokens" else ""),
            replace(self, takes_temperature=False),
            replace(self, takes_system=False),
            replace(self, mode="json_object"),
            replace(self, mode="text"),
        )
        seen = {self}
        for form in (*parts, plainest):
            if form not in seen:
                seen.add(form)
                yield form


@dataclass(slots=True)
class ChatCapabilities:
    """What was found of a model at a server so far. Safe to use from several threads.

    Attributes:
        form: how it is asked.
        accepted: whether it ever took a request in this form.
        searching: held by the thread that looks for a form that is accepted; the others wait for what it finds.
        searches: how often a thread looked in vain.
    """

    form: RequestForm = field(default_factory=RequestForm)
    accepted: bool = False
    searches: int = 0
    searching: threading.Lock = field(default_factory=threading.Lock)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def step_down(self, known: RequestForm, following: RequestForm) -> None:
        """`known` was refused for what it has beside `following`."""
        with self._lock:
            if self.form == known:  # else another thread has stepped down already
                self.form, self.accepted = following, False

    def note_accepted(self, form: RequestForm) -> None:
        """A request in this form was accepted."""
        with self._lock:
            if form == self.form:
                self.accepted = True
            elif not self.accepted:
                self.form, self.accepted = form, True

    @property
    def may_search(self) -> bool:
        """Whether it is worth looking for another form without knowing what is wrong."""
        return not self.accepted and self.searches < _MOST_SEARCHES
