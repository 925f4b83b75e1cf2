"""Texts of the demo's smallest team, a recipe helper that has too few traces to be clustered. No logic."""

from llma_assets.demo.topics import Topic

SLOTS = {
    "dish": ("lentil soup", "a plum cake", "flatbread", "ramen"),
    "guests": ("two", "four", "twelve"),
    "missing": ("eggs", "butter", "yeast", "cream"),
}

SYSTEM = "You help home cooks. Give quantities in grams."

TOPICS = (
    Topic(
        "recipe",
        1.0,
        ("How do I cook {dish} for {guests}?", "What can replace {missing} in {dish}?"),
        (),
        (),
        ("For {guests} people take 300 g of the main ingredient and simmer for half an hour.",),
        (("Can I freeze it?", "Yes, {dish} keeps for two months in the freezer."),),
    ),
)
