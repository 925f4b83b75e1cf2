"""Errors in the input of a clustering. Errors of databases or models belong in `clickhouse` and `models`."""


class ClusteringError(ValueError):
    """The clustering is not possible with this input."""


class InvalidConfigError(ClusteringError):
    """A parameter is outside its range; the message names the parameter, the range and what was given."""


class MissingPackageError(ClusteringError):
    """A method needs a package that is not installed; the message names both, and how to get it."""


class InvalidEmbeddingsError(ClusteringError):
    """The embeddings cannot be clustered.

    Attributes:
        rows: indices of the invalid rows, ascending; empty if the array as a whole is invalid.
    """

    def __init__(self, message: str, rows: tuple[int, ...] = ()) -> None:
        super().__init__(message)
        self.rows = rows
