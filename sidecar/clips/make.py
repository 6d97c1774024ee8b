"""Encodes a clip with FFmpeg's libraries; a file appears under its name only when it is whole."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.reformatter import ColorRange, Colorspace
from av.video.stream import VideoStream
from numpy.typing import NDArray

from sidecar.clips.picture import ClipPicture
from sidecar.clips.sound import SAMPLE_RATE, clip_sound
from sidecar.clips.specification import ClipSpecification

LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}
VIDEO_OPTIONS: dict[str, dict[str, object]] = {
    "libx264": {"preset": "ultrafast", "crf": "20"},
    "mpeg2video": {"qscale": "3"},
}


def make_clip(clip: ClipSpecification, folder: Path) -> Path:
    """Makes ``clip`` in ``folder`` unless it is there. Returns its path."""
    path = folder / clip.file_name
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.stem}.making{path.suffix}")
    with av.open(str(unfinished), "w") as container:
        _encode(clip, container)
    return unfinished.rename(path)


def _encode(clip: ClipSpecification, container: OutputContainer) -> None:
    # PyAV leaves add_stream's keywords untyped.
    video = container.add_stream(clip.video_codec, rate=clip.rate)  # pyright: ignore[reportUnknownMemberType]
    if not isinstance(video, VideoStream):
        raise TypeError(f"{clip.video_codec} makes no picture")
    video.width, video.height, video.pix_fmt = clip.width, clip.height, "yuv420p"
    video.sample_aspect_ratio = clip.sample_aspect
    video.codec_context.gop_size = round(clip.rate)
    video.codec_context.colorspace = Colorspace.ITU709
    video.codec_context.color_range = ColorRange.MPEG
    video.bit_rate = 8_000_000
    video.options = VIDEO_OPTIONS[clip.video_codec]
    audio = None
    if clip.audio_channels:
        audio = container.add_stream(  # pyright: ignore[reportUnknownMemberType]
            clip.audio_codec, rate=SAMPLE_RATE, layout=LAYOUTS[clip.audio_channels]
        )
        if not isinstance(audio, AudioStream):
            raise TypeError(f"{clip.audio_codec} makes no sound")
        audio.bit_rate = 64_000 * clip.audio_channels
    picture, sound = ClipPicture(clip), clip_sound(clip) if audio else None
    sound_at = 0
    for number in range(clip.frames):
        rgb = av.VideoFrame.from_ndarray(picture.frame(number), format="rgb24")
        frame = rgb.reformat(
            format="yuv420p", src_colorspace="ITU709", dst_colorspace="ITU709", src_color_range="JPEG",
            dst_color_range="MPEG",
        )  # fmt: skip
        frame.pts, frame.time_base = number, 1 / clip.rate
        container.mux(video.encode(frame))
        if audio is not None and sound is not None:
            until = int((number + 1) * SAMPLE_RATE / clip.rate)
            sound_at = _encode_sound(container, audio, sound, sound_at, until, last=number + 1 == clip.frames)
    container.mux(video.encode(None))
    if audio is not None:
        container.mux(audio.encode(None))


def _encode_sound(
    container: OutputContainer,
    audio: AudioStream,
    sound: NDArray[np.float32],
    at: int,
    until: int,
    *,
    last: bool,
) -> int:
    """Encodes whole codec frames up to sample ``until``; the rest too when it is the ``last``."""
    size = audio.codec_context.frame_size or 1024
    while at + size <= until or (last and at < until):
        part = sound[:, at : min(at + size, until)]
        layout = LAYOUTS[part.shape[0]]
        if audio.codec_context.format.is_planar:
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(part), format="fltp", layout=layout)
        else:
            packed = (part.T.reshape(1, -1) * 32767).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(packed), format="s16", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, at, Fraction(1, SAMPLE_RATE)
        container.mux(audio.encode(frame))
        at += part.shape[1]
    return at
