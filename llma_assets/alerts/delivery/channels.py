"""The channels: how a message is sent to each. Retries belong in `sending.py`."""

import base64
import binascii
import hashlib
import hmac
import json
import logging
import smtplib
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from email.message import EmailMessage
from typing import Any
from urllib.parse import unquote, urlsplit

from llma_assets.alerts.delivery.addresses import checked, is_allowed_private, resolved, secret
from llma_assets.alerts.delivery.errors import Gone, Refused, Unreachable
from llma_assets.alerts.delivery.outbox import Delivery
from llma_assets.alerts.delivery.wording import html_text, inert, plain_text, slack_blocks, slack_text
from llma_assets.alerts.rule import Channel, ChannelKind
from llma_assets.extras import missing_extra

log = logging.getLogger(__name__)

TIMEOUT_S = 10.0
SLACK, PAGERDUTY = "https://slack.com/api", "https://events.pagerduty.com"
_LARGEST_ANSWER = 1 << 20

Send = Callable[[Channel, Delivery, Delivery | None, datetime], str]
"""Sends a message to a channel: with the first message of the incident that the channel has, and the present moment.
Returns the provider's id."""


def webhook(channel: Channel, delivery: Delivery, first: Delivery | None, now: datetime) -> str:  # noqa: ARG001
    """A signed POST of Standard Webhooks 1.0; `webhook-id` is the message's, so that a receiver takes it once."""
    body = json.dumps(
        {"type": f"alert.{delivery.event}", "timestamp": now.isoformat(), "data": delivery.message.as_json()},
        ensure_ascii=False,
    ).encode()
    identity, at = f"msg_{delivery.message_id}", str(int(now.timestamp()))
    signature = signed(secret(channel.secret_env), identity, at, body, channel.secret_env)
    headers = {"webhook-id": identity, "webhook-timestamp": at, "webhook-signature": signature}
    _post(secret(channel.address_env), channel.address_env, body, headers)
    return identity


def signed(key: str, identity: str, at: str, body: bytes, variable: str) -> str:
    """The signature of Standard Webhooks 1.0, `v1,` and base64 of HMAC-SHA256.

    Raises:
        Unreachable: the key is no base64 of 24 to 64 bytes.
    """
    try:
        raw = base64.b64decode(key.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if not 24 <= len(raw) <= 64:
        raise Unreachable(f"{variable} must hold whsec_ and the base64 of 24 to 64 bytes")
    digest = hmac.new(raw, f"{identity}.{at}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def slack(channel: Channel, delivery: Delivery, first: Delivery | None, now: datetime) -> str:  # noqa: ARG001
    """A message by a bot token; what follows on an incident is answered in its thread. The id is Slack's `ts`.

    A change of severity and a closing also change the incident's first message, so that it says how things are. This
    comes first, as it may be done twice: a process that is killed between the two answers in the thread all the same.
    """
    message = delivery.message
    said = {
        "channel": channel.to[0],
        "text": slack_text(message.headline),
        "blocks": slack_blocks(message, str(delivery.message_id)),
    }
    if first and first.event == "opened" and message.event in ("worse", "closed"):
        try:
            _slack_call(channel, "chat.update", {**said, "ts": first.reply})
        except (Refused, Unreachable) as error:
            if not isinstance(error, Refused):
                raise
            # Somebody deleted it, or it may not be changed any longer: the thread has the news.
            log.info("the first message of an incident was not changed: %s", error)
    answer = _slack_call(
        channel,
        "chat.postMessage",
        {
            **said,
            "unfurl_links": False,
            "unfurl_media": False,
            "client_msg_id": str(delivery.message_id),
            **({"thread_ts": first.reply} if first else {}),
        },
    )
    return str(answer.get("ts", ""))


def _slack_call(channel: Channel, method: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Call a method of Slack's API.

    Raises:
        Gone: token or channel are no more. Unreachable: it may work later. Refused: this call will not.
    """
    base = secret(channel.address_env) if channel.address_env else SLACK
    token = secret(channel.secret_env)
    answer = _post(f"{base}/{method}", channel.address_env or "Slack", body, {"Authorization": f"Bearer {token}"})
    try:
        said: Mapping[str, Any] = json.loads(answer)
    except ValueError:
        raise Unreachable("Slack answered something that is no JSON") from None
    if said.get("ok"):
        return said
    error = str(said.get("error", "unknown"))[:60]
    if error in ("token_revoked", "account_inactive", "invalid_auth", "channel_not_found", "is_archived"):
        raise Gone(f"Slack says {error}; look at {channel.secret_env} and at the channel {channel.to[0]}")
    if error in ("not_in_channel", "missing_scope", "no_permission"):
        needs = "invite the bot to the channel" if error == "not_in_channel" else "the token needs the scope chat:write"
        raise Unreachable(f"Slack says {error}; {needs}")
    if error in ("ratelimited", "fatal_error", "internal_error", "service_unavailable", "request_timeout"):
        raise Unreachable(f"Slack says {error}")
    raise Refused(f"Slack says {error}")


def slack_webhook(channel: Channel, delivery: Delivery, first: Delivery | None, now: datetime) -> str:  # noqa: ARG001
    """A message to the address of a Slack webhook; these know no threads and no ids."""
    message = delivery.message
    body = {"text": slack_text(message.headline), "blocks": slack_blocks(message, str(delivery.message_id))}
    _post(secret(channel.address_env), channel.address_env, body)
    return ""


def pagerduty(channel: Channel, delivery: Delivery, first: Delivery | None, now: datetime) -> str:  # noqa: ARG001
    """An event of the API v2; `dedup_key` is the incident's, so that it is one incident there, too."""
    message = delivery.message
    base = secret(channel.address_env) if channel.address_env else PAGERDUTY
    key = message.incident_id or str(delivery.message_id)
    event: dict[str, Any] = {
        "routing_key": secret(channel.secret_env),
        "event_action": "resolve" if message.event == "closed" else "trigger",
        "dedup_key": f"llma-{key}",
    }
    if message.event != "closed":
        event["payload"] = {
            "summary": inert(message.headline)[:1024],
            "source": f"llma team {message.team_id}",
            "severity": {1: "warning", 2: "error", 3: "critical"}[message.severity],
            "custom_details": {
                "facts": list(map(inert, message.facts)),
                "examples": list(map(inert, message.examples)),
            },
        }
        event["links"] = [
            {"href": each, "text": name} for name, each in (("Open", message.page), ("Mute", message.mute)) if each
        ]
    _post(f"{base}/v2/enqueue", channel.address_env or "PagerDuty", event)
    return event["dedup_key"]  # type: ignore[no-any-return]


def mail(channel: Channel, delivery: Delivery, first: Delivery | None, now: datetime) -> str:
    """A mail of text and HTML; the Message-ID is the message's, and what follows refers to it."""
    made = EmailMessage()
    made["Subject"], made["From"], made["To"] = inert(delivery.message.headline), channel.sender, ", ".join(channel.to)
    identity = f"<{delivery.message_id}@llma-assets>"
    made["Message-ID"], made["Date"] = identity, now
    if first:
        made["In-Reply-To"] = made["References"] = first.reply
    made.set_content(plain_text(delivery.message, str(delivery.message_id)))
    made.add_alternative(html_text(delivery.message, str(delivery.message_id)), subtype="html")
    _mail(secret(channel.address_env), channel.address_env, made)
    return first.reply if first else identity


def apprise(channel: Channel, delivery: Delivery, first: Delivery | None, now: datetime) -> str:  # noqa: ARG001
    """One of the hundred channels of the package apprise, by its URL."""
    if missing := missing_extra("apprise", "a channel of kind apprise"):
        raise Unreachable(missing)
    import apprise as package

    address = secret(channel.address_env)
    host = urlsplit(address).hostname or ""
    # For most services this is a part of a token; where it is a host, it must not be a private one.
    with suppress(Unreachable):
        resolved(host, 443, channel.address_env)
    client = package.Apprise()
    if not client.add(address):
        raise Refused(f"{channel.address_env} does not hold an address that apprise knows")
    said = plain_text(delivery.message, str(delivery.message_id))
    if not client.notify(body=said, title=inert(delivery.message.headline)):
        raise Unreachable("apprise could not deliver it")
    return ""


SENDERS: Mapping[ChannelKind, Send] = {
    "webhook": webhook,
    "slack": slack,
    "slack_webhook": slack_webhook,
    "pagerduty": pagerduty,
    "mail": mail,
    "apprise": apprise,
}


def _post(url: str, variable: str, body: bytes | Mapping[str, Any], headers: Mapping[str, str] | None = None) -> bytes:
    """POST JSON without following redirects; the answer's body where it is a success.

    Raises:
        Gone, Refused, Unreachable: by the answer's status, without any of its words, which may repeat the address.
    """
    import httpx2

    target = checked(url, variable)
    content = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    given = {"Content-Type": "application/json; charset=utf-8", "Host": target.host, "User-Agent": "llma-assets"}
    name = urlsplit(url).hostname or ""
    try:
        with (
            httpx2.Client(timeout=TIMEOUT_S, follow_redirects=False, trust_env=False) as client,
            client.stream(
                "POST",
                target.url,
                content=content,
                headers={**given, **(headers or {})},
                extensions={"sni_hostname": name},
            ) as response,
        ):
            status, answer = response.status_code, b""
            retry_after = response.headers.get("Retry-After", "")
            for part in response.iter_bytes():
                answer += part
                if len(answer) > _LARGEST_ANSWER:
                    break
    except httpx2.HTTPError as error:
        raise Unreachable(f"no answer: {type(error).__name__}") from None
    if 200 <= status < 300:
        return answer
    if status == 410:
        raise Gone("HTTP 410: the address is no more")
    failure = Unreachable(f"HTTP {status}" + ("; redirects are not followed" if 300 <= status < 400 else ""))
    if status in (429, 503):
        failure.retry_after = retry_after
    raise failure


def _mail(address: str, variable: str, made: EmailMessage) -> None:
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise Refused(f"{variable} does not hold a valid address") from None
    if parts.scheme not in ("smtp", "smtps") or not host:
        raise Refused(f"{variable} must hold an address like smtp://user:password@host:587")
    resolved(host, port or 587, variable)
    context = ssl.create_default_context()
    try:
        server: smtplib.SMTP
        if parts.scheme == "smtps":
            server = smtplib.SMTP_SSL(host, port or 465, timeout=TIMEOUT_S, context=context)
        else:
            server = smtplib.SMTP(host, port or 587, timeout=TIMEOUT_S)
        with server:
            if parts.scheme == "smtp" and server.has_extn("starttls"):
                server.starttls(context=context)
            elif parts.scheme == "smtp" and not is_allowed_private(host):
                server.ehlo()
                if not server.has_extn("starttls"):
                    raise Refused(f"the server of {variable} offers no encryption; take smtps:// or another server")
                server.starttls(context=context)
            if parts.username:
                server.login(unquote(parts.username), unquote(parts.password or ""))
            server.send_message(made)
    except smtplib.SMTPAuthenticationError:
        raise Unreachable(f"the mail server refuses the user or password in {variable}") from None
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        kind = Refused if all(code >= 500 for code in codes) else Unreachable
        raise kind(f"the mail server refuses every recipient ({', '.join(map(str, codes))})") from None
    except smtplib.SMTPResponseException as error:
        raise Unreachable(f"the mail server says {error.smtp_code}") from None
    except (OSError, smtplib.SMTPException) as error:
        raise Unreachable(f"no answer of the mail server: {type(error).__name__}") from None
