"""Messages in the words of each channel. Titles and examples are hostile: they mention nobody and link nowhere."""

import html
import re

from llma_assets.alerts.messages import Message
from llma_assets.markdown import NO_WIDTH, shortened
from llma_assets.visible import visible

WIDTH = 300
_ACTIVE = re.compile(r":(?=//)|(?i:www|mailto)(?=[.:])|@|(?<=\w)\.(?=[A-Za-z])|#(?=\w)")
"""Where a sign of no width keeps text from becoming a link or a mention; `bank.com` becomes a link in some."""


def inert(text: str) -> str:
    """One line of text that no channel makes a link or a mention of.

    >>> inert("@here: https://evil.example").replace("\\u200b", "|")
    '@|here: https:|//evil.|example'
    """
    line = shortened(visible(text, ""), WIDTH)
    return _ACTIVE.sub(lambda found: found.group() + NO_WIDTH, line)


def slack_text(text: str) -> str:
    """Hostile text in Slack's mrkdwn: its three control characters are escaped, its formatting is text.

    >>> slack_text("<!channel> *now*").replace("\\u200b", "|")
    '&lt;!channel&gt; |*|now|*|'
    """
    escaped = inert(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"[*_~`]", lambda found: f"{NO_WIDTH}{found.group()}{NO_WIDTH}", escaped)


def plain_text(message: Message, message_id: str = "") -> str:
    """The message as lines."""
    lines = [inert(message.headline), *(inert(each) for each in message.facts)]
    if message.examples:
        lines += ["", "Examples:", *(f"- {inert(each)}" for each in message.examples)]
    lines += ["", *(f"{name}: {each}" for name, each in _links(message))]
    return "\n".join(lines + ([f"Message {message_id}"] if message_id else [])).strip() + "\n"


def html_text(message: Message, message_id: str) -> str:
    """The message as a page of mail."""

    def safe(text: str) -> str:
        return html.escape(inert(text))

    facts = "".join(f"<p>{safe(each)}</p>" for each in message.facts)
    examples = "".join(f"<li>{safe(each)}</li>" for each in message.examples)
    links = "".join(
        f'<p><a href="{html.escape(each)}">{name}</a></p>'
        if each.startswith("http")
        else f"<p>{name}: {html.escape(each)}</p>"
        for name, each in _links(message)
    )
    return (
        f"<html><body><h2>{safe(message.headline)}</h2>{facts}"
        f"{f'<p>Examples:</p><ul>{examples}</ul>' if examples else ''}{links}"
        f"<p><small>Message {message_id}</small></p></body></html>"
    )


def slack_blocks(message: Message, message_id: str) -> list[dict[str, object]]:
    """The message as Slack's blocks: text of traces escaped, links only to our own pages."""
    body = [*(slack_text(each) for each in message.facts), *(f"• {slack_text(each)}" for each in message.examples)]
    links = [
        f"<{each}|{name}>" if each.startswith("http") else f"{name}: {slack_text(each)}"
        for name, each in _links(message)
    ]
    sections = [f"*{slack_text(message.headline)}*", "\n".join(body), "\n".join(links)]
    found: list[dict[str, object]] = [
        {"type": "section", "text": {"type": "mrkdwn", "text": each[:2900], "verbatim": True}}
        for each in sections
        if each
    ]
    note = {"type": "plain_text", "text": f"Message {message_id}", "emoji": False}
    return [*found, {"type": "context", "elements": [note]}]


def _links(message: Message) -> list[tuple[str, str]]:
    found = [("Open", message.page), ("Mute", message.mute or message.mute_command)]
    return [(name, each) for name, each in found if each]
