"""The health of the models of a run: it tells a set-up that cannot work from items that fail.

A key that is refused in an unknown way, a model that never keeps to the format, vectors of nothing but NaN: each answer
by itself looks like the failure of its item. So while nothing has been accepted, failures are held back; after a few of
them in a row, or when there is nothing more to ask, the model is asked about a sample that is known to be good. Which
sample, is for the room to say that asks.
"""

from collections import Counter

from llma_assets.models.errors import ModelConfigurationError, ModelError, ModelUnavailable
from llma_assets.privacy import quoted

FAILURES_IN_A_ROW = 8
"""Failures without anything accepted, after which a sample decides. With five calls under way at most twelve items are
asked about before a wrong set-up is known; a model that fails on three items of five gets so far one time in sixty, and
its answer to the sample then still speaks for it."""


class NothingUsable(ModelConfigurationError):
    """Nothing that the model gave could be used, nor what it gave for a sample: no item is to blame.

    Attributes:
        is_one_themes: whether the model gave something usable for another theme of the run.
        skip_reason: what the stage calls it where people look for why there is nothing.
    """

    def __init__(self, message: str, *, is_one_themes: bool = False, skip_reason: str = "failed") -> None:
        super().__init__(message, kind="nothing_usable")
        self.is_one_themes = is_one_themes
        self.skip_reason = skip_reason

    def of(self, items: int, *, skip_reason: str) -> "NothingUsable":
        """The same, said of all the items that were to be worked on."""
        return NothingUsable(f"{items} of {items}: {self}", is_one_themes=self.is_one_themes, skip_reason=skip_reason)


class NothingAnswered(ModelUnavailable):
    """The server answered nothing in this run; what was asked is deferred to the next one.

    Attributes:
        skip_reason: the kind of what went wrong.
    """

    def __init__(self, message: str, *, kind: str) -> None:
        super().__init__(message, kind=kind)
        self.skip_reason = kind


class ModelHealth:
    """What models have answered in one run of a stage, by theme. For one thread."""

    def __init__(self) -> None:
        self._accepted: Counter[tuple[str, str]] = Counter()
        self._faults: dict[tuple[str, str], NothingUsable] = {}

    def accept(self, model: str, theme_id: str) -> None:
        """Something usable came."""
        self._accepted[model, theme_id] += 1

    def is_trusted(self, model: str, theme_id: str) -> bool:
        """Whether anything usable has come for the theme."""
        return self._accepted[model, theme_id] > 0

    def has_answered(self, model: str) -> bool:
        """Whether anything usable has come, for whatever theme."""
        return any(name == model for name, _ in +self._accepted)

    def raise_known_fault(self, model: str, theme_id: str) -> None:
        """Refuse a theme for which the model is known to give nothing usable. To be called before it is begun.

        Raises:
            NothingUsable: it was found before, on another day of the run.
        """
        if fault := self._faults.get((model, theme_id)):
            raise fault

    def fault(self, model: str, theme_id: str, failures: int, sample: ModelError) -> NothingUsable:
        """What to raise after failures and nothing else, where the sample failed as well."""
        quote = f'; it said: "{said}"' if (said := quoted(sample.said)) else ""
        why = sample.kind if str(sample).startswith(sample.kind) else f"{sample.kind}: {sample}"
        fault = NothingUsable(
            f"the model {model} gave nothing that can be used, {failures} times in a row, nor for a sample that is not "
            f"to blame ({why.rstrip('.')}){quote}",
            is_one_themes=self.has_answered(model),
        )
        self._faults[model, theme_id] = fault
        return fault
