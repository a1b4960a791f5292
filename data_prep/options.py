"""The choices that shape a corpus, each declared once: name, default, values and what it does."""

from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints

from data_prep.errors import UserError
from data_prep.splits import Shares


def _says(text: str) -> dict[str, str]:
    return {"help": text}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a user may choose. A source hears the ones it names; the corpus records those."""

    seed: int = field(default=0, metadata=_says("which tunes go to which split"))
    shares: Shares = field(
        default_factory=Shares, metadata=_says("shares of the tunes for validation, test and prompts; the rest trains")
    )
    rests: Literal["fill", "keep"] = field(
        default="fill", metadata=_says("fill: a rest prolongs the note before it, as MidiNet has it")
    )
    octave: Literal["keep", "fold"] = field(
        default="keep", metadata=_says("fold: move whole songs by octaves, as near to C4-B5 as they come")
    )
    chords: Literal["required", "optional"] = field(
        default="required", metadata=_says("required: bars without a chord are dropped; optional: they stay")
    )
    chord_quality: Literal["by-third", "strict"] = field(
        default="by-third",
        metadata=_says("by-third: major or minor by the third of a chord; strict: only plain triads count"),
    )
    doubtful: Literal["keep", "leave-out"] = field(
        default="keep", metadata=_says("songs whose bar lines seem misplaced: keep and name them, or leave them out")
    )
    melody_track: str | None = field(
        default=None, metadata=_says("name of the track with the melody, or its number among those with notes, from 1")
    )
    chord_track: str | None = field(
        default=None, metadata=_says("name of the track with the chords, or its number among those with notes, from 1")
    )
    sampling_frequency: float = field(
        default=16.0, metadata=_says("steps a second; 128 steps make a window (16 Hz: 8 s)")
    )
    pedal: Literal["ignore", "hold"] = field(
        default="ignore", metadata=_says("hold: a note sounds until the sustain pedal is released")
    )

    def __post_init__(self) -> None:
        for name, values in CHOICES.items():
            if getattr(self, name) not in values:
                told = " or ".join(repr(value) for value in values)
                raise UserError(f"{name} is {getattr(self, name)!r}; choose {told}.")
        if not 0 <= self.seed < 2**63:
            raise UserError(f"seed is {self.seed}; choose a whole number from 0 on.")
        if not 1 <= self.sampling_frequency <= 200:
            raise UserError(f"sampling frequency is {self.sampling_frequency} Hz; choose one from 1 to 200.")

    def chosen(self, names: tuple[str, ...]) -> dict[str, Any]:
        """These options as plain values."""
        values = asdict(self)
        return {name: values[name] for name in names}


CHOICES: Final[dict[str, tuple[str, ...]]] = {
    name: get_args(hint) for name, hint in get_type_hints(Options).items() if get_origin(hint) is Literal
}
"""Option: the words it may have, for the options that are a choice of words."""

HELP: Final[dict[str, str]] = {option.name: option.metadata["help"] for option in fields(Options)}
"""Option: what it does."""

SPLIT: Final = ("seed", "shares")
"""The options that every source hears, unless it lays the split down itself."""
BARS: Final = (*SPLIT, "rests", "octave", "chords")
"""The options that every source of bars hears."""
