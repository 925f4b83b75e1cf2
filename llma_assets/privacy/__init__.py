"""Privacy: recognisers of private values, and redaction, which replaces them by placeholders. Pure."""

from llma_assets.privacy.quoting import quoted
from llma_assets.privacy.redaction import PatternError, Redactor, check_patterns, redactor_of

__all__ = [
    "PatternError",
    "Redactor",
    "check_patterns",
    "quoted",
    "redactor_of",
]
