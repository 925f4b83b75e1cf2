"""A second set of sentences for `task_flags`, written before the rules of negation were and not looked at for them."""

FAILURE: tuple[str, ...] = (
    "The reading could not be saved because of an error.",
    "Halfway through the import an exception pops up and the wizard starts over.",
    "A timeout is reported each time the long list is opened.",
    "The camera step crashed, and no photo was kept.",
    "Nothing was saved, and an error banner appeared.",
    "The link in the mail is broken; the visitor lands on the start page.",
    "The user did not notice the error below the field and pressed Next again.",
    "The app tried to fix the problem by a restart and showed the same message.",
    "Checkout ended with status 500 and the basket was kept.",
    "The guest could not resolve the issue and phoned the desk.",
    "The booking went through, but the ticket failed to download.",
    "There was no problem at first, then the page crashed.",
    "The map is not loading and a failure notice stays on top.",
    "An unexpected jump to the first page lost the filter.",
    "The seat was not found although it had been shown as free.",
    "The bug with the doubled total is back.",
    "Without warning an error closed the editor.",
    "Two of three uploads failed.",
    "The landlord's page answers with a 404.",
    "The voice message has an issue: it stops after a second.",
)

NO_FAILURE: tuple[str, ...] = (
    "The tour went off without a single problem.",
    "The seat was chosen and paid for, no errors at any step.",
    "The agent's answer fixed the issue.",
    "The problem was solved within a minute by the assistant.",
    "The pupil opens the page of maths problems and solves ten.",
    "The upload has not failed once in this session.",
    "The developer opens the bug report form and looks at its fields.",
    "The form explains what to do if an error occurs.",
    "A problem-free check-in on the phone.",
    "The import is error-free and closes by itself.",
    "The manager reads the failure statistics of the last quarter.",
    "Neither errors nor timeouts are seen while the list is scrolled.",
    "The page never crashed during the lesson.",
    "The guest asks whether a timeout can be set for the lights.",
    "The shop issued a refund and thanked the customer.",
    "The latest issue of the magazine is downloaded.",
    "The reader compares prices of 500 sheets of paper.",
    "The editor's error log is empty and gets closed.",
    "Nothing is broken on the settings page, and the visitor goes on.",
    "The visitor opens the error handling chapter of the manual.",
)

CONFUSION: tuple[str, ...] = (
    "The visitor is confused by two buttons of the same name.",
    "The wording left the guest confused about the price.",
    "The pupil struggled with the date picker.",
    "He clicks repeatedly on the picture and nothing opens.",
    "The customer goes back and forth between basket and product.",
    "After multiple attempts the slider stays where it was.",
    "It is unclear to her which box is the right one.",
    "The user couldn't find the logout.",
    "The person tried to drag the map with one finger, without success.",
    "He looked for the invoice in three menus and did not see it.",
)

NO_CONFUSION: tuple[str, ...] = (
    "The new menu was used without confusion.",
    "The visitor was never confused and finished the steps in order.",
    "The date was set at once, no multiple attempts were needed.",
    "The rules are not unclear to anyone in the test.",
    "The pupil no longer struggled with fractions after the video.",
    "The help text explains what to do if the plan is unclear.",
    "There was no back and forth, the first plan was taken.",
    "The list is opened and the third row is chosen.",
    "The guest books a room and prints the voucher.",
    "The filter is set to May and the chart changes.",
)

ABANDONMENT: tuple[str, ...] = (
    "The shopper abandoned the basket when the shipping costs were shown.",
    "The pupil gave up after the fourth code.",
    "The visitor left the page before it had loaded.",
    "The guest closed the form without sending it.",
    "The wizard was exited at the second step.",
    "She navigated away in the middle of the payment.",
    "He didn't complete the survey.",
    "The application stays incomplete.",
    "Frustrated, the customer left without buying.",
    "The tab with the half-filled form was closed.",
)

NO_ABANDONMENT: tuple[str, ...] = (
    "The visitor never gave up and found the page.",
    "The form was not abandoned this time: it was sent.",
    "The menu on the left is unfolded.",
    "No basket was abandoned in this recording.",
    "The guest did not leave the tour and finished it.",
    "The lesson was done to its end without being closed once.",
    "The left column is sorted by price.",
    "Three questions are left, and all are answered.",
    "The order was placed within a minute.",
    "The survey was answered and sent.",
)

FLAGGED: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "failure": (FAILURE, NO_FAILURE),
    "confusion": (CONFUSION, NO_CONFUSION),
    "abandonment": (ABANDONMENT, NO_ABANDONMENT),
}
"""As in `sentences`."""
