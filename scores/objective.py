"""The number that the search minimises: how far generated phrases are from real ones, guarded against cheating."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from data_prep.errors import UserError
from scores.copying import TrainingWindows, near_copy_rate
from scores.distances import mean_distance, mean_distance_within
from scores.diversity import coverage, intra_set_distance, recall
from scores.energy import Standard, normalised, view
from scores.features import FAMILIES, Family, measured
from scores.notes import Bars, BoolArray, IntArray
from scores.pitch import HIGHEST_AUDIBLE, LOWEST_AUDIBLE, out_of_register_rate
from scores.structure import dup_rate
from scores.transitions import jensen_shannon, nltm, pctm
from scores.undefined import FloatArray, defined_mean

WORST: Final[Mapping[str, float]] = MappingProxyType(
    {"objective": 3.0, "realism": 1.0, "diversity_deficit": 2.0, "balance": 1.0, "worst_family": 1.0}
)
"""What a search may minimise, with the value of output that cannot be measured: as bad as it can be."""

OBJECTIVES: Final = tuple(WORST)

_MARGIN: Final = 0.05
_VIEWS: Final[tuple[Family | None, ...]] = (None, *FAMILIES)


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseLine:
    """What real continuations of the same prompts score: real songs repeat themselves too.

    Recall and coverage are those of real phrases of other songs than the reference's, phrase by phrase.
    """

    near_copy_rate: float = 0.0
    dup_rate: float = 0.0
    recall: float = 1.0
    coverage: float = 1.0


def excess(rate: float, base: float) -> float:
    """How far a rate is above that of real music and a margin of .05, as a share of the way to 1; from 0 to 1.

    0 where the rate is undefined (NaN), or the base line leaves nothing to exceed.
    """
    usual = base + _MARGIN
    return (rate - usual) / (1 - usual) if rate > usual and usual < 1 else 0.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reference:
    """Real phrases, reduced to what comparing others with them needs. Build it with `Reference.fit`."""

    standard: Standard
    z: FloatArray
    """(n, 43) standardised features."""
    within: Mapping[Family | None, float]
    """Mean distance within the reference: overall (None) and by family."""
    pctm: FloatArray
    """(12, 12) transitions between pitch classes."""
    nltm: FloatArray
    """(8, 8) transitions between note lengths."""
    register: tuple[int, int]
    """Lowest and highest pitch that are in place."""
    song: IntArray | None
    """(n,) number of the song that each phrase is of; None where songs are not told apart."""
    training: TrainingWindows | None
    """Where copies are looked for; None: nowhere."""

    @classmethod
    def fit(
        cls,
        roll: BoolArray,
        chord: IntArray,
        *,
        song: IntArray | None = None,
        training: TrainingWindows | None = None,
        register: tuple[int, int] = (LOWEST_AUDIBLE, HIGHEST_AUDIBLE),
    ) -> "Reference":
        """From real phrases, bool (n, 8, 16, 128), and their chords (n, 8).

        Args:
            roll: the phrases.
            chord: their chords.
            song: (n,) number of the song that each is of, as phrases of one song are alike: they are no neighbours of
                each other in recall and coverage, unless there is only one.
            training: the training music, in which near copies are looked for.
            register: lowest and highest pitch of the training music; by default the keys of a piano.

        Raises:
            UserError: with fewer than two phrases.
            ValueError: on another shape or dtype, or a chord outside 0-24.
        """
        if len(roll) < 2:
            raise UserError(f"The reference has {len(roll)} phrases of 8 bars, but at least 2 are needed.")
        bars = Bars.of_phrases(roll, chord)
        song = _checked_song(song, len(roll))
        if song is not None and (song == song[0]).all():
            song = None  # nothing is apart from it
        features = measured(bars).features
        standard = Standard.of(features)
        z = standard.standardised(features)
        lines = bars.by_phrase(bars.now.line)
        return cls(
            standard=standard,
            z=z,
            within={family: mean_distance_within(view(z, family)) for family in _VIEWS},
            pctm=pctm(lines),
            nltm=nltm(lines),
            register=register,
            song=song,
            training=training,
        )

    def base_line(self, roll: BoolArray, chord: IntArray, song: IntArray | None = None) -> BaseLine:
        """What the real continuations (M, 8, 16, 128) of some prompts score; `song` as in `fit`."""
        bars = Bars.of_phrases(roll, chord)
        song = _checked_song(song, len(roll))
        told_apart = None if self.song is None else song
        z = self.standard.standardised(measured(bars).features)
        found = self._set_scores(bars, z, BaseLine(), told_apart)
        return BaseLine(
            near_copy_rate=found.get("near_copy_rate", 0.0),
            dup_rate=found.get("dup_rate", 0.0),
            recall=found.get("recall_ratio", 1.0),
            coverage=found.get("coverage_ratio", 1.0),
        )

    def evaluate(self, roll: BoolArray, chord: IntArray, base: BaseLine | None = None) -> dict[str, float]:
        """Everything reported about generated phrases; every value is finite, whatever they are.

        Args:
            roll: bool (M, 8, 16, 128); M may be 0.
            chord: whole numbers (M, 8), classes 0-24.
            base: of real continuations of the same prompts; without it, of music that never repeats.

        Returns:
            `objective`: `realism` and what `near_copy_rate` and `dup_rate` exceed the base line by, about 0 (as real)
            to 3 (nothing to measure); lower is better. `realism`: the Music Energy Distance. `med_<family>`: the same
            inside one family, `worst_family`: the largest of them. `diversity_deficit`: how much of real music is
            never reached, and the excess of near copies. `<score>`: its mean over the bars or phrases that define it,
            or its value for the set; absent where nothing defines it. `<score>/n`: how many bars or phrases define it,
            where some do and some do not.
        """
        bars = Bars.of_phrases(roll, chord)
        features, scores = measured(bars)
        scores["out_of_register_rate"] = out_of_register_rate(bars, *self.register)
        means = {name: float(defined_mean(values, 0)) for name, values in scores.items()}
        counts = {f"{name}/n": float(np.count_nonzero(~np.isnan(values))) for name, values in scores.items()}
        partly = {name: count for name, count in counts.items() if 0 < count < len(scores[name.removesuffix("/n")])}
        base = base or BaseLine()
        z = self.standard.standardised(features)
        sets = self._set_scores(bars, z, base)
        return self._numbers(z, sets, base) | _finite(means) | partly | sets

    def _numbers(self, z: FloatArray, sets: Mapping[str, float], base: BaseLine) -> dict[str, float]:
        """The objectives, and the distance of every family."""
        if not len(z):
            worst = {name: value for name, value in WORST.items() if name != "balance"}
            return worst | {f"med_{family}": WORST["realism"] for family in FAMILIES}
        realism, *families = (self._distance(z, family) for family in _VIEWS)
        copied = excess(sets.get("near_copy_rate", 0.0), base.near_copy_rate)
        return {
            "objective": realism + copied + excess(sets["dup_rate"], base.dup_rate),
            "realism": realism,
            "diversity_deficit": max(0.0, 1 - sets.get("recall_ratio", 0.0)) + copied,
            "worst_family": max(families),
        } | {f"med_{family}": distance for family, distance in zip(FAMILIES, families, strict=True)}

    def _distance(self, z: FloatArray, family: Family | None) -> float:
        x, y = view(self.z, family), view(z, family)
        return normalised(mean_distance(x, y), self.within[family], mean_distance_within(y))

    def _set_scores(self, bars: Bars, z: FloatArray, base: BaseLine, song: IntArray | None = None) -> dict[str, float]:
        """The scores of the whole set, as far as they are defined."""
        lines = bars.by_phrase(bars.now.line)
        real, generated = view(self.z), view(z)
        reached = recall(real, generated, reference_song=self.song, generated_song=song)
        covered = coverage(real, generated, reference_song=self.song, generated_song=song)
        found = {
            "dup_rate": float(dup_rate(bars)),
            "pctm": jensen_shannon(pctm(lines), self.pctm),
            "nltm": jensen_shannon(nltm(lines), self.nltm),
            "intra_set_distance": intra_set_distance(generated, real, reference_distance=self.within[None]),
            "recall_ratio": reached / base.recall if base.recall else np.nan,
            "coverage_ratio": covered / base.coverage if base.coverage else np.nan,
        }
        if self.training is not None:
            found["near_copy_rate"] = near_copy_rate(lines, self.training)
        return _finite(found)


def _checked_song(song: IntArray | None, num_phrases: int) -> IntArray | None:
    if song is not None and (song.shape != (num_phrases,) or not np.issubdtype(song.dtype, np.integer)):
        raise ValueError(f"`song` must be integers of shape ({num_phrases},), not {song.dtype} of {song.shape}.")
    return song


def _finite(values: Mapping[str, float]) -> dict[str, float]:
    return {name: float(value) for name, value in values.items() if np.isfinite(value)}
