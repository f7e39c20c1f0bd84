"""What a fragment has shown, as a list of elements, and what differs between two such lists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

Path = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Element:
    """An element or a block of a page.

    `path` is its place: the indexes of the blocks around it from the root, then its own. `digest` is equal
    for equal contents. `message` is what the browser is sent; sessions share it, so nobody may change it.
    """

    path: Path
    digest: str
    message: object
    block: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Rendering:
    """Everything that one run of a fragment has shown, in the order in which it was sent.

    Two renderings are equal only if they are the same object, so that they are quickly found in a cache.
    """

    elements: Mapping[Path, Element]

    @classmethod
    def of(cls, elements: Iterable[Element]) -> Rendering:
        """Create a rendering. Of several elements at one place the last one counts."""
        return cls({element.path: element for element in elements})

    def looks_like(self, other: Rendering) -> bool:
        """Return whether both show the same elements at the same places."""
        return self.elements.keys() == other.elements.keys() and all(
            element.digest == other.elements[path].digest for path, element in self.elements.items()
        )

    def changes_from(self, shown: Rendering) -> list[Element] | None:
        """Return what to send to a page that shows `shown`, so that it shows this rendering.

        None if sending elements cannot do that: only a run removes an element, and changes a block, and knows
        where on the page a fragment stands that shows nothing yet.
        """
        if not shown.elements and self.elements:
            return None
        if not shown.elements.keys() <= self.elements.keys():
            return None
        changes = []
        for path, element in self.elements.items():
            before = shown.elements.get(path)
            if before is not None and before.digest == element.digest:
                continue
            if before is not None and (before.block or element.block):
                return None
            changes.append(element)
        return changes


@lru_cache(maxsize=256)
def changes_between(shown: Rendering, newest: Rendering) -> list[Element] | None:
    """Return `newest.changes_from(shown)`, compared once for all sessions. Do not change the list."""
    return newest.changes_from(shown)
