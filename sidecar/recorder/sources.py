"""Which kind of input a recorder has."""

from collections.abc import Mapping

from sidecar.outputs.decklink_stand_in import stand_in_driver
from sidecar.protocol.live_url import parse_live_url
from sidecar.protocol.recording import RecorderInput
from sidecar.recorder.card_source import CardSource, StandInSource
from sidecar.recorder.inputs import Source, StreamSource, TestSource


def source_of(what: RecorderInput, environment: Mapping[str, str]) -> Source:
    """Raises ValueError for what is no input."""
    match what.kind:
        case "test":
            return TestSource()
        case "decklink":
            if what.device_index is None:
                raise ValueError("a DeckLink input has a device index, from 1")
            driver = stand_in_driver(environment)
            if driver is None:
                return CardSource(what.device_index, environment)
            return StandInSource(what.device_index, driver)
        case "srt" | "rtmp" | "udp" | "hls":
            return StreamSource(parse_live_url(what.url))
