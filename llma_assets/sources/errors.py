"""What is wrong with a source."""


class SourceError(ValueError):
    """A source cannot be used as it is described; the message says what would be right."""
