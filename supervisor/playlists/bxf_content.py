"""What an event of BXF airs, and from where (contentmetadata.xsd, location.xsd, programcontent.xsd). Pure."""

from typing import Final

from supervisor.assets.names import title_of
from supervisor.playlists.xmltext import Element

_MAIN: Final = "Primary"
"""The media location that airs; the others are backups, previews and proxies of it."""


def contents(event: Element) -> tuple[Element, ...]:
    """Each content that a ScheduledEvent or a ScheduleElements names, as its metadata: it may name several."""
    found = list(event.all("Content"))
    for several in event.all("MultiContent"):
        for kind in ("ProgramContent", "NonProgramContent"):
            inside = several.find(f"{kind}/ContentMetaData")
            if inside is not None:
                found.append(inside)
    return tuple(found)


def house_id(content: Element | None) -> str:
    """The house number, else the first other id (ISCI, Ad-ID…) that the content is known by; empty: none."""
    ids = None if content is None else content.find("ContentId")
    return "" if ids is None else ids.text_at("HouseNumber") or ids.text_at("AlternateId")


def place(content: Element | None) -> Element | None:
    """Its media location: the first that is no backup, preview or proxy, else the first."""
    if content is None:
        return None
    places = [one for media in content.all("Media") for one in media.all("MediaLocation")]
    main = (one for one in places if one.attributes.get("sourceType", _MAIN) == _MAIN)
    return next(main, places[0] if places else None)


def live_source(media: Element | None) -> str | None:
    """The name of what it is live from: a router's crosspoint or a satellite's receiver; None for what is no live."""
    location = None if media is None else media.find("Location")
    if location is None:
        return None
    router, satellite = location.find("RouterSource"), location.find("Satellite")
    if router is not None:
        return title_of(router.text_at("CrossPoint") or router.text_at("Name"))
    if satellite is not None:
        return title_of(satellite.text_at("Receiver") or satellite.text_at("SatelliteName"))
    return None
