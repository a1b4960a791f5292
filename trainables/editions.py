"""One body of music, prepared in several ways: what each trial learns from, and how all are judged by one judge.

Trials that learn from different editions are compared by what their editions have in common: rests filled, and the
lowest of their sampling frequencies. Every other edition holds more than that, and what its systems write is brought
to it before it is judged. So a system that wrote just like its own edition would score the same whichever that is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from data_prep import kinds
from data_prep.bars import fill_rests
from data_prep.chords import NO_CHORD
from data_prep.corpus import Corpus
from data_prep.errors import UserError
from data_prep.locate import resolve
from data_prep.options import HELP
from data_prep.pool import Progress
from data_prep.windows import WindowCorpus
from trainables.systems import described

if TYPE_CHECKING:
    from trainables.judge import Generative

Music = Corpus | WindowCorpus

DATA_OPTIONS: Final = frozenset(HELP) - {"seed"}
"""Settings that are no system's, but of the corpus that it learns from (`data_prep.options.Options`)."""

_BARS: Final = 8


def split_options(settings: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Settings of the system, and options of its corpus."""
    own = {name: value for name, value in settings.items() if name not in DATA_OPTIONS}
    return own, {name: value for name, value in settings.items() if name in DATA_OPTIONS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """What one trial learns from.

    Attributes:
        music: the corpus.
        settings: the trial's without the options of the corpus.
        fill: whether rests that its system writes are filled before it is judged.
        factor: how many of its steps make one of the judge's.
    """

    music: Music
    settings: Mapping[str, Any]
    fill: bool = False
    factor: int = 1

    def as_judged(self, system: "Generative", name: str) -> "Generative":
        """The system of that name as the judge is to hear it."""
        if self.factor > 1:
            return _Coarser(system, self.factor, continues=described(name, self.settings).network.continues)
        return _Filled(system) if self.fill else system


@dataclass(frozen=True, slots=True)
class Editions:
    """The corpora that trials may choose, and the options of the one that all are judged by."""

    corpora: tuple[tuple[Mapping[str, Any], Music], ...]
    judged: Mapping[str, Any]

    def of(self, settings: Mapping[str, Any]) -> Edition:
        """The edition that settings choose.

        Raises:
            UserError: it was not prepared.
        """
        own, options = split_options(settings)
        music = next((music for chosen, music in self.corpora if chosen == options), None)
        if music is None:
            told = ", ".join(f"{name} {value}" for name, value in options.items()) or "the usual options"
            raise UserError(f"The music was not prepared with {told}: data_options of the space must name all.")
        frequency = self.judged.get("sampling_frequency")
        return Edition(
            music=music,
            settings=own,
            fill=(self.judged.get("rests"), options.get("rests")) == ("fill", "keep"),
            factor=1 if frequency is None else round(options["sampling_frequency"] / frequency),
        )

    def bare(self) -> "Editions":
        """The same without what trials have no use for."""
        return replace(self, corpora=tuple((options, music.bare()) for options, music in self.corpora))


def edition_of(music: Music | Editions, settings: Mapping[str, Any]) -> Edition:
    """What a trial with these settings learns from, where there is one corpus and where there are several."""
    return music.of(settings) if isinstance(music, Editions) else Edition(music=music, settings=settings)


def prepare_editions(
    data: str, variants: Sequence[Mapping[str, Any]], progress: Progress | None = None, *, jobs: int = 1
) -> tuple[Path, Music, Editions]:
    """The corpora of all variants (`Space.data_variants`): folder and music of the judged one, and all.

    What the judged edition keeps from training, no other edition trains on.

    Raises:
        UserError: music that is prepared already or has no such option; frequencies that cannot be compared.
    """
    if not any(variants):
        folder = resolve(data, progress, jobs=jobs)
        music = kinds.load(folder)
        return folder, music, Editions((({}, music),), {})
    options = judged_as(variants)
    folder = resolve(data, progress, jobs=jobs, changes=options)
    judged = kinds.load(folder)
    corpora: list[tuple[Mapping[str, Any], Music]] = []
    for variant in variants:
        place = resolve(data, progress, jobs=jobs, changes=variant)
        corpora.append((dict(variant), judged if place == folder else _split_alike(kinds.load(place), judged)))
    return folder, judged, Editions(tuple(corpora), options)


def judged_as(variants: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Options of the edition by which systems of all these are judged: the most that they have in common.

    Raises:
        UserError: a sampling frequency that is no multiple of the lowest.
    """
    options: dict[str, Any] = {}
    for name in dict.fromkeys(name for variant in variants for name in variant):
        values = list(dict.fromkeys(variant[name] for variant in variants if name in variant))
        if len(values) == 1:
            options[name] = values[0]
        elif name == "rests":
            options[name] = "fill"
        elif name == "sampling_frequency":
            options[name] = _lowest(values)
    return options  # of any other option that is varied, what the source has by itself


def _lowest(frequencies: Sequence[float]) -> float:
    lowest = min(frequencies)
    if any(frequency % lowest for frequency in frequencies):
        told = ", ".join(f"{frequency:g}" for frequency in frequencies)
        raise UserError(f"sampling_frequency may be {told}, but must be whole multiples of the lowest to be compared.")
    return lowest


def _split_alike(music: Music, judged: Music) -> Music:
    """The corpus with songs in the splits that they have in the judged one, where they are in it."""
    splits = {song["id"]: song["split"] for song in judged.about["songs"]}
    split = [splits.get(song["id"], song["split"]) for song in music.about["songs"]]
    return replace(music, split=np.array(split, np.int8))


@dataclass(frozen=True, slots=True)
class _Filled:
    """A system whose rests are filled, as the music that it is compared with has none."""

    system: "Generative"

    def generate(self, first_bar: NDArray[Any], chord: NDArray[np.int8], *, seed: int) -> NDArray[Any]:
        """As `Generative.generate`, of pitches."""
        phrases = self.system.generate(first_bar, chord, seed=seed)
        no_onsets = np.zeros(phrases.shape[1], np.uint16)
        return np.stack([fill_rests(phrase, no_onsets)[0] for phrase in phrases])


@dataclass(frozen=True, slots=True)
class _Coarser:
    """A system at a multiple of the judge's sampling frequency, brought to that: the loudest of `factor` steps."""

    system: "Generative"
    factor: int
    continues: bool

    def generate(self, first_bar: NDArray[Any], chord: NDArray[np.int8], *, seed: int) -> NDArray[Any]:
        """As `Generative.generate`, of velocities (M, B, 16, 128)."""
        many, bars = chord.shape[:2]
        if self.continues:  # the judge's first bar is as long as several of the system's, which goes on from the last
            first = np.repeat(first_bar, self.factor, axis=1).reshape(many, self.factor, *first_bar.shape[1:])
            left = bars * self.factor - self.factor + 1
            written = self.system.generate(first[:, -1], _no_chords(many, left), seed=seed)
            fine = np.concatenate([first[:, :-1], written], axis=1)
        else:
            windows = range(-(-bars * self.factor // _BARS))
            parts = [self.system.generate(first_bar, _no_chords(many, _BARS), seed=seed + part) for part in windows]
            fine = np.concatenate(parts, axis=1)[:, : bars * self.factor]
        steps, pitches = fine.shape[2:]
        loudest: NDArray[Any] = fine.reshape(many, bars * steps, self.factor, pitches).max(axis=2)
        return loudest.reshape(many, bars, steps, pitches)


def _no_chords(many: int, bars: int) -> NDArray[np.int8]:
    return np.full((many, bars, 4), NO_CHORD, np.int8)
