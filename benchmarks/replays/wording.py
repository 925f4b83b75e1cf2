# ruff: noqa: E501
"""What planted problems and harmless sessions are said to look like. Texts only; who meets them and when is in
`generator`.

Each entry has several wordings of the same thing, as different describers would put it. `{thing}` and the like are
filled from `SLOTS`, so that hardly two segments have equal words.
"""

PROBLEMS: dict[str, tuple[str, ...]] = {
    "coupon_rejected": (
        "The user entered the discount code {code} at checkout and got the message that it is invalid, although the banner shows it.",
        "At checkout the promo code {code} was refused with an error; the shopper typed it {times} times.",
        "A coupon from the newsletter failed to apply to the cart, and the total stayed the same.",
        "Voucher {code} produced 'code not found' in the payment step, the customer tried again {times} times.",
    ),
    "card_payment_500": (
        "Paying by card ended in an error 500 after the user pressed Pay now for {thing}.",
        "The card payment failed with a server error page; the order for {thing} was not placed.",
        "After the card details were submitted, the page showed 'Internal server error' and the payment did not go through.",
        "The shopper pressed Pay {times} times, each time a 500 page appeared instead of a confirmation.",
    ),
    "reset_mail_missing": (
        "The user asked for a password reset {times} times and the e-mail never came.",
        "Password reset link requested, no message arrived, the user gave up logging in.",
        "Someone waiting for a reset mail kept pressing 'Send again' on the forgotten password page.",
        "Forgotten password: the form says a mail was sent, yet the user cannot find it and requests another.",
    ),
    "photo_upload_stuck": (
        "Uploading a profile picture stops at {percent} percent and never finishes.",
        "The avatar upload hung with a spinner; the user closed the dialog after a minute.",
        "A photo for the profile was chosen, the progress bar froze at {percent} percent.",
        "The user tried to change the profile image, the upload timed out {times} times.",
    ),
    "map_blank": (
        "The store finder shows a blank grey map and no shops for {city}.",
        "On the locations page the map did not load; the user searched for {city} without a result.",
        "Looking for a branch in {city}, the visitor got an empty map.",
        "The shop locator map stays grey, zooming does not help.",
    ),
    "export_csv_broken": (
        "The CSV export of the {report} report downloads a file of zero bytes.",
        "Exporting the {report} report to CSV gave an empty file.",
        "The user pressed Export, and the downloaded spreadsheet of {report} had no rows.",
        "Downloaded CSV of {report} cannot be opened, it is empty; the user repeated the export {times} times.",
    ),
    "dark_mode_unreadable": (
        "With dark mode on, the text of the settings page is black on black and cannot be read.",
        "The user switched to the dark theme and then back, as labels in settings were invisible.",
        "Dark theme makes the form labels disappear on the preferences page.",
        "Settings page in dark mode: unreadable dark text on a dark background, the user selects it to see it.",
    ),
    "invite_link_expired": (
        "A teammate's invitation link said that it had expired, minutes after it had been sent.",
        "Joining the workspace by invite failed: 'This invitation is no longer valid'.",
        "The user opened an invite to the team and got the message that the link expired.",
        "Invitation to the workspace {workspace} rejected as expired; the user asked for a new one.",
    ),
    "search_umlaut": (
        "Searching for {umlaut} returns nothing, without the umlaut the product appears.",
        "The search box finds no product for {umlaut}; the user retyped it with plain letters.",
        "A search with a special character, {umlaut}, gave zero results.",
        "Product search ignores umlauts: {umlaut} not found, the plain spelling is.",
    ),
    "calendar_wrong_timezone": (
        "The meeting shows up {hours} hours late in the calendar, the time zone is wrong.",
        "The appointment booked for {clock} appears at another hour after saving.",
        "After booking, the calendar displays the event shifted by {hours} hours; the user edits it again.",
        "Time zone problem: the user's {clock} meeting is displayed {hours} hours off.",
    ),
    "video_no_sound": (
        "The tutorial video plays without sound, the user toggled mute several times.",
        "No audio in the onboarding video; the visitor turned the volume up and reloaded.",
        "The product video is silent although unmuted.",
        "The user restarted the lesson video {times} times because there was no sound.",
    ),
    "cart_emptied": (
        "After logging in the cart was empty, {thing} had been in it before.",
        "The shopping cart lost its items on sign-in; the user added {thing} again.",
        "Items vanished from the basket once the customer signed in.",
        "Basket with {thing} was cleared after the login, the shopper looked for it in the history.",
    ),
    "slider_touch": (
        "On the phone the price slider cannot be dragged, it jumps back.",
        "The price filter handle does not follow the finger on a mobile screen.",
        "Mobile user failed to set a maximum price: the range slider snaps back each time.",
        "Dragging the price range on touch has no effect, the user gave up filtering.",
    ),
    "invoice_download_404": (
        "The link to the invoice of {month} leads to a 404 page.",
        "Downloading the {month} invoice from billing shows 'page not found'.",
        "Billing: the PDF invoice for {month} cannot be opened, 404.",
        "The user clicked on the invoice for {month} {times} times and always landed on a not-found page.",
    ),
    "two_factor_loop": (
        "After the six-digit code the login page asks for the code again, without end.",
        "Two-factor sign-in loops: the correct code leads back to the code form.",
        "The user entered the authenticator code {times} times and was returned to the same page.",
        "Login with 2FA never completes, the code prompt comes back.",
    ),
    "address_form_country": (
        "The address form refuses the postal code of {city} as wrong format.",
        "Shipping address: the postcode for {city} is marked invalid, the user changed the country back and forth.",
        "A valid zip code of {city} is not accepted in the delivery form.",
        "The delivery address could not be saved because the postal code was rejected.",
    ),
    "notification_badge": (
        "The notification badge shows {percent} unread although everything was opened.",
        "The red unread counter does not go away after all messages are read.",
        "The user opened every notification, but the bell still shows new ones.",
        "Unread badge stuck at {percent}; the user reloads the inbox {times} times.",
    ),
    "drag_drop_lost": (
        "Moving a card to another column of the board snaps back after a second.",
        "Drag and drop on the kanban board is lost on reload, the card returns to its old column.",
        "The user dragged the task to Done {times} times, and each time it jumped back.",
        "A board card does not stay where it was dropped.",
    ),
}

HARMLESS: dict[str, tuple[str, ...]] = {
    "browse": (
        "The user scrolls through the catalogue of {thing} and opens two product pages.",
        "A visitor compares {thing} in two tabs and reads the reviews.",
        "Browsing the category page of {thing}, sorting by price.",
    ),
    "read_docs": (
        "The user reads the documentation about {report} and copies an example.",
        "Someone opens the help centre and reads an article on {report}.",
        "Reading through the guide for {report}, scrolling at an even pace.",
    ),
    "dashboard": (
        "The user opens the dashboard and changes the date range to {month}.",
        "A look at the {report} chart, then the filter for {month} is applied.",
        "The dashboard for {month} is opened and shared with a colleague.",
    ),
    "profile": (
        "The user updates the phone number in the profile and saves.",
        "Account settings are opened and the display language is changed.",
        "The profile page is viewed, the time of the newsletter is set to weekly.",
    ),
    "purchase": (
        "The user buys {thing}, pays by card and sees the confirmation.",
        "An order of {thing} is placed within a minute.",
        "Checkout with {thing} goes smoothly to the thank-you page.",
    ),
    "menu": (
        "The user opens the left-hand menu and goes to the reports of {month}.",
        "Navigation through the left sidebar to the {report} page.",
        "The menu on the left is folded and unfolded, then {report} is chosen.",
    ),
    "chat": (
        "The user reads the answer of the support chat and thanks the agent.",
        "A short chat with support about {thing}, ended with a good rating.",
        "In the chat the visitor asks about opening hours in {city} and gets them.",
    ),
    "signup": (
        "A new user signs up, confirms the mail and finishes the tour.",
        "Registration with a work address, then the welcome tour is completed.",
        "The sign-up form is filled in and the workspace {workspace} is created.",
    ),
    "team": (
        "The user adds a colleague to the workspace {workspace} and sets the role.",
        "Roles of the team members of {workspace} are reviewed.",
        "The team page is opened and a member is given the role of an editor.",
    ),
    "play": (
        "The user watches the tutorial video to its end.",
        "A lesson is played at double speed, then the next one.",
        "The product tour video is watched and closed at its end without any issue.",
    ),
}

SLOTS: dict[str, tuple[str, ...]] = {
    "thing": ("a desk lamp", "running shoes", "two chairs", "a rain jacket", "a phone case", "a backpack", "a blender"),
    "code": ("SPRING20", "WELCOME5", "FRIENDS", "SAVE15", "VIP10", "BACK25"),
    "times": ("two", "three", "four", "five", "several"),
    "percent": ("12", "40", "63", "87", "99"),
    "city": ("Ghent", "Oslo", "Porto", "Leeds", "Graz", "Turin", "Lyon"),
    "report": ("sales", "inventory", "retention", "billing", "traffic", "webhooks"),
    "workspace": ("Atlas", "Nimbus", "Harbour", "Quartz"),
    "umlaut": ("Müsli", "Kühlschrank", "Löffel", "Bücherregal", "Stövchen"),
    "hours": ("one", "two", "six", "nine"),
    "clock": ("9:00", "10:30", "14:00", "16:15"),
    "month": ("January", "March", "April", "June", "September", "October"),
}
