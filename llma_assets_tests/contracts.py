"""A contract of import-linter that it has no type for: a room is used through what its `__init__` exports.

Its own `protected` type takes a list of allowed importers for all rooms at once; here each room allows its own modules
only. Rooms are found, not listed, so that a new one is held by it at once.
"""

from importlib import import_module

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output

OPEN = {"cli", "defs"}
"""Packages of modules, not rooms: nothing above them needs a door."""


class DoorsContract(Contract):
    """Each import from outside a package goes to the package, not to a module in it."""

    type_name = "doors"

    open_packages = fields.SetField(subfield=fields.StringField(), required=False, default=frozenset(OPEN))

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: ARG002
        """Compare the package of each importer with that of what it imports."""
        past = sorted(
            (importer, imported)
            for imported in graph.modules
            if imported.count(".") >= 2 and imported.split(".")[1] not in OPEN
            for importer in graph.find_modules_that_directly_import(imported)
            if importer.split(".")[:2] != imported.split(".")[:2]
            and not _is_through_the_door(graph, importer, imported)
        )
        return ContractCheck(kept=not past, metadata={"past": past})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """One line an import."""
        for importer, imported in check.metadata["past"]:
            output.print_error(f"{importer} imports {imported}: past the door of {'.'.join(imported.split('.')[:2])}")


def _is_through_the_door(graph: ImportGraph, importer: str, imported: str) -> bool:
    """Whether it is `from room import name` of an exported name, which a module of the room is called like, too."""
    room, _, name = imported.rpartition(".")
    lines = [detail["line_contents"] for detail in graph.get_import_details(importer=importer, imported=imported)]
    return name in getattr(import_module(room), "__all__", ()) and all(
        line.strip().startswith(f"from {room} import") for line in lines
    )
