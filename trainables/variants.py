"""Which network: the one declaration of every MidiNet.

A field belongs in `Variant` if, and only if, it changes a `state_dict`; the numbers of the optimisation live in
`trainables.config`. Each field picks a part: a row of a table in `trainables.networks`, a width or a layer.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import ClassVar, Final, Literal

from data_prep.corpus import KIND
from data_prep.errors import UserError
from trainables.checks import check_fields, check_ranges

STEPS: Final = 16
"""Time steps of a bar."""

MAX_BARS: Final = 8
"""Bars of the longest matrix: a whole phrase."""

ChordCoding = Literal["code", "embedding"]
ChordRoute = Literal["everywhere", "conditioner"]
ChordsPerBar = Literal[1, 4]
Convolutions = Literal["two", "four", "wide", "late"]
Dense = Literal["two", "one"]
Head = Literal["linear", "mlp"]
Norm = Literal["batch", "none"]
PreviousFeatures = Literal[4, 8, 16]
PreviousRoute = Literal["everywhere", "output", "none"]
SpectralNorm = Literal[
    "none", "d_conv", "d_fc", "d_all", "d_all_bn", "g_hidden", "g_all_paper", "g_all", "cond", "gd", "gd_paper", "emb"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """Which network; sections (§) are those of "Generating Music with Deep Learning" (2020).

    Every combination is legal but two: tables of embeddings can only be normalised where there are some, and a
    conditioner likewise. An option of a part that another option leaves out has no effect.

    Raises:
        UserError: a value that is no option, or an illegal combination, with the remedy.
    """

    kinds: ClassVar[tuple[str, ...]] = (KIND,)
    """Kinds of corpora that it can learn from: bars with chords."""

    hears_chords: ClassVar[bool] = True
    continues: ClassVar[bool] = True

    chord: ChordCoding = "code"
    """The 13-vector of §4.2 (root and minor flag), or a learned embedding of the 25 classes (§5.2)."""

    chord_route: ChordRoute = "everywhere"
    """Chords enter every layer of the generator (§4.2), or its conditioner alone, laid out over the bar (§5.6)."""

    chords_per_bar: ChordsPerBar = 1
    """One chord a bar, or one for each of its four beats (§8)."""

    bars: int = 1
    """Bars in one matrix of 16 steps each, which the networks read and write at once (§8)."""

    g_dense: Dense = "two"
    """The generator's dense layers: 1024 and 256 features (§5.1), or 256 alone (§5.2)."""

    previous_route: PreviousRoute = "everywhere"
    """Layers of the generator that see the previous bar: all, the last alone (MidiNet's "stable" form), or none."""

    previous_features: PreviousFeatures = 16
    """Features per step of the previous bar (§4.3: 16): the fewer, the less of it can be copied."""

    conditioner_norm: Norm = "batch"
    """Batch normalisation in the generator's conditioner, or none."""

    discriminator: Convolutions = "two"
    """The discriminator's convolutions: `two` (§5.1), `four` narrow ones, `wide` (those of §5.2's code), or `late`,
    where the chord enters behind them, before the last layer (§5.6)."""

    d_head: Head = "linear"
    """The discriminator's end: one number out of its dense layer (§5.1), or four more layers between (§5.5)."""

    d_sees_previous: bool = False
    """The discriminator gets the previous bar as a second channel (§5.4)."""

    d_norm: Norm = "batch"
    """Batch normalisation in the discriminator where its layers have it, or nowhere, as a gradient penalty asks."""

    spectral_norm: SpectralNorm = "none"
    """Normalised layers (§5.3): a row of `networks.placements.PLACEMENTS`."""

    def __post_init__(self) -> None:
        """Refuse options that no part of a network answers to."""
        check_fields(self)
        check_ranges(self, {"bars": (1, MAX_BARS)})
        if self.spectral_norm == "emb" and self.chord == "code":
            raise UserError(
                "spectral_norm 'emb' normalises tables of embeddings, which chord 'code' has none of: "
                "choose chord 'embedding' or spectral_norm 'gd'."
            )
        if self.spectral_norm == "cond" and (self.previous_route, self.chord_route) == ("none", "everywhere"):
            raise UserError(
                "spectral_norm 'cond' normalises the conditioner, which previous_route 'none' with chord_route "
                "'everywhere' leaves out: choose previous_route 'everywhere' or spectral_norm 'none'."
            )

    @property
    def bars_per_item(self) -> int:
        """Bars that one item of a batch shows to an optimiser."""
        return self.bars

    @property
    def by_beat(self) -> bool:
        """Whether it hears the chord of every beat, rather than one a bar."""
        return self.chords_per_bar > 1

    @property
    def num_chords(self) -> int:
        """Chords of one matrix, K, in time order."""
        return self.bars * self.chords_per_bar

    @property
    def steps(self) -> int:
        """Time steps of one matrix, T."""
        return STEPS * self.bars


_COMBINED: Final = Variant(
    chord="embedding",
    chord_route="conditioner",
    g_dense="one",
    discriminator="late",
    d_sees_previous=True,
    spectral_norm="d_all",
)

VARIANTS: Final[Mapping[str, Variant]] = MappingProxyType(
    {
        "baseline": Variant(),  # §5.1
        "embedding": Variant(chord="embedding", g_dense="one", discriminator="wide"),  # §5.2
        "spectral_d": Variant(spectral_norm="d_conv"),  # §5.3
        "spectral_gd": Variant(spectral_norm="gd"),  # §5.3
        "previous": Variant(d_sees_previous=True),  # §5.4
        "mlp": Variant(d_head="mlp"),  # §5.5
        "combined": _COMBINED,  # §5.6, as its text announces it
        # The embedding of §5.2 changes three things at once: here is each of the other two by itself.
        "embedding_on_baseline": Variant(chord="embedding"),
        "four_convolutions": Variant(discriminator="four"),
        # As the paper's code has them, where its text says otherwise.
        "spectral_gd_as_committed": Variant(spectral_norm="gd_paper"),
        "combined_as_committed": replace(_COMBINED, d_sees_previous=False, spectral_norm="none"),
    }
)
