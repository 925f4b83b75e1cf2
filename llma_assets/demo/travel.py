"""Texts of the demo's travel-booking agent: eight planted topics and their slots. No logic."""

from llma_assets.demo.topics import Tool, Topic

_CITIES = ("Lisbon", "Oslo", "Nairobi", "Osaka", "Toronto", "Lima", "Athens", "Dublin", "Marrakesh", "Seoul")

SLOTS = {
    "origin": _CITIES,
    "destination": _CITIES,
    "date": ("3 December", "the 14th of January", "next Friday", "22 February", "the first Monday of March"),
    "booking": ("QX7P2L", "M4TT9A", "ZK03RW", "B8LN5D", "HH21VC", "T6YEQ0"),
    "carrier": ("Northlight Air", "Meridian", "Blue Heron Airlines", "Condorel"),
    "hotel": ("Hotel Alder", "The Quay Rooms", "Casa Miravento", "Lantern House", "Pension Weiss"),
    "car": ("compact", "seven-seat van", "convertible", "estate car with a roof box"),
    "price": ("184", "229", "412", "566", "93", "1,048"),
    "people": ("two of us", "me and my two kids", "a group of six", "just me", "my parents and me"),
    "weight": ("26 kg", "31 kg", "two pieces of 23 kg", "a bicycle in a box"),
    "loyalty": ("Silver", "Gold", "Explorer"),
}

SYSTEM = (
    "You are the booking agent of a travel site. Use the tools, never invent prices, confirm before you book,"
    " cancel or charge anything, and keep answers short."
)

TOPICS = (
    Topic(
        "flight search",
        1.6,
        (
            "I need a flight from {origin} to {destination} on {date}, what is the cheapest?",
            "Find flights {origin} - {destination}, leaving {date}, for {people}.",
            "How do I get from {origin} to {destination} around {date}? Direct flights only please.",
            "Cheapest airfare to {destination} out of {origin}? {date} would be ideal.",
            "Can you compare departures from {origin} to {destination} for {people}?",
        ),
        (
            (
                "Which cabin would you like, and are your dates flexible?",
                "Economy. One day earlier is fine too.",
            ),
            ("For how many passengers should I search flights?", "It is {people}."),
        ),
        (
            Tool(
                "search_flights",
                {"from": "{origin}", "to": "{destination}", "date": "{date}", "cabin": "economy"},
                (
                    {"flights": [{"carrier": "{carrier}", "stops": 0, "price_eur": "{price}"}]},
                    {"flights": [{"carrier": "{carrier}", "stops": 1, "layover": "2 h 10", "price": "{price}"}]},
                ),
            ),
        ),
        (
            "The cheapest flight from {origin} to {destination} on {date} is with {carrier} "
            "at {price} euros, direct. Shall I hold the seats?",
            "I found one good departure: {carrier}, {price} euros a person, morning flight to {destination}.",
            "{carrier} flies {origin} to {destination} for {price} euros with one short stop.",
        ),
        (
            (
                "Is there anything in the afternoon?",
                "Yes, an afternoon flight leaves at 15:40, for 20 euros more.",
            ),
            ("Book that flight.", "I have reserved the seats; the fare is held for 24 hours."),
        ),
    ),
    Topic(
        "cancellation and refund",
        1.3,
        (
            "Please cancel my booking {booking} and refund me.",
            "I can't travel on {date} any more, how much money do I get back for {booking}?",
            "Cancel reservation {booking}. My doctor forbids me to travel, I want a full refund.",
            "What are the cancellation fees for {booking}? I want my money back on the card.",
            "Refund for {booking} still has not arrived, I cancelled three weeks ago!",
        ),
        (
            ("Was the ticket bought with the refundable fare?", "I think it was the basic fare."),
            ("May I cancel {booking} now? The fee is shown in your terms.", "Yes, cancel it."),
        ),
        (
            Tool(
                "get_booking",
                {"reference": "{booking}"},
                ({"reference": "{booking}", "fare": "basic", "refundable": False, "paid_eur": "{price}"},),
            ),
            Tool(
                "cancel_booking",
                {"reference": "{booking}", "refund_to": "original card"},
                (
                    {"status": "cancelled", "refund_eur": "{price}"},
                    {"status": "cancelled", "refund_eur": "0"},
                ),
                "refund service answered 503",
            ),
        ),
        (
            "Booking {booking} is cancelled. The refund of {price} euros goes to your card within ten days.",
            "The basic fare is not refundable; I cancelled {booking} and you get the airport taxes back.",
            "Your refund for {booking} was sent to the bank yesterday; it takes up to five working days.",
        ),
        (
            (
                "That is outrageous, I paid {price}!",
                "I understand. A claim with a doctor's note may be refunded.",
            ),
            ("How will I see the refund?", "It appears on the card statement as a credit from us."),
        ),
        ("I could not cancel {booking}: the refund system does not answer. A colleague will call you.",),
        0.15,
    ),
    Topic(
        "date change",
        1.1,
        (
            "Move my flight {booking} to {date}.",
            "I need to rebook {booking}, the meeting in {destination} was postponed to {date}.",
            "Can I change the date of ticket {booking} without paying a fortune?",
            "Reschedule my return from {destination} to {date} please, reference {booking}.",
            "Switch {booking} to a later departure, same day if possible.",
        ),
        (("Morning or evening on the new date?", "Evening, after six."),),
        (
            Tool(
                "get_booking",
                {"reference": "{booking}"},
                ({"reference": "{booking}", "route": "{origin}-{destination}", "changeable": True},),
            ),
            Tool(
                "change_flight",
                {"reference": "{booking}", "new_date": "{date}"},
                ({"status": "changed", "fare_difference_eur": "{price}", "change_fee_eur": 40},),
            ),
        ),
        (
            "Done: {booking} now departs on {date}. The change fee is 40 euros plus the fare difference.",
            "The rescheduled flight on {date} costs {price} euros more. Shall I change it?",
            "I moved your return to {date}; the new itinerary is in your inbox.",
        ),
        (("Can the change fee be waived?", "With {loyalty} status the change fee is waived once a year."),),
    ),
    Topic(
        "baggage",
        1.0,
        (
            "How much is extra luggage with {carrier}? I have {weight}.",
            "My suitcase did not arrive in {destination}, where is it?",
            "What is the baggage allowance on {booking}? I'd like to check in {weight}.",
            "Add a checked bag to {booking}.",
            "The airline lost my bag between {origin} and {destination}. What now?",
        ),
        (("Is it checked luggage or a cabin bag?", "Checked luggage, {weight}."),),
        (
            Tool(
                "baggage_rules",
                {"carrier": "{carrier}", "item": "{weight}"},
                ({"allowance": "1 x 23 kg", "excess_fee_eur": 55}, {"allowance": "none", "bag_fee_eur": 35}),
            ),
        ),
        (
            "{carrier} allows one bag of 23 kg; for {weight} the excess baggage fee is 55 euros.",
            "I filed a delayed baggage report; the tracing number comes by text message.",
            "A checked bag on {booking} costs 35 euros online, 60 at the airport.",
        ),
        (("And cabin luggage?", "One cabin bag of 8 kg and a small item are free."),),
    ),
    Topic(
        "hotel booking",
        1.2,
        (
            "Find me a hotel in {destination} near the old town from {date}, {people}.",
            "Is {hotel} in {destination} available for three nights?",
            "Book a double room with breakfast in {destination}, check-in {date}.",
            "We need accommodation in {destination}, quiet, with parking. {people}.",
            "What does a night at {hotel} cost, and do they take dogs?",
        ),
        (("What is your budget a night?", "Up to {price} euros a night, breakfast included."),),
        (
            Tool(
                "search_hotels",
                {"city": "{destination}", "check_in": "{date}", "nights": 3},
                ({"hotels": [{"name": "{hotel}", "rating": 8.7, "night_eur": "{price}", "breakfast": True}]},),
            ),
        ),
        (
            "{hotel} in {destination} has a double room for {price} euros a night, breakfast included.",
            "I suggest {hotel}: quiet rooms, parking, free cancellation until the day before check-in.",
            "{hotel} is available; dogs stay for 15 euros a night.",
        ),
        (("Do they have a family room?", "Yes, {hotel} has family rooms with four beds."),),
    ),
    Topic(
        "visa and entry rules",
        0.7,
        (
            "Do I need a visa for {destination} with a Chilean passport?",
            "Which documents does a child need to enter the country at {destination}?",
            "My passport expires in four months, will they let me into {destination}?",
            "Is a transit visa required for a layover in {destination}?",
        ),
        (("Which nationality is on the passport?", "Indian, with a residence permit."),),
        (
            Tool(
                "entry_requirements",
                {"destination": "{destination}", "purpose": "tourism"},
                (
                    {"visa": "on arrival", "passport_validity_months": 6},
                    {"visa": "not required", "max_days": 90},
                ),
            ),
        ),
        (
            "The passport must be valid for six months on entry to {destination}; a visa is issued on arrival.",
            "No visa is required for {destination} for stays up to 90 days, only a passport and a return ticket.",
            "For a transit in {destination} you need no visa if you stay in the international area.",
        ),
        (("Where do I apply?", "At the consulate, or online on the immigration office's page."),),
    ),
    Topic(
        "car rental",
        0.6,
        (
            "I want to rent a {car} in {destination} from {date}.",
            "Rental car at the airport of {destination}, {car}, unlimited mileage please.",
            "Do I need an international driving licence to hire a {car} in {destination}?",
            "The rental company charged me for a scratch on the {car}, it was there before!",
        ),
        (("Is the driver over 25?", "Yes, and my partner drives as well."),),
        (
            Tool(
                "search_cars",
                {"pickup": "{destination}", "class": "{car}", "from": "{date}"},
                ({"offers": [{"class": "{car}", "day_eur": 47, "insurance": "full", "deposit_eur": 300}]},),
            ),
        ),
        (
            "A {car} in {destination} is 47 euros a day with full insurance; the deposit is 300 euros.",
            "Pick-up of the {car} is at the airport desk; a second driver is included.",
            "I opened a damage dispute with the rental company; photos of the {car} would help.",
        ),
        (("Is diesel included?", "No, return the car with a full tank."),),
    ),
    Topic(
        "loyalty points",
        0.6,
        (
            "My miles from the trip to {destination} are missing.",
            "How many points do I need for an upgrade to business with {loyalty} status?",
            "Can I pay {booking} with my loyalty points?",
            "When do my reward miles expire? I am a {loyalty} member.",
        ),
        (),
        (
            Tool(
                "loyalty_account",
                {"tier": "{loyalty}", "booking": "{booking}"},
                ({"tier": "{loyalty}", "points": 18450, "expires": "31 December", "missing": 1200},),
            ),
        ),
        (
            "You have 18,450 points as a {loyalty} member; 1,200 miles from {destination} are credited now.",
            "An upgrade takes 15,000 points, so your {loyalty} balance is enough.",
            "Your reward miles expire on 31 December unless you earn or spend some.",
        ),
        (
            (
                "Move the points to my wife's account.",
                "Points may be pooled in a family account, free of charge.",
            ),
        ),
    ),
)
