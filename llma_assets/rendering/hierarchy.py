"""Builds the tree of events from their parent ids. Every event is in it exactly once, whatever the ids are."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from llma_assets.rendering.events import Event


@dataclass(slots=True)
class Node:
    """An event and its children, in order of start.

    Attributes:
        index: position in the list of events.
        order: position in the walk through the tree, -1 before the walk.
    """

    event: Event
    index: int
    order: int = -1
    children: list["Node"] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Visit:
    """A step of a walk through the tree.

    Attributes:
        ancestors: number of ancestors, 0 for a root.
        is_last: the node is its parent's last child.
        entering: True before the children, False after them.
    """

    node: Node
    ancestors: int
    is_last: bool
    entering: bool


def build(events: Sequence[Event], trace: Event | None = None) -> list[Node]:
    """The roots of the tree, in the order of `events` (order of start). Takes linear time.

    An event is a root if it has no parent, its parent is missing or the trace, or it is the earliest of a cycle.

    Args:
        events: all events but `trace`, sorted.
        trace: the event of the whole trace; its children are roots.
    """
    nodes = [Node(event, index) for index, event in enumerate(events)]
    by_id: dict[str, int] = {}
    for node in nodes:
        if node.event.node_id:
            by_id.setdefault(node.event.node_id, node.index)
    for node in nodes:
        for alias in node.event.aliases:
            by_id.setdefault(alias, node.index)
    for alias in trace.aliases if trace is not None else ():
        by_id.pop(alias, None)
    parents = [by_id.get(node.event.parent_id, -1) if node.event.parent_id else -1 for node in nodes]
    _break_cycles(parents)
    roots: list[Node] = []
    for node, parent in zip(nodes, parents, strict=True):
        (roots if parent < 0 else nodes[parent].children).append(node)
    return roots


def _break_cycles(parents: list[int]) -> None:
    """Make the earliest event of each cycle a root; `parents` is changed in place."""
    walk_of = [0] * len(parents)
    for start in range(len(parents)):
        index, walk = start, start + 1
        while index >= 0 and walk_of[index] == 0:
            walk_of[index] = walk
            index = parents[index]
        if index >= 0 and walk_of[index] == walk:
            members = [index]
            while parents[members[-1]] != index:
                members.append(parents[members[-1]])
            parents[min(members)] = -1


def walk(roots: Sequence[Node]) -> Iterator[Visit]:
    """Visit every node twice, before and after its children; not recursive, so any depth works."""
    stack = [Visit(node, 0, position == 0, True) for position, node in enumerate(reversed(roots))]
    entered = 0
    while stack:
        visit = stack.pop()
        if not visit.entering:
            yield visit
            continue
        visit.node.order = entered
        entered += 1
        yield visit
        stack.append(Visit(visit.node, visit.ancestors, visit.is_last, False))
        for position, child in enumerate(reversed(visit.node.children)):
            stack.append(Visit(child, visit.ancestors + 1, position == 0, True))
