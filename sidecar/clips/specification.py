"""What a clip is to be, and the eight of the demo: every one of another kind."""

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class ClipSpecification:
    """One clip to make. ``number`` (1 to 255) goes into every frame's cells beside the frame's own number.

    ``sample_aspect`` is that of the stored picture; ``audio_channels`` 0 makes a silent file without a sound track.
    """

    number: int
    title: str
    width: int
    height: int
    rate: Fraction
    frames: int
    sample_aspect: Fraction = Fraction(1)
    audio_channels: int = 2
    video_codec: str = "libx264"
    audio_codec: str = "aac"
    suffix: str = ".mp4"

    @property
    def file_name(self) -> str:
        name = "".join(c if c.isalnum() else "_" for c in self.title.lower()).strip("_")
        rate = f"{float(self.rate):.2f}".rstrip("0").rstrip(".").replace(".", "")
        return f"{self.number:02d}_{name}_{self.width}x{self.height}p{rate}{self.suffix}"

    @property
    def display_aspect(self) -> Fraction:
        return Fraction(self.width, self.height) * self.sample_aspect


DEMO_CLIPS = (
    ClipSpecification(1, "Headlines", 1280, 720, Fraction(25), 250),
    ClipSpecification(2, "Weather", 1920, 1080, Fraction(25), 175),
    ClipSpecification(3, "Sport", 1280, 720, Fraction(50), 400),
    ClipSpecification(4, "Archive", 720, 576, Fraction(25), 200, Fraction(16, 15), 2, "mpeg2video", "mp2", ".mpg"),
    ClipSpecification(5, "Feature", 1920, 800, Fraction(24000, 1001), 216, audio_channels=6),
    ClipSpecification(6, "Kids", 640, 480, Fraction(30000, 1001), 270, audio_channels=1),
    ClipSpecification(7, "Promo", 1280, 720, Fraction(60000, 1001), 360),
    ClipSpecification(8, "Ident", 1280, 720, Fraction(25), 125, audio_channels=0),
)
