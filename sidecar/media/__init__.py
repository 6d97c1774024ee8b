"""Files and generated pictures as the channel's own frames: ``FileSource`` and ``Slate``, both decided by ``interface``."""

from sidecar.media.file_source import FileSource
from sidecar.media.interface import Moment, Samples, Source
from sidecar.media.slate import Slate

__all__ = ["FileSource", "Moment", "Samples", "Slate", "Source"]
