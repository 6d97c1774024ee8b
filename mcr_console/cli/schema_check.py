"""Whether an XML file is what a schema says, which is not part of this program: a copy of it is given by path."""

import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mcr_console.cli.failures import Failure

if TYPE_CHECKING:
    from xmlschema import XMLSchemaValidationError

MAIN: Final = "bxfschema.xsd"
"""Of BXF's schema, which is a folder of files, the one that includes the others."""
SHOWN: Final = 10
_NUMBER: Final = re.compile(r"\[\d+\]")


@dataclass(frozen=True, slots=True)
class Faults:
    """How many there are, and the first of them in words."""

    number: int
    first: tuple[str, ...]


def faults_in(document: Path, schema: Path) -> Faults:
    """``schema``: a file, or the folder of BXF's. The document is read piece by piece, so that it may be of any size.

    Nothing is fetched: what a schema names at another host is left out, and entities are refused. Raises Failure when
    the schema cannot be used.
    """
    import xmlschema  # here: reading it takes longer than most commands
    from xmlschema.exceptions import XMLSchemaException

    start = schema / MAIN if schema.is_dir() else schema
    if not start.is_file():
        raise Failure("There is no schema", str(start), f"Give the file, or the folder that {MAIN} is in.")
    try:
        with warnings.catch_warnings():
            # An import that is not here; what it would have said is not checked.
            warnings.simplefilter("ignore")
            known = xmlschema.XMLSchema(start, allow="local", defuse="always")
    except (XMLSchemaException, OSError, SyntaxError) as error:
        raise Failure("This schema cannot be used", f"{start}: {_line(str(error))}") from error
    number, first = 0, list[str]()
    try:
        source = xmlschema.XMLResource(document, allow="local", defuse="always", lazy=True)
        for fault in known.iter_errors(source):
            number += 1
            if len(first) < SHOWN:
                first.append(_words(fault))
    except (XMLSchemaException, SyntaxError) as error:
        number += 1
        first.append(_line(str(error)))
    return Faults(number, tuple(first))


def _words(fault: "XMLSchemaValidationError") -> str:
    # Elements that were read are let go of, so that their numbers in the path are wrong.
    where = _NUMBER.sub("", fault.path or "the document")
    found = f" (found {fault.obj!r})" if isinstance(fault.obj, str) else ""
    return f"{where}: {_line(fault.reason or fault.message)}{found[:200]}"


def _line(text: str) -> str:
    return " ".join(text.split())[:300]
