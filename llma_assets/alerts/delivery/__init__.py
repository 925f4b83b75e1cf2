"""Delivery: the outbox, and the channels that its messages are sent to."""

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
)
from llma_assets.alerts.delivery.sending import Sent, deliver

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
    "claim",
    "deliver",
    "deliveries",
    "message_id",
    "outbox_counts",
    "put",
    "record",
    "switch_channel",
]
