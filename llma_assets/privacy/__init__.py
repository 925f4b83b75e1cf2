"""Privacy: recognisers of private values, and redaction, which replaces them by placeholders. Pure."""

from llma_assets.privacy.patterns import PatternError
from llma_assets.privacy.quoting import quoted
from llma_assets.privacy.redaction import Redactor, check_patterns, redactor_of
from llma_assets.privacy.transformations import Transformation, check_transformations

__all__ = [
    "PatternError",
    "Redactor",
    "Transformation",
    "check_patterns",
    "check_transformations",
    "quoted",
    "redactor_of",
]
