"""BXF against a schema by path. SMPTE's own is not ours to keep: this small one has the same names and places."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from db.models import Channel
from db.store import Store
from mcr_console.cli.failures import Failure
from mcr_console.cli.schema_check import MAIN, SHOWN, faults_in
from supervisor.asrun.export.bxf import NAMESPACE
from supervisor.asrun.export.formats import export
from supervisor.asrun.spans import span_of_day
from tests.fixtures.as_run import Part, air

CHANNEL, RUN = "c" * 32, "a" * 32
ROW = Channel(id=CHANNEL, name="One & <Two>", number=7, rate="25", time_zone="UTC", day_start="06:00")
BEGIN = datetime(2026, 3, 28, 19, tzinfo=UTC)
NOW = datetime(2026, 3, 29, 7, tzinfo=UTC)
HEAD = (
    f'<xs:schema xmlns="{NAMESPACE}" xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="{NAMESPACE}" '
    'elementFormDefault="qualified">'
)
ANY = '<xs:any namespace="##any" processContents="skip" minOccurs="0" maxOccurs="unbounded"/>'
OPEN = f'<xs:complexType><xs:sequence>{ANY}</xs:sequence><xs:anyAttribute processContents="skip"/></xs:complexType>'
LIST = (
    HEAD
    + '<xs:include schemaLocation="parts.xsd"/>'
    + '<xs:import namespace="urn:elsewhere" schemaLocation="http://schema.invalid/elsewhere.xsd"/>'
    + '<xs:element name="BxfMessage"><xs:complexType><xs:sequence>'
    + '<xs:element name="BxfData"><xs:complexType><xs:sequence>'
    + '<xs:element name="Schedule"><xs:complexType><xs:sequence>'
    + f'<xs:element name="Channel">{OPEN}</xs:element><xs:element name="ScheduleName" type="xs:string"/>'
    + '<xs:element name="AsRun" minOccurs="0" maxOccurs="unbounded"><xs:complexType><xs:sequence>'
    + '<xs:element name="BasicAsRun" type="BasicAsRun"/></xs:sequence></xs:complexType></xs:element>'
    + f'<xs:element name="PrivateInformation" minOccurs="0">{OPEN}</xs:element>'
    + '</xs:sequence><xs:anyAttribute processContents="skip"/></xs:complexType></xs:element>'
    + '</xs:sequence><xs:attribute name="action" type="xs:string"/></xs:complexType></xs:element>'
    + '</xs:sequence><xs:anyAttribute processContents="skip"/></xs:complexType></xs:element></xs:schema>'
)
PARTS = (
    HEAD
    + '<xs:complexType name="BasicAsRun"><xs:sequence>'
    + f'<xs:element name="AsRunEventId">{OPEN}</xs:element>'
    + f'<xs:element name="Content" minOccurs="0">{OPEN}</xs:element>'
    + '<xs:element name="AsRunDetail"><xs:complexType><xs:sequence>'
    + '<xs:element name="Status" maxOccurs="unbounded"><xs:simpleType><xs:restriction base="xs:string">'
    + '<xs:enumeration value="Aired Without Discrepancy"/><xs:enumeration value="Aired with Duration Discrepancy"/>'
    + "</xs:restriction></xs:simpleType></xs:element>"
    + '<xs:element name="Type" type="xs:string"/>'
    + f'<xs:element name="StartDateTime">{OPEN}</xs:element><xs:element name="Duration">{OPEN}</xs:element>'
    + f'<xs:element name="EventNotes" minOccurs="0">{OPEN}</xs:element>'
    + f'<xs:element name="PrivateInformation" minOccurs="0">{OPEN}</xs:element>'
    + "</xs:sequence></xs:complexType></xs:element></xs:sequence></xs:complexType></xs:schema>"
)


def lay(folder: Path) -> Path:
    """The schema's two files into a new folder."""
    folder.mkdir()
    (folder / MAIN).write_text(LIST)
    (folder / "parts.xsd").write_text(PARTS)
    return folder


@pytest.fixture
def schema(tmp_path: Path) -> Path:
    return lay(tmp_path / "schema")


@pytest.fixture
async def document(store: Store, tmp_path: Path) -> Path:
    parts = [Part("1", 250, "arm"), Part("", 50), *(Part("2", 25) for _ in range(40)), Part("3", 100, ended="stop")]
    await air(store, CHANNEL, RUN, 1, BEGIN, parts)
    path = tmp_path / "day.bxf.xml"
    span = span_of_day(ROW, date(2026, 3, 28))
    path.write_bytes(b"".join([piece async for piece in export(store, span, "bxf", NOW)]))
    return path


def test_what_is_written_follows_it(document: Path, schema: Path) -> None:
    assert faults_in(document, schema).number == 0
    assert faults_in(document, schema / MAIN).number == 0


def test_what_does_not_is_counted_and_the_first_are_named(document: Path, schema: Path) -> None:
    text = document.read_text().replace("<Status>Aired Without Discrepancy</Status>", "<Status>Aired Somehow</Status>")
    document.write_text(text)
    faults = faults_in(document, schema)
    assert faults.number == 42
    assert len(faults.first) == SHOWN
    assert "Aired Somehow" in faults.first[0]
    assert "/Status" in faults.first[0]


def test_a_document_cut_short_is_a_fault(document: Path, schema: Path) -> None:
    document.write_text(document.read_text()[:-40])
    assert faults_in(document, schema).number == 1


def test_a_schema_that_is_not_there_or_none_says_so(document: Path, schema: Path, tmp_path: Path) -> None:
    with pytest.raises(Failure, match="There is no schema"):
        faults_in(document, tmp_path / "nowhere.xsd")
    (schema / "parts.xsd").write_text("<not a schema")
    with pytest.raises(Failure, match="cannot be used"):
        faults_in(document, schema)


def test_nothing_is_fetched_and_no_entity_is_followed(document: Path, schema: Path) -> None:
    document.write_text('<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>\n' + "<x>&e;</x>")
    faults = faults_in(document, schema)
    assert faults.number == 1
    assert "root:" not in " ".join(faults.first)


def test_what_the_schema_takes_from_another_is_used_where_it_lies_beside_it(document: Path, schema: Path) -> None:
    """As SMPTE's does with ATSC's PMCP, at a place on its author's own disk."""
    other, main = "urn:other", (schema / MAIN)
    text = LIST.replace(
        '<xs:import namespace="urn:elsewhere" schemaLocation="http://schema.invalid/elsewhere.xsd"/>',
        f'<xs:import namespace="{other}" schemaLocation="c:\\other\\other.xsd"/>',
    )
    main.write_text(
        text.replace('name="action" type="xs:string"', 'name="action" type="o:word"').replace(
            "<xs:schema ", f'<xs:schema xmlns:o="{other}" '
        )
    )
    without = faults_in(document, schema)
    assert (without.number, without.unchecked) == (0, (other,))
    whole = document.read_text()
    document.write_text(whole.replace("Aired Without Discrepancy", "Aired Somehow"))
    assert faults_in(document, schema).number == 42, "the rest is checked all the same"
    document.write_text(whole)
    (schema / "other.xsd").write_text(
        f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="{other}">'
        '<xs:simpleType name="word"><xs:restriction base="xs:string"><xs:enumeration value="remove"/></xs:restriction>'
        "</xs:simpleType></xs:schema>"
    )
    beside = faults_in(document, schema)
    assert (beside.number, beside.unchecked) == (1, ())
    assert "/BxfData" in beside.first[0]
