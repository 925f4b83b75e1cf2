"""What can be wrong with the input of the clustering room. Failures of databases or models belong elsewhere."""


class ClusteringError(ValueError):
    """The clustering cannot be done as asked."""


class InvalidConfigError(ClusteringError):
    """A parameter is outside its range; the message names the parameter, the range and what was given."""


class InvalidEmbeddingsError(ClusteringError):
    """The embeddings cannot be clustered.

    Attributes:
        rows: indices of the rows at fault, ascending; empty when the array as a whole is at fault.
    """

    def __init__(self, message: str, rows: tuple[int, ...] = ()) -> None:
        super().__init__(message)
        self.rows = rows
