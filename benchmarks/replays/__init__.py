"""Session replays with known problems in them, made up for measuring; see `generator` and `wording`."""
