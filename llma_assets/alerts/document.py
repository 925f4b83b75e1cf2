"""The file of a team's alerts: channels and rules. Storing is in `named_settings`.

channels:
  - {channel: ops, kind: webhook, address_env: LLMA_ALERTS_OPS_URL, secret_env: LLMA_ALERTS_OPS_SECRET}
rules:
  - {rule: escalating, enabled: true, channels: [ops]}
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from pydantic import TypeAdapter

from llma_assets.alerts.errors import AlertError, InvalidRulesError
from llma_assets.alerts.rule import BY_HOUR, Channel, Rule
from llma_assets.alerts.shipped import SHIPPED
from llma_assets.named_settings import Kind, NamedSettings
from llma_assets.themes import Problem, did_you_mean

_NEEDS: Mapping[str, tuple[str, ...]] = {
    "webhook": ("address_env", "secret_env"),
    "slack": ("secret_env", "to"),
    "slack_webhook": ("address_env",),
    "mail": ("address_env", "to", "sender"),
    "pagerduty": ("secret_env",),
    "apprise": ("address_env",),
}


@dataclass(frozen=True, slots=True)
class Document:
    """What a file says, checked one by one; how rules and channels go together is checked when it is applied."""

    channels: tuple[Channel, ...] = ()
    rules: tuple[Rule, ...] = ()


def read_document(text: str | bytes) -> Document:
    """The document of a YAML file.

    Raises:
        InvalidRulesError: with everything that is wrong.
    """
    return Document(**SETTINGS.read(text))


def settings_of(item: Rule | Channel) -> dict[str, Any]:
    """Plain values by field, as a file has them."""
    return RULE.settings_of(item) if isinstance(item, Rule) else CHANNEL.settings_of(item)


def write_document(document: Document) -> str:
    """The document as YAML, which `read_document` gives back."""
    return SETTINGS.write(document)


def _wrong_rule(rule: Rule) -> Iterator[tuple[str, str]]:
    limits = (rule.above, rule.times_previous, rule.times_expected)
    if rule.kind == "threshold" and all(each is None for each in limits):
        yield "above", "a threshold needs above, times_previous or times_expected"
    if rule.kind == "escalating" and rule.measure in ("error_rate", "share"):
        words = f"not {rule.measure}; take the kind threshold or share_shift"
        yield "measure", f"escalating is about traces, users or cost, {words}"
    if rule.measure in ("error_rate", "share") and rule.above is not None and rule.above > 1:
        yield "above", f"{rule.measure} is at most 1, not {rule.above:g}"
    if rule.buckets == "hour" and rule.kind not in BY_HOUR:
        yield "buckets", f"an hour says nothing of {rule.kind}; hours are judged by {', '.join(BY_HOUR)}"
    ships = SHIPPED.get(rule.rule)
    if ships and rule.kind != ships.kind:
        yield "kind", f"{rule.rule} ships as {ships.kind}; give the rule another name"


def _wrong_channel(channel: Channel) -> Iterator[tuple[str, str]]:
    for name in _NEEDS[channel.kind]:
        if not getattr(channel, name):
            yield name, f"is missing; a channel of kind {channel.kind} needs it"


def _unknown_channels(parts: Mapping[str, Mapping[str, Any]]) -> Iterator[Problem]:
    channels = parts["channels"]
    for rule in parts["rules"].values():
        for name in rule.channels:
            if name not in channels:
                yield Problem(
                    f"rule {rule.rule}.channels", f"there is no channel {name!r}{did_you_mean(name, channels)}"
                )


RULE = Kind("rule", TypeAdapter(Rule), tuple(each.name for each in fields(Rule)), _wrong_rule, SHIPPED)
CHANNEL = Kind("channel", TypeAdapter(Channel), tuple(each.name for each in fields(Channel)), _wrong_channel)
SETTINGS = NamedSettings(
    "alert_settings", (CHANNEL, RULE), 100, "alerts", AlertError, InvalidRulesError, _unknown_channels
)
