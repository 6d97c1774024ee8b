"""Small filter graphs: one frame in, what it makes out."""

from collections.abc import Iterator, Sequence

from av.audio.frame import AudioFrame
from av.filter import Graph
from av.video.frame import VideoFrame

Step = tuple[str, dict[str, str]]
"""A filter's name and its options, as ``ffmpeg -h filter=NAME`` lists them."""


def chain(steps: Sequence[Step]) -> Graph:
    """A configured graph of ``steps``, one after the other. Raises ``FFmpegError`` for what does not fit."""
    graph = Graph()
    contexts = [graph.add(name, **options) for name, options in steps]
    graph.link_nodes(*contexts)
    graph.configure()
    return graph


def pictures_of(graph: Graph) -> Iterator[VideoFrame]:
    """What the graph has ready now."""
    while True:
        try:
            yield graph.vpull()
        except (BlockingIOError, EOFError):
            return


def sounds_of(graph: Graph) -> Iterator[AudioFrame]:
    """What the graph has ready now."""
    while True:
        try:
            frame = graph.pull()
        except (BlockingIOError, EOFError):
            return
        assert isinstance(frame, AudioFrame)
        yield frame
