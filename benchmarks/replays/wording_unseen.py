# ruff: noqa: E501
"""A second set of problems and harmless sessions, of another product and by other describers; as in `wording`.

Written before the rules of `llma_assets.tasks.trouble_phrases` were, and never looked at while they were being made: what they
do on these texts is what they do on texts that nobody has seen. Whoever changes the rules by this set writes a third.
"""

PROBLEMS: dict[str, tuple[str, ...]] = {
    "meter_reading_rejected": (
        "Customer submits the meter reading {number}, the portal answers that the value is implausible and discards it.",
        "The reading {number} is typed in three times; each time a red hint says it cannot be right.",
        "Meter reading form bounces {number} back, user eventually phones the hotline.",
        "A plausible reading is turned down by the form, the person shakes the mouse and quits.",
    ),
    "seat_map_frozen": (
        "The seat map hangs while loading and taps on seats are ignored.",
        "Choosing seats for the {city} flight: grid appears but nothing can be selected.",
        "User taps the same seat {times} times; the map stays unresponsive.",
        "Seat selection locks up, passenger proceeds without a seat.",
    ),
    "duplicate_booking": (
        "One press of Book creates two reservations for {city}.",
        "The hotel in {city} shows up twice in My Trips after a single confirmation.",
        "Traveller discovers a double booking for {city} and opens the cancellation page.",
        "Booking was executed twice, the guest cancels one of them.",
    ),
    "chat_reply_lost": (
        "The typed answer to the tutor vanishes when the keyboard is hidden.",
        "Student writes a long reply, presses Send, and the text is gone; the thread shows nothing.",
        "A message to the teacher disappears after sending, the pupil types it anew.",
        "Reply swallowed by the chat, student pastes it again.",
    ),
    "scan_blurry_loop": (
        "ID check: the camera keeps asking for a sharper picture, {times} rounds, then the applicant leaves.",
        "Document scan is declined as blurry over and over although it is readable.",
        "The passport photo step repeats endlessly, it never accepts the picture.",
        "Verification by camera goes in circles; the user ends up at the start page.",
    ),
    "wrong_currency": (
        "Prices jump from euros to dollars between the list and the basket.",
        "The basket converts {price} into the wrong currency, the shopper goes back to compare.",
        "User notices that the total is in dollars, toggles the country selector {times} times.",
        "Currency mismatch between product page and checkout puzzles the customer.",
    ),
    "playlist_order_reset": (
        "The reordered playlist is back in its old order the next time it is opened.",
        "User drags songs into a new order, the change is not kept.",
        "Custom order of the list resets after each refresh.",
        "Sorting the playlist by hand has no lasting effect.",
    ),
    "slow_report": (
        "The {month} consumption report takes over a minute to open, the user switches tabs meanwhile.",
        "Waiting for the {month} chart: forty seconds of grey boxes.",
        "Report page crawls; person reloads it before it is done.",
        "Loading the statement of {month} is so slow that the visitor goes off to do something else.",
    ),
    "filter_ignored": (
        "The filter 'pets allowed' is ticked but flats without pets stay in the list.",
        "Search results remain unchanged whatever filter is chosen.",
        "Ticking 'balcony' makes no difference to the hits.",
        "User applies the price filter up to {price}, more expensive offers still show.",
    ),
    "login_code_late": (
        "The SMS code comes in after its validity is over, sign-in starts again.",
        "User waits for the text message, asks for another, and types an outdated code.",
        "One-time code arrives minutes late and is turned down.",
        "Sign-in stalls at the code step since the SMS takes too long.",
    ),
    "keyboard_covers_button": (
        "On a small phone the on-screen keyboard hides the Continue button, user scrolls helplessly.",
        "Continue is out of reach behind the keyboard; person rotates the phone.",
        "The form's button sits under the keyboard and can't be tapped.",
        "User closes and opens the keyboard {times} times to reach Continue.",
    ),
    "address_autofill_wrong": (
        "The address suggestion fills in a street of another town.",
        "Picking the suggested address puts the wrong postcode in, the customer corrects it by hand.",
        "Autofill mixes up {city} with a place of the same name.",
        "Suggested address ends in a different house number; the user overwrites it.",
    ),
    "pdf_cut_off": (
        "The printed ticket lacks its barcode, the page is cut at the bottom.",
        "PDF of the contract misses the last page.",
        "The barcode on the ticket for {city} is cropped; user downloads it {times} times.",
        "Half of the ticket is missing in the print preview.",
    ),
    "consent_banner_returns": (
        "The cookie banner pops up on every page although it has been answered.",
        "Consent dialog reappears after each click, the reader dismisses it {times} times.",
        "The visitor accepts cookies again and again on each page.",
        "Banner won't go away and covers the article.",
    ),
}

HARMLESS: dict[str, tuple[str, ...]] = {
    "book": (
        "A room in {city} is booked for two nights and the voucher is downloaded.",
        "The guest picks dates, chooses a hotel in {city} and confirms.",
        "Booking for {city} completed in a few clicks.",
    ),
    "meter": (
        "The customer enters the reading {number} and sees the thank-you note.",
        "Meter reading sent in, the history shows it at once.",
        "The reading is handed in from the phone, no error is shown.",
    ),
    "listen": (
        "The listener starts an album and lets it play.",
        "Two songs are added to a playlist, the third is skipped.",
        "Someone browses new releases and follows an artist.",
    ),
    "lesson": (
        "The pupil solves ten maths problems and gets a badge.",
        "Homework is uploaded and marked as handed in.",
        "A lesson is watched to the end, the quiz after it is passed at the first go.",
    ),
    "flat": (
        "The visitor filters flats by price up to {price} and saves two of them.",
        "Photos of a flat in {city} are looked at one after another.",
        "A viewing is requested and the landlord's reply is read.",
    ),
    "energy": (
        "The consumption of {month} is compared with the year before.",
        "The instalment is lowered to {price} and the new plan is confirmed.",
        "The tariff page is opened, the details are unfolded and read.",
    ),
    "news": (
        "The reader scrolls through three articles and shares one.",
        "An article about a software bug at a bank is read to the end.",
        "The crossword of the day is solved without a single mistake.",
    ),
    "travel_help": (
        "The passenger checks in online and stores the boarding pass.",
        "A seat at the window is chosen and paid for without trouble.",
        "The luggage rules are looked up, the flight is booked afterwards.",
    ),
    "account": (
        "The newsletter is switched off in the settings.",
        "A new card is stored, the old one is removed.",
        "The user signs in with a fingerprint and checks the balance.",
    ),
    "support": (
        "The agent's answer fixed the issue and the customer closes the ticket.",
        "A question about opening hours is typed into the assistant and answered.",
        "The person rates the support with five stars.",
    ),
}

SLOTS: dict[str, tuple[str, ...]] = {
    "number": ("4711", "10233", "8862", "15904", "33018"),
    "city": ("Bergen", "Lille", "Siena", "Cork", "Gdansk", "Malaga"),
    "times": ("three", "four", "five", "six"),
    "price": ("39 euros", "85 euros", "120 euros", "600 euros", "950 euros"),
    "month": ("January", "February", "May", "July", "August", "December"),
}
