"""Whether an XML file is what a schema says, which is not part of this program: a copy of it is given by path."""

import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mcr_console.cli.failures import Failure

if TYPE_CHECKING:
    from xmlschema import XMLSchema, XMLSchemaValidationError

MAIN: Final = "bxfschema.xsd"
"""Of BXF's schema, which is a folder of files, the one that includes the others."""
SHOWN: Final = 10
_NAMESPACE: Final = re.compile(r"targetNamespace=[\"']([^\"']+)")
_QUOTED: Final = re.compile(r"'([^']+)'")
_NUMBER: Final = re.compile(r"\[\d+\]")


@dataclass(frozen=True, slots=True)
class Faults:
    """How many there are, and the first of them in words. ``unchecked``: schemas that are not here, by their names."""

    number: int
    first: tuple[str, ...]
    unchecked: tuple[str, ...] = ()


def faults_in(document: Path, schema: Path) -> Faults:
    """``schema``: a file, or the folder of BXF's. The document is read piece by piece, so that it may be of any size.

    Nothing is fetched, and entities are refused. BXF's schema takes a few types from ATSC's PMCP, which is another
    publication: it is used where its file lies in the same folder, and is else not checked. Raises Failure when the
    schema cannot be used.
    """
    import xmlschema  # here: reading it takes longer than most commands
    from xmlschema.exceptions import XMLSchemaException

    start = schema / MAIN if schema.is_dir() else schema
    if not start.is_file():
        raise Failure("There is no schema", str(start), f"Give the file, or the folder that {MAIN} is in.")
    number, first = 0, list[str]()
    known, unchecked = _schema(start)
    try:
        source = xmlschema.XMLResource(document, allow="local", defuse="always", lazy=True)
        for fault in known.iter_errors(source):
            number += 1
            if len(first) < SHOWN:
                first.append(_words(fault))
    except (XMLSchemaException, SyntaxError) as error:
        number += 1
        first.append(_line(str(error)))
    return Faults(number, tuple(first), unchecked)


def _schema(start: Path) -> tuple["XMLSchema", tuple[str, ...]]:
    """Also names what it imports that is not here."""
    import xmlschema
    from xmlschema.exceptions import XMLSchemaException

    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            locations = _beside(start)
            try:
                return xmlschema.XMLSchema(start, locations=locations, allow="local", defuse="always"), ()
            except XMLSchemaException:
                missing = [str(one.message) for one in told if one.category.__name__ == "XMLSchemaImportWarning"]
                if not missing:
                    raise
            known = xmlschema.XMLSchema(start, locations=locations, allow="local", defuse="always", validation="lax")
    except (XMLSchemaException, OSError, SyntaxError) as error:
        raise Failure("This schema cannot be used", f"{start}: {_line(str(error))}") from error
    found = {name for text in missing for name in _QUOTED.findall(text)}
    return known, tuple(sorted(found & set(known.imported_namespaces))) or tuple(sorted(found))


def _beside(start: Path) -> list[tuple[str, str]]:
    """What other namespaces the folder has a schema of: their files name places on their author's own disk."""
    found = list[tuple[str, str]]()
    for path in sorted(start.parent.glob("*.xsd")):
        named = _NAMESPACE.search(path.read_text(encoding="utf-8", errors="replace")[:20_000])
        if named is not None:
            found.append((named[1], str(path)))
    own = _NAMESPACE.search(start.read_text(encoding="utf-8", errors="replace")[:20_000])
    return [one for one in found if own is None or one[0] != own[1]]


def _words(fault: "XMLSchemaValidationError") -> str:
    # Elements that were read are let go of, so that their numbers in the path are wrong.
    where = _NUMBER.sub("", fault.path or "the document")
    found = f" (found {fault.obj!r})" if isinstance(fault.obj, str) else ""
    return f"{where}: {_line(fault.reason or fault.message)}{found[:200]}"


def _line(text: str) -> str:
    return " ".join(text.split())[:300]
