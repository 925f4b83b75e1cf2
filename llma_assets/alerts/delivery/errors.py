"""How a delivery can fail. Messages hold no address and no secret: they are stored and shown."""


class DeliveryError(Exception):
    """It was not delivered.

    Attributes:
        retry_after: the header of the answer that says when the provider wants another attempt, "" without one.
    """

    retry_after = ""


class Unreachable(DeliveryError):
    """It may work later: it is tried again."""


class Refused(DeliveryError):
    """It will not work as it is: a dead letter at once."""


class Gone(DeliveryError):
    """The channel is no more (HTTP 410, a revoked token): it is switched off."""
