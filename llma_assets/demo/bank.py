"""Texts of the demo's bank support bot: seven planted topics and their slots. No logic."""

from llma_assets.demo.topics import Tool, Topic

SLOTS = {
    "amount": ("42.50", "1,200", "89.99", "310", "15", "2,750"),
    "merchant": ("Gable Books", "StreamNest", "Corner Fuel", "Petal & Pine", "Orbit Games", "Trattoria Lia"),
    "card": ("debit card", "credit card", "business card", "virtual card"),
    "last4": ("4471", "0925", "7718", "3302"),
    "name": ("Ana Petrov", "Lee Okafor", "Marta Lind", "Sami Haddad"),
    "country": ("Denmark", "Japan", "Mexico", "Kenya", "Canada"),
    "day": ("yesterday", "last Tuesday", "on the 3rd", "this morning", "two weeks ago"),
    "product": ("savings account", "home loan", "car loan", "student account"),
    "phone": ("a new phone", "my tablet", "an old Android", "my work laptop"),
}

SYSTEM = (
    "You are the support assistant of a retail bank. Verify before you act on an "
    "account. Never ask for a full card number, a PIN or a password. Escalate suspected fraud."
)

TOPICS = (
    Topic(
        "lost or stolen card",
        1.4,
        (
            "I lost my {card}, block it please!",
            "Someone stole my wallet {day} with the {card} ending {last4}.",
            "How do I freeze my {card}? I can't find it anywhere.",
            "My {card} was swallowed by a cash machine abroad, I need a replacement.",
        ),
        (("When did you last use the card?", "I used it {day} at {merchant}."),),
        (
            Tool("block_card", {"last4": "{last4}"}, ({"status": "blocked", "card": "{card} {last4}"},)),
            Tool("order_card", {"type": "{card}"}, ({"status": "ordered", "delivery_days": 5},)),
        ),
        (
            "Your {card} ending {last4} is blocked. A replacement card arrives within five working days.",
            "The card is frozen, nobody can pay with it. I ordered a new {card} to your home address.",
        ),
        (("Can you send it by courier?", "Yes, courier delivery takes two days and costs 12."),),
    ),
    Topic(
        "unknown charge",
        1.5,
        (
            "There is a charge of {amount} from {merchant} that I do not recognise.",
            "I was charged twice by {merchant} {day}, dispute one of the payments.",
            "Fraud! {amount} left my account to {merchant} and it was not me.",
            "What is this {merchant} transaction of {amount}? I never bought anything there.",
            "{merchant} keeps billing me {amount} for a subscription I ended.",
        ),
        (("Do you still hold the card ending {last4}?", "Yes, it is in my hand."),),
        (
            Tool(
                "list_transactions",
                {"merchant": "{merchant}", "amount": "{amount}"},
                ({"transactions": [{"merchant": "{merchant}", "amount": "{amount}", "when": "{day}"}]},),
            ),
            Tool(
                "open_dispute",
                {"merchant": "{merchant}", "amount": "{amount}"},
                ({"dispute": "opened", "provisional_credit": "{amount}"},),
                "dispute service rejected the request: transaction still pending",
            ),
        ),
        (
            "I opened a dispute about {amount} at {merchant}; a provisional credit is booked today.",
            "The {merchant} payment was made twice; the second charge of {amount} is disputed.",
            "That looks like fraud. The transaction is disputed and your card ending {last4} is replaced.",
        ),
        (("How long does the dispute take?", "The merchant has 45 days to answer; you keep the credit."),),
        ("The payment to {merchant} is still pending, so I can't dispute it yet. Please write again then.",),
        0.2,
    ),
    Topic(
        "international transfer",
        1.2,
        (
            "How do I send {amount} to {name} in {country}?",
            "My transfer to {country} has not arrived, I sent it {day}.",
            "What are the fees and the exchange rate for a wire to {country}?",
            "I typed the wrong IBAN for {name}, recall the transfer!",
        ),
        (("Do you know the recipient's SWIFT code?", "No, only the IBAN of {name}."),),
        (
            Tool(
                "transfer_status",
                {"recipient": "{name}", "country": "{country}"},
                ({"status": "in transit", "correspondent": "second bank", "expected_days": 2},),
            ),
        ),
        (
            "Wires to {country} cost 6 plus 0.4 per cent; the exchange rate is fixed when you confirm.",
            "The transfer to {name} is with the correspondent bank and should arrive in two days.",
            "I started a recall of the transfer to {name}; the recipient's bank must agree.",
        ),
        (("Can it be faster?", "An express wire to {country} arrives the same day for 15 more."),),
    ),
    Topic(
        "login and security code",
        1.2,
        (
            "I can't log in on {phone}, it says my password is wrong.",
            "The security code by text message never comes.",
            "Locked out of the app after three attempts. Help!",
            "How do I move the authenticator to {phone}?",
            "Face recognition stopped working in the app since the update.",
        ),
        (("Do you see an error number on the login screen?", "It says E-17, device not registered."),),
        (
            Tool(
                "device_registry",
                {"device": "{phone}"},
                ({"device": "{phone}", "registered": False, "locked": True},),
                "identity provider unavailable",
            ),
        ),
        (
            "I unlocked your login. Register {phone} with the activation letter, then set a new password.",
            "Your number was outdated, so the security code went elsewhere. Confirm the new one in a branch.",
            "Remove the old device in the app, then scan the activation code with {phone}.",
        ),
        (("The activation code expired.", "I sent a fresh activation code; it is valid for ten minutes."),),
        ("I can't check your device now, the identity service is down. Please try again in an hour.",),
        0.15,
    ),
    Topic(
        "loan and mortgage",
        0.9,
        (
            "What interest rate would I get on a {product} over five years?",
            "I want to repay my home loan early, is there a penalty?",
            "Can I lower the monthly instalment of my mortgage?",
            "How much can I borrow with an income of {amount} a week?",
        ),
        (("What is the outstanding balance?", "About 84,000 with eleven years to go."),),
        (
            Tool(
                "loan_calculator",
                {"product": "{product}", "years": 5},
                ({"rate_percent": 4.1, "instalment": "{amount}", "early_repayment_fee_percent": 0.5},),
            ),
        ),
        (
            "The loan's rate is 4.1 per cent; the monthly instalment would be {amount}.",
            "Early repayment of the mortgage costs half a per cent of what is repaid.",
            "By extending the term four years your instalment falls to {amount} a month.",
        ),
        (("Is the rate fixed?", "Fixed for ten years, then it follows the market."),),
    ),
    Topic(
        "account opening",
        0.8,
        (
            "I'd like to open a {product}, what documents do you need?",
            "Open a joint account for me and {name}.",
            "Can my 15-year-old daughter have her own account and card?",
            "My identity check by video failed when opening the account.",
        ),
        (),
        (
            Tool(
                "start_application",
                {"product": "{product}", "applicant": "{name}"},
                ({"application": "started", "needs": ["passport", "proof of address"]},),
            ),
        ),
        (
            "For a new {product} we need a passport and a proof of address; I started the application.",
            "Both holders of the joint account sign online; {name} gets an invitation by e-mail.",
            "The video identity check can be repeated today until ten in the evening.",
        ),
        (("Is the account free of charge?", "Yes, below 28 years of age or with regular income."),),
    ),
    Topic(
        "statement and tax certificate",
        0.7,
        (
            "I need the account statements of last year as PDF for my accountant.",
            "Where do I find the annual tax certificate on interest?",
            "Send a balance confirmation for a visa application to {country}.",
            "The September statement is missing in my mailbox.",
        ),
        (),
        (
            Tool(
                "create_document",
                {"kind": "statement", "year": 2025},
                ({"document": "ready", "pages": 14}, {"document": "queued", "ready_in_minutes": 20}),
            ),
        ),
        (
            "The statements of the year are in your mailbox as one PDF of 14 pages.",
            "The tax certificate on your interest is created every February; I sent last year's again.",
            "The balance confirmation in English, stamped, is on its way to your mailbox.",
        ),
        (("In English please.", "Done, the English version of the document follows."),),
    ),
)
