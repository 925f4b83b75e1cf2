"""Delivery: the outbox, and the channels that its messages are sent to."""

from llma_assets.alerts.delivery.addresses import checked as checked_address
from llma_assets.alerts.delivery.addresses import secret as secret_of
from llma_assets.alerts.delivery.counting import OutboxCount, outbox_counts
from llma_assets.alerts.delivery.errors import DeliveryError, Gone, Refused, Unreachable
from llma_assets.alerts.delivery.outbox import (
    Delivery,
    again,
    channels_off,
    claim,
    deliveries,
    message_id,
    put,
    record,
    switch_channel,
    teams_with_messages,
)
from llma_assets.alerts.delivery.sending import Sent, deliver
from llma_assets.alerts.delivery.wording import inert

__all__ = [
    "Delivery",
    "DeliveryError",
    "Gone",
    "OutboxCount",
    "Refused",
    "Sent",
    "Unreachable",
    "again",
    "channels_off",
    "checked_address",
    "claim",
    "deliver",
    "deliveries",
    "inert",
    "message_id",
    "outbox_counts",
    "put",
    "record",
    "secret_of",
    "switch_channel",
    "teams_with_messages",
]
