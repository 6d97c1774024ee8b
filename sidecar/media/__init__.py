"""Files and cards as the channel's own frames: ``FileSource`` and ``Slate``, as ``interface`` has it."""

from sidecar.media.file_source import FileSource
from sidecar.media.interface import Moment, Samples, Source
from sidecar.media.slate import Slate

__all__ = ["FileSource", "Moment", "Samples", "Slate", "Source"]
