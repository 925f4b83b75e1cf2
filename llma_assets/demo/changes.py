"""Texts of what changes in the travel agent's two weeks: a problem that ends, and one that begins, with replays."""

from llma_assets.demo.topics import Tool, Topic

VOUCHERS = Topic(
    "voucher refused",
    1.0,
    (
        "My voucher code is not accepted when I book the flight to {destination}.",
        "The gift voucher says expired, but it is valid until next year. Booking {booking}.",
        "I have a voucher over {price} euros and the code is refused, what is wrong?",
        "How do I redeem a voucher? The code field says it is unknown.",
    ),
    (("Could you read me the voucher code?", "GIFT-{booking}, it came by mail last month."),),
    (
        Tool(
            "validate_voucher",
            {"code": "GIFT-{booking}"},
            ({"voucher": "valid", "value_eur": "{price}"}, {"voucher": "locked", "reason": "migration"}),
            "voucher service: code table is read-only",
        ),
    ),
    (
        "The voucher code is valid; our voucher service had lost it, and it is accepted again now.",
        "I have redeemed the voucher of {price} euros by hand for booking {booking}.",
    ),
    (("Will the voucher work next time?", "Yes, the voucher code is unlocked."),),
    ("The voucher service refuses the code GIFT-{booking}, and I cannot unlock it.",),
    0.3,
)

PAYMENTS = Topic(
    "payment fails",
    1.0,
    (
        "The payment fails every time I press Pay now, for the flight to {destination}.",
        "My credit card is declined at checkout for booking {booking}, but the card is fine.",
        "Checkout says payment could not be processed. Was my card charged {price} euros?",
        "I tried to pay {price} euros three times, the payment page shows an error.",
    ),
    (("Which card did you pay with, and what does the page say?", "A credit card: payment could not be processed."),),
    (
        Tool(
            "charge_card",
            {"booking": "{booking}", "amount_eur": "{price}"},
            ({"payment": "declined", "step": "card check"}, {"payment": "pending", "step": "card check"}),
            "payment gateway: card check timed out",
        ),
    ),
    (
        "The payment of {price} euros did not go through and your card was not charged; please try another card.",
        "The payment gateway declined the card check. I have held booking {booking} for a day.",
    ),
    (("Can I pay in another way?", "Yes, by bank transfer; the payment page shows it at the bottom."),),
    ("The payment gateway does not answer, so the card could not be charged for booking {booking}.",),
    0.6,
)

REPLAYS = (
    "The payment fails with an error at checkout. The user enters a credit card for the flight to {destination} and "
    "presses Pay now; an error says that the payment could not be processed, and the user leaves the page.",
    "The payment fails with an error at checkout each time the user presses Pay now with a credit card. After multiple "
    "attempts the user closes the page without a flight to {destination}.",
    "The payment fails with an error at checkout: the credit card could not be processed. The user presses Pay now "
    "again, gets the same error and gives up the flight to {destination}.",
)
"""Replay descriptions of failed payments."""

ROUTINES = (
    "The user opens the seat map and picks two seats beside the window.",
    "The language of the site is switched to Spanish.",
)
"""Replay descriptions without a problem."""
