"""A picture's memory as numbers."""

from typing import cast

import numpy as np
from av.video.plane import VideoPlane
from numpy.typing import NDArray


def samples_of(plane: VideoPlane) -> NDArray[np.uint8]:
    """Shape (height, line size), with the padding at the end of every line; it is the plane's own memory."""
    # PyAV's stub does not say that a plane is a buffer.
    return np.frombuffer(cast("memoryview[int]", plane), np.uint8).reshape(plane.height, plane.line_size)
