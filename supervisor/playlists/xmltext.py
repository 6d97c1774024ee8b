"""XML from outside, read safely: no DTD and so no entities of its own, nothing fetched, bounded in depth and size."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from supervisor.errors import Invalid

DEEPEST: Final = 60
"""Elements within each other."""
MOST_ELEMENTS: Final = 1_000_000
_BETWEEN: Final = " "
"""Stands between namespace and name; no namespace has a space."""


@dataclass(slots=True)
class Element:
    """``name`` and attribute names are local: without their namespace. ``line`` is where it begins."""

    name: str
    line: int
    attributes: dict[str, str]
    children: list["Element"] = field(default_factory=list["Element"])
    parts: list[str] = field(default_factory=list[str])

    @property
    def text(self) -> str:
        """Its own, without that of what it holds."""
        return "".join(self.parts).strip()

    def all(self, name: str) -> Iterator["Element"]:
        """The children of this name, in order."""
        return (child for child in self.children if child.name == name)

    def find(self, path: str) -> "Element | None":
        """The first child by each step of ``a/b/c``."""
        here: Element | None = self
        for name in path.split("/"):
            here = None if here is None else next(here.all(name), None)
        return here

    def text_at(self, path: str) -> str:
        """Empty where there is none."""
        found = self.find(path)
        return "" if found is None else found.text


def parse(data: bytes) -> Element:
    """The root. Raises Invalid, with the line, for what is not well-formed or not safe."""
    reader = _Reader()
    try:
        reader.parser.Parse(data, True)
    except expat.ExpatError as error:
        raise Invalid(f"line {error.lineno}: this is not XML: {expat.ErrorString(error.code)}") from None
    except (LookupError, ValueError, TypeError) as error:  # of an encoding that Python has not, or not as letters
        raise Invalid(f"this is not XML that can be read: {error}") from None
    assert reader.root is not None
    return reader.root


class _Reader:
    def __init__(self) -> None:
        self.root: Element | None = None
        self._open: list[Element] = []
        self._elements = 0
        self.parser = expat.ParserCreate(namespace_separator=_BETWEEN)
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters

    def _doctype(self, *_: object) -> None:
        raise Invalid(
            f"line {self.parser.CurrentLineNumber}: the document has a DTD, which is not read",
            hint="A schedule needs none: leave the DOCTYPE out.",
        )

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        line = self.parser.CurrentLineNumber
        self._elements += 1
        if len(self._open) >= DEEPEST or self._elements > MOST_ELEMENTS:
            raise Invalid(f"line {line}: the document is too deep or too large to be a schedule")
        element = Element(_local(name), line, {_local(key): value for key, value in attributes.items()})
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)

    def _end(self, name: str) -> None:
        del name
        self._open.pop()

    def _characters(self, text: str) -> None:
        self._open[-1].parts.append(text)


def _local(name: str) -> str:
    return name.rpartition(_BETWEEN)[2]
