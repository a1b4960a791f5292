"""How fast music is scored, beside muspy, beside the training that is judged, and beside the memory it is read from.

    python tests/benchmarks/bench_scores.py

Every ratio is of two measurements in this one run, made in turns, each the least of several. It wants a quiet machine.
"""

import argparse
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import numpy as np
from machine import processor  # beside this script
from numpy.typing import NDArray

from data_prep.bars import piano_roll, transpose
from data_prep.corpus import Corpus, Split, load
from data_prep.locate import resolve
from scores import Reference, TrainingWindows, score_bars, score_phrases
from scores.baselines import StepMarkov, TrainingMusic
from scores.copying import WINDOW_BARS, near_copy_rate
from scores.material import material
from scores.phrases import Phrases

BARS: Final = 10_000
ROLLOUTS: Final = 256
TRAINED: Final = 54_000
"""Bars that a generator is shown between two evaluations."""
SLICE: Final = 2_880

Row = tuple[str, str, str]
Notes = list[tuple[int, int, int]]
"""Time, pitch and duration, in steps."""


def main() -> None:
    """Measure everything and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--memory", action="store_true", help=argparse.SUPPRESS)
    corpus = load(resolve("builtin"))
    if parser.parse_args().memory:
        print(_memory_of_an_evaluation(corpus))
        return
    print(f"{processor()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; Python {platform.python_version()},")
    print(", ".join(f"{name} {version(name)}" for name in ("numpy", "muspy", "torch")) + "; one thread")
    for measure in (_bars, _polyphony, _objective, _fitting, _copies, _memory):
        for name, figure, target in measure(corpus):
            print(f"{name:<74} {figure:>18}   {target}", flush=True)


def _bars(corpus: Corpus) -> Iterator[Row]:
    rows = np.resize(np.flatnonzero(corpus.prev >= 0), BARS)
    roll, previous = piano_roll(corpus.melody[rows]), piano_roll(corpus.melody[corpus.prev[rows]])
    chord, some = corpus.first_chord[rows], 500
    notes = [_notes(bar[None]) for bar in roll[:some]]
    objects = [_music(bar) for bar in notes]
    target = np.empty_like(roll)
    ours, built, ready, copy = _least(
        lambda: score_bars(roll, chord, previous),
        lambda: [_muspy(_music(bar)) for bar in notes],
        lambda: [_muspy(music) for music in objects],
        lambda: np.copyto(target, roll),
    )
    scores, scale = len(score_bars(roll[:1], chord[:1], previous[:1])), BARS / some
    yield f"{BARS:,} bars of one voice, {scores} scores a bar", f"{1e3 * ours:.0f} ms", "250 ms at most"
    yield f"(muspy, a Music per bar, 9 metrics; {some} bars, scaled)", f"{scale * built:.1f} s", ""
    yield "muspy / ours, objects built", f"{scale * built / ours:.0f}", "30 at least"
    yield "muspy / ours, objects ready", f"{scale * ready / ours:.0f}", "30 at least"
    # A copy reads and writes the bytes of one roll; scoring reads those of two, the bars and the bars before.
    moved = 2 * roll.nbytes
    told = f"(the rolls read alone: {moved / 1e6:.0f} MB at the {moved / copy / 1e9:.1f} GB/s of a copy)"
    yield told, f"{1e3 * copy:.1f} ms", f"the floor: {100 * copy / ours:.1f} % of the time"


def _polyphony(corpus: Corpus) -> Iterator[Row]:
    rows = np.resize(np.concatenate([corpus.phrases(split) for split in Split]), (BARS // 8, 8))
    melody = corpus.melody[rows]
    voices = [melody, *(transpose(np.roll(melody, shift, axis=0), -shift) for shift in (7, 12))]
    roll, chord, some = np.any([piano_roll(voice) for voice in voices], axis=0), corpus.first_chord[rows], 100
    notes = [_notes(phrase) for phrase in roll[:some]]
    objects = [_music(phrase) for phrase in notes]
    ours, built, ready = _least(
        lambda: score_phrases(roll, chord),
        lambda: [_muspy(_music(phrase), phrase=True) for phrase in notes],
        lambda: [_muspy(music, phrase=True) for music in objects],
    )
    scores, scale = len(score_phrases(roll[:1], chord[:1])), len(roll) / some
    yield f"{BARS:,} bars of three voices in phrases, {scores} scores a phrase", f"{1e3 * ours:.0f} ms", "1000 ms"
    yield f"(muspy, a Music per phrase, 10 metrics; {some} phrases, scaled)", f"{scale * built:.1f} s", ""
    yield "muspy / ours, objects built", f"{scale * built / ours:.1f}", "8 at least"
    yield "muspy / ours, objects ready", f"{scale * ready / ours:.1f}", "8 at least"


def _objective(corpus: Corpus) -> Iterator[Row]:
    reference, rollouts, real = _prepared(corpus)
    base = reference.base_line(real.roll, real.chord)
    roll = rollouts.roll
    [evaluation] = _least(lambda: reference.evaluate(roll, rollouts.chord, base))
    phrase_count = len(reference.z)
    yield (
        f"the objective of {ROLLOUTS} rollouts, {phrase_count} phrases in the reference",
        (f"{1e3 * evaluation:.0f} ms"),
        "500 ms at most",
    )
    training = _training(corpus) * TRAINED / SLICE
    yield f"(training on {TRAINED:,} bars, batch 72; a slice of {SLICE:,}, scaled)", f"{training:.0f} s", ""
    yield "the objective / the training that it judges", f"{100 * evaluation / training:.2f} %", "1 % at most"


def _training(corpus: Corpus) -> float:
    import torch

    from trainables.config import TrainConfig
    from trainables.midinet import MidiNet
    from trainables.variants import VARIANTS

    torch.set_num_threads(1)
    model = MidiNet(VARIANTS["baseline"], TrainConfig(), corpus, seed=0)
    model.train(SLICE // 10)
    [seconds] = _least(lambda: model.train(model.bars_seen + SLICE), times=1)
    return seconds


def _fitting(corpus: Corpus) -> Iterator[Row]:
    real = material(corpus).phrases(Split.TRAIN, 1024)
    roll = real.roll
    [seconds] = _least(lambda: Reference.fit(roll, real.chord))
    yield f"a reference of {len(real):,} phrases fitted", f"{1e3 * seconds:.0f} ms", "once a search"


def _copies(corpus: Corpus) -> Iterator[Row]:
    system, real = (
        StepMarkov.fit(_training_music(corpus), by_chord=True),
        material(corpus).phrases(Split.VALIDATION, ROLLOUTS),
    )
    queries = {"new music": system.generate(real.music[:, 0], real.chord, seed=0)}
    for count in (5_000, 150_000):
        many = np.resize(corpus.first_chord, (count // 50, 50 + WINDOW_BARS - 1))
        first = np.resize(real.music[:, 0], (len(many), 16))
        lines = system.generate(first, many, seed=1)
        windows = np.lib.stride_tricks.sliding_window_view(lines, WINDOW_BARS, axis=1).swapaxes(2, 3)
        windows = windows.reshape(-1, WINDOW_BARS, 16)
        index = TrainingWindows.of_lines(windows)
        [built] = _least(partial(TrainingWindows.of_lines, windows), times=3)
        yield f"an index of {len(windows):,} windows, {len(index.windows):,} distinct", f"{1e3 * built:.0f} ms", ""
        size = sum(array.nbytes for array in (index.windows, index.keys, index.order))
        yield "  its size", f"{size / 1e6:.1f} MB", ""
        for kind, melody in (*queries.items(), ("copies", np.resize(lines[:, :8], real.music.shape))):
            [asked] = _least(partial(near_copy_rate, melody, index))
            rate = near_copy_rate(melody, index)
            yield f"  near copies in {ROLLOUTS} rollouts, {kind} (found: {rate:.2f})", f"{1e3 * asked:.1f} ms", ""


def _memory(corpus: Corpus) -> Iterator[Row]:
    if not Path("/proc/self/status").exists():
        return
    command = [sys.executable, __file__, "--memory"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    before, gained, peak = (float(word) for word in done.stdout.split())
    yield "memory of a process that fits and evaluates, at its peak", f"{peak:.0f} MB", "300 MB at most"
    yield f"  gained by it, over {before:.0f} MB of Python, NumPy and the corpus", f"{gained:.0f} MB", ""


def _memory_of_an_evaluation(corpus: Corpus) -> str:
    """Megabytes before, gained at the peak, and at the peak."""
    before = _peak_megabytes()
    reference, rollouts, real = _prepared(corpus)
    reference.evaluate(rollouts.roll, rollouts.chord, reference.base_line(real.roll, real.chord))
    peak = _peak_megabytes()
    return f"{before} {peak - before} {peak}"


def _peak_megabytes() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    [peak] = [int(line.split()[1]) for line in lines if line.startswith("VmHWM")]
    return peak / 1024


def _prepared(corpus: Corpus) -> tuple[Reference, Phrases, Phrases]:
    """A reference as large as a trial's may be, rollouts of a Markov chain, and their real continuations."""
    like, real = material(corpus).phrases(Split.TRAIN, 1024), material(corpus).phrases(Split.VALIDATION, ROLLOUTS)
    windows = TrainingWindows.of_lines(corpus.melody[corpus.phrases(Split.TRAIN, WINDOW_BARS)])
    system = StepMarkov.fit(_training_music(corpus), by_chord=True)
    melody = system.generate(real.music[:, 0], real.chord, seed=0)
    return Reference.fit(like.roll, like.chord, training=windows), replace(real, music=melody, song=None), real


def _training_music(corpus: Corpus) -> TrainingMusic:
    return TrainingMusic(melody=corpus.melody, chord=corpus.first_chord, previous=corpus.prev)


def _notes(roll: NDArray[np.bool_]) -> Notes:
    """The notes of a phrase (B, 16, 128), each cut at the bar line, in order of time."""
    starts, ends = roll.copy(), roll.copy()
    starts[:, 1:] &= ~roll[:, :-1]
    ends[:, :-1] &= ~roll[:, 1:]
    # Sorted by bar, pitch and step, the n-th start and the n-th end are those of one note.
    bar, pitch, step = np.nonzero(starts.swapaxes(1, 2))
    last = np.nonzero(ends.swapaxes(1, 2))[2]
    return sorted(zip((16 * bar + step).tolist(), pitch.tolist(), (last - step + 1).tolist(), strict=True))


def _music(notes: Notes) -> Any:
    import muspy  # type: ignore[import-untyped]

    track = muspy.Track(notes=[muspy.Note(time=at, pitch=pitch, duration=length) for at, pitch, length in notes])
    return muspy.Music(resolution=4, tracks=[track])


def _muspy(music: Any, *, phrase: bool = False) -> Sequence[float]:
    """The metrics of muspy that have a counterpart here."""
    from muspy import metrics

    values = [
        metrics.n_pitches_used(music),
        metrics.n_pitch_classes_used(music),
        metrics.pitch_range(music),
        metrics.pitch_entropy(music),
        metrics.pitch_class_entropy(music),
        metrics.scale_consistency(music),
        metrics.pitch_in_scale_rate(music, 0, "major"),
        metrics.polyphony(music),
        metrics.polyphony_rate(music),
    ]
    return [*values, metrics.groove_consistency(music, 16)] if phrase else values


def _least(*work: Callable[[], Any], times: int = 5) -> list[float]:
    """Seconds of each, the least of several; in turns, so that a busy moment strikes all alike."""
    rounds = [[_seconds(each) for each in work] for _ in range(times)]
    return [min(seconds) for seconds in zip(*rounds, strict=True)]


def _seconds(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
