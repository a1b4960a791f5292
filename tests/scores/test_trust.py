"""Does the objective deserve trust? Real music of four corpora, spoilt in every way that we know to spoil it.

Half of the tunes of a corpus are what a generator would have been trained on; phrases of the other half are real music,
and what is spoilt. Two corpora are installed with the project. Two more are read where they are at hand: put
`nottingham/MIDI` and `POP909` into one folder and name it in REAL_MUSIC.

The reference is of tunes that none of the spoilt phrases is from, where there are enough of them. Halves of a hundred
tunes or fewer are unlike each other by as much as a mild fault (the last test): there, and where faults of 2 % are to
be told from 0 and 5 %, the reference is of the tunes that are spoilt, as it is in a search.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
import pytest
from numpy.typing import NDArray

from data_prep.chords import NO_CHORD
from data_prep.corpus import Corpus, Split, load
from data_prep.locate import resolve
from data_prep.options import Options
from data_prep.prepare import prepare
from data_prep.song import RawSong, Section
from data_prep.sources import SOURCES
from data_prep.splits import cluster_of
from scores import BaseLine, Reference, TrainingWindows
from scores.baselines import Baseline, RandomBarsByChord, StepMarkov, TrainingMusic
from scores.copying import WINDOW_BARS
from scores.features import FAMILIES
from scores.phrases import Phrases, spread

from .degraded import (
    CHEATS,
    DEGRADATIONS,
    FAULTS_OF_ONE_FAMILY,
    GRADED,
    Degradation,
    Kind,
    copied,
    octave_jumps,
    of_bars,
    semitone_slips,
    spoilt,
)

pytestmark = pytest.mark.filterwarnings("error")

NUM: Final = 256
SPLIT: Final = 0
SHARES: Final = (0.02, 0.05, 0.1, 0.2, 0.4, 0.7, 1.0)
REAL_MUSIC: Final = Path(os.environ.get("REAL_MUSIC", Path(__file__).parents[3] / "shared" / "data"))
FOLDERS: Final = {"nottingham": REAL_MUSIC / "nottingham" / "MIDI", "pop909": REAL_MUSIC / "POP909"}
CORPORA: Final = ("builtin", "builtin-folk", *FOLDERS)
OF_FEW_TUNES: Final = tuple(FOLDERS)

Report = Mapping[str, float]


def read(name: str) -> Corpus:
    """A corpus; those of a folder with their rests, which the installed ones are without."""
    if name not in FOLDERS:
        return load(resolve(name))
    if not FOLDERS[name].is_dir():
        pytest.skip(f"no real music in {FOLDERS[name]}: REAL_MUSIC names the folder that it is looked for in")
    corpus = prepare(SOURCES[name], FOLDERS[name], Options(rests="keep"))
    assert isinstance(corpus, Corpus)
    return corpus


def tunes(corpus: Corpus) -> NDArray[np.int64]:
    """(M,) number of the tune of every song: settings of one tune are one."""
    names = []
    for song in range(corpus.num_songs):
        rows = np.flatnonzero(corpus.song == song)
        arrays = {name: getattr(corpus, name)[rows] for name in ("bar", "melody", "onset", "chord", "first_chord")}
        names.append(cluster_of(RawSong(id=str(song), sections=(Section(path="", inputs={}, **arrays),))))
    return np.unique(names, return_inverse=True)[1].reshape(-1)


@dataclass(frozen=True)
class Bars:
    """All phrases of a corpus, overlapping, as rows of bars, and the tune that each is from."""

    corpus: Corpus
    tune: NDArray[np.int64]
    """(N,) of each bar."""

    @classmethod
    def of(cls, corpus: Corpus) -> "Bars":
        return cls(corpus, tunes(corpus)[corpus.song])

    def rows(self, length: int = 8) -> NDArray[np.int32]:
        return np.concatenate([self.corpus.phrases(split, length) for split in Split])

    def halves(self, seed: int, rows: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """The rows of one half of the tunes, and those of the other."""
        second = np.random.default_rng(seed).permutation(self.tune.max() + 1) % 2 == 1
        where = second[self.tune[rows[:, 0]]]
        return rows[~where], rows[where]

    def phrases(self, rows: NDArray[np.int32]) -> Phrases:
        return of_bars(self.corpus.melody[rows], self.corpus.first_chord[rows])


def evenly(rows: NDArray[np.int32], most: int) -> NDArray[np.int32]:
    return rows[spread(len(rows), most)]


class Music:
    """One corpus in halves, and what its reference says of real and spoilt phrases."""

    def __init__(self, name: str) -> None:
        self.bars = Bars.of(read(name))
        known, unknown = self.bars.halves(SPLIT, self.bars.rows())
        windows, _ = self.bars.halves(SPLIT, self.bars.rows(WINDOW_BARS))
        self.training = self.bars.phrases(evenly(known, 1024))
        self.real = self.bars.phrases(evenly(unknown, NUM))
        assert len(self.real) == NUM
        self.same_tunes = self.bars.phrases(evenly(unknown, 1024))
        like = self.same_tunes if name in OF_FEW_TUNES else self.training
        index = TrainingWindows.of_lines(self.bars.corpus.melody[windows])
        self.reference = Reference.fit(like.roll, like.chord, training=index)
        self.base = self.reference.base_line(self.real.roll, self.real.chord)

    def judged(self, phrases: Phrases) -> Report:
        return self.reference.evaluate(phrases.roll, phrases.chord, self.base)

    @cached_property
    def as_real(self) -> Report:
        return self.judged(self.real)

    @cached_property
    def spoilt(self) -> Mapping[Degradation, Report]:
        return {each: self.judged(spoilt(self.real, each.kind, each.share)) for each in DEGRADATIONS}

    @cached_property
    def cheats(self) -> Mapping[str, Report]:
        return {name: self.judged(cheat(self.real, self.training)) for name, cheat in CHEATS.items()}

    def objectives(self, severity: str) -> NDArray[np.float64]:
        return np.array([report["objective"] for each, report in self.spoilt.items() if each.severity == severity])

    @property
    def bars_learnt(self) -> TrainingMusic:
        """The first half of the tunes as training music."""
        half, _ = self.bars.halves(SPLIT, np.arange(self.bars.corpus.num_bars, dtype=np.int32)[:, None])
        rows, corpus = half[:, 0], self.bars.corpus
        place = np.full(corpus.num_bars + 1, -1)
        place[rows] = np.arange(len(rows))  # the last, at -1, stays none
        return TrainingMusic(
            melody=corpus.melody[rows], chord=corpus.first_chord[rows], previous=place[corpus.prev[rows]]
        )


@pytest.fixture(scope="module", params=CORPORA)
def music(request: pytest.FixtureRequest) -> Music:
    return Music(request.param)


def test_real_music_is_best_and_sets_off_no_guard(music: Music) -> None:
    real = music.as_real
    assert real["objective"] == real["realism"] < 0.03
    everything = [*music.spoilt.values(), *music.cheats.values()]
    assert real["objective"] < min(report["objective"] for report in everything)


@pytest.mark.parametrize("degradation", DEGRADATIONS, ids=lambda each: each.name)
def test_every_degradation_is_seen(music: Music, degradation: Degradation) -> None:
    assert music.spoilt[degradation]["objective"] > music.as_real["objective"] + 0.01


@pytest.mark.parametrize("degradation", [each for each in DEGRADATIONS if each.family], ids=lambda each: each.name)
def test_the_worst_family_says_what_is_wrong(music: Music, degradation: Degradation) -> None:
    report = music.spoilt[degradation]
    assert report[f"med_{degradation.family}"] == report["worst_family"] > music.as_real["worst_family"] + 0.03


@pytest.mark.parametrize("family", FAULTS_OF_ONE_FAMILY)
def test_a_fault_of_one_family_moves_the_objective(music: Music, family: str) -> None:
    if family == "harmony" and (music.real.chord == NO_CHORD).all():
        pytest.skip("music without chords")
    report, real = music.judged(FAULTS_OF_ONE_FAMILY[family](music.real)), music.as_real
    own = report[f"med_{family}"] - real[f"med_{family}"]
    others = [report[f"med_{other}"] - real[f"med_{other}"] for other in FAMILIES if other != family]
    assert max(others) < 0.7 * own
    # Without the family, the others would bring less than this.
    assert report["objective"] - real["objective"] > (0.25 if family == "motion" else 0.15) * own


def test_wrong_notes_and_foreign_bars_are_out_of_harmony(music: Music) -> None:
    if (music.real.chord == NO_CHORD).all():
        assert all(report["med_harmony"] == 0 for report in music.spoilt.values())
        return
    harmony = {each.name: report["med_harmony"] - music.as_real["med_harmony"] for each, report in music.spoilt.items()}
    for name in ("wrong notes, 20 %", "pitches permuted, 100 %", "bars from elsewhere, 100 %"):
        assert harmony[name] > 0.08
    for name in ("notes dropped, 10 %", "inner bars empty, 20 %", "up an octave, 100 %"):
        assert harmony[name] < 0.03


def test_more_of_a_fault_is_worse(music: Music) -> None:
    by_kind: dict[Kind, list[float]] = {}
    for each, report in sorted(music.spoilt.items(), key=lambda item: item[0].share):
        by_kind.setdefault(each.kind, [music.as_real["objective"]]).append(report["objective"])
    graded = [values for values in by_kind.values() if len(values) > 2]
    assert len(graded) == 7
    assert all(better + 0.01 < worse for values in graded for better, worse in pairwise(values))


def test_heavier_is_worse(music: Music) -> None:
    mild, medium, heavy = map(music.objectives, ("mild", "medium", "heavy"))
    assert music.as_real["objective"] + 0.04 < mild.mean() < medium.mean() - 0.05 < heavy.mean() - 0.3
    assert (heavy[:, None] > mild).mean() > 0.98


@pytest.mark.parametrize("kind", GRADED, ids=lambda kind: kind.__name__)
def test_the_response_to_a_growing_fault_rises_strictly(music: Music, kind: Kind) -> None:
    reference = Reference.fit(music.same_tunes.roll, music.same_tunes.chord)
    music_of = [music.real, *(spoilt(music.real, kind, share) for share in SHARES)]
    values = [reference.evaluate(phrases.roll, phrases.chord, music.base)["objective"] for phrases in music_of]
    if kind is octave_jumps or (kind is semitone_slips and (music.real.chord == NO_CHORD).all()):
        values.pop()  # where all notes are off, they agree again: in a scale, or in that none is where it was
    assert all(better < worse for better, worse in pairwise(values)), values


def test_collapse_is_caught_though_each_phrase_is_real(music: Music) -> None:
    collapsed = [report for name, report in music.cheats.items() if "phrase" in name]
    objectives = [report["objective"] for report in collapsed]
    assert len(collapsed) == 5
    assert objectives[0] > music.as_real["objective"] + 0.3
    assert all(better + 0.1 < worse for better, worse in pairwise(objectives))
    deficits = [report["diversity_deficit"] for report in (music.as_real, *collapsed[:3])]
    assert all(better + 0.02 < worse for better, worse in pairwise(deficits))
    # Down to a quarter of the phrases, no distance between distributions would have seen it.
    assert all(report["realism"] < music.as_real["realism"] + 0.02 for report in collapsed[:2])


@pytest.mark.parametrize("cheat", [name for name in CHEATS if name.startswith("training") and "10" not in name])
def test_training_copies_are_caught_though_they_are_real(music: Music, cheat: str) -> None:
    report, real = music.cheats[cheat], music.as_real
    assert report["objective"] > real["objective"] + 0.3
    assert report["diversity_deficit"] > 0.3
    assert report["realism"] < real["realism"] + 0.06


def test_copies_are_caught_beyond_a_margin(music: Music) -> None:
    few, more = (music.judged(copied(music.real, music.training, share)) for share in (0.03, 0.2))
    assert 0 < few["near_copy_rate"] - music.base.near_copy_rate < 0.05 < 0.1 < more["near_copy_rate"]
    assert few["objective"] == few["realism"]
    tenth = music.cheats["training copies, 10 %"]["objective"]
    assert music.as_real["objective"] < tenth < more["objective"] - 0.05


def test_every_number_is_finite(music: Music) -> None:
    reports = [music.as_real, *music.spoilt.values(), *music.cheats.values()]
    values = np.array([value for report in reports for value in report.values()])
    assert np.isfinite(values).all()
    assert all(-0.05 < report["objective"] <= 3 for report in reports)


GENERATORS: Final[dict[str, Callable[[TrainingMusic], Baseline]]] = {
    "chord Markov": lambda training: StepMarkov.fit(training, by_chord=True),
    "chord bars": RandomBarsByChord,
}


@pytest.mark.parametrize("generator", GENERATORS)
def test_other_noise_moves_an_imperfect_generator_little(music: Music, generator: str) -> None:
    system = GENERATORS[generator](music.bars_learnt)
    melodies = [system.generate(music.real.music[:, 0], music.real.chord, seed=seed) for seed in range(6)]
    values = [music.judged(of_bars(melody, music.real.chord))["objective"] for melody in melodies]
    assert 0 < np.std(values, ddof=1) < 0.015
    assert min(values) > music.as_real["objective"] + 0.01


def floor(bars: Bars, *, by_tune: bool, splits: int = 3, draws: int = 3) -> NDArray[np.float64]:
    """Distances of 256 real phrases from 800 others: of other tunes, or drawn without regard to the tunes."""
    found, rows = [], bars.rows()
    for seed in range(splits):
        rng = np.random.default_rng(seed)
        known, unknown = bars.halves(seed, rows) if by_tune else np.array_split(rng.permutation(rows), 2)
        some = bars.phrases(evenly(known, 800))
        reference = Reference.fit(some.roll, some.chord)
        for _ in range(draws):
            real = bars.phrases(rng.permutation(unknown)[:NUM])
            found.append(reference.evaluate(real.roll, real.chord, BaseLine())["realism"])
    return np.array(found)


def test_real_music_of_other_tunes_is_at_the_noise_floor() -> None:
    """Of more than a thousand tunes: with few, a half of them is no fair sample of the style (below)."""
    distances = floor(Bars.of(load(resolve("builtin-folk"))), by_tune=True)
    assert np.abs(distances).mean() < 0.005
    assert distances.std() < 0.003


def test_the_floor_is_nought_where_tunes_are_not_kept_apart(music: Music) -> None:
    distances = floor(music.bars, by_tune=False)
    assert np.abs(distances).mean() < 0.002
    assert abs(distances.mean()) < 0.001  # without bias, whatever the corpus


def test_few_tunes_raise_the_floor_by_no_more_than_a_mild_fault(music: Music) -> None:
    assert floor(music.bars, by_tune=True).mean() < 0.04
