"""How fast music is prepared, loaded and handed to a trial, each beside the figure it is held to.

    python tests/benchmarks/bench_data_prep.py                    what needs no data of one's own
    python tests/benchmarks/bench_data_prep.py --pop909 POP909    also reading, against pretty_midi

Every ratio is of two measurements in this one run; single times depend on the machine and how busy it is.
"""

import argparse
import hashlib
import os
import platform
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

os.environ.update(OMP_NUM_THREADS="1", RAY_USAGE_STATS_ENABLED="0", RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER="0")

import numpy as np
import torch

from data_prep import corpus as corpora
from data_prep.assemble import assemble
from data_prep.corpus import Corpus
from data_prep.kinds import save
from data_prep.options import Options
from data_prep.prepare import prepare
from data_prep.song import RawSong, Section
from data_prep.sources import SOURCES
from trainables.batches import BarDealer

SONGS: Final = 11_380
"""Songs of the full Lead Sheet Dataset, in 18,843 sections of 11.28 bars on average."""
POP909_SONGS: Final = 909
BATCH: Final = 72


def main() -> None:
    """Measure everything and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pop909", type=Path, metavar="DIR", help="songs of POP909, repeated up to 909")
    parser.add_argument("--peer-songs", type=int, default=90, metavar="N", help="songs that pretty_midi reads (90)")
    arguments = parser.parse_args()
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    torch.set_num_threads(1)
    for name, figure, target in measurements(arguments):
        print(f"{name:<66} {figure:>24}   {target}", flush=True)


def measurements(arguments: argparse.Namespace) -> Iterator[tuple[str, str, str]]:
    """Name, figure and what it is held to."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        corpus, seconds = _timed(partial(prepare, SOURCES["builtin"]))
        assert isinstance(corpus, Corpus)
        yield "builtin, one process", f"{seconds:.1f} s", "10 s"
        if arguments.pop909:
            yield from _reading(arguments.pop909, folder / "pop909", arguments.peer_songs)
        yield from _large(corpus, folder / "large")
        yield from _trial(corpus, corpora.load(folder / "large"))


def _reading(source: Path, folder: Path, peer_songs: int) -> Iterator[tuple[str, str, str]]:
    songs = sorted(path.parent for path in source.glob("*/beat_midi.txt"))
    for number in range(POP909_SONGS):
        shutil.copytree(songs[number % len(songs)], folder / "all" / f"{number:03}")
        # A song's MIDI file is named as its folder.
        [midi] = (folder / "all" / f"{number:03}").glob("*.mid")
        midi.rename(midi.with_name(f"{number:03}.mid"))
        if number < peer_songs:
            shutil.copytree(folder / "all" / f"{number:03}", folder / "few" / f"{number:03}")
    pop909 = SOURCES["pop909"]
    prepare(pop909, folder / "few")  # the disk's cache is warm for both
    _, ours = _timed(lambda: save(prepare(pop909, folder / "all"), folder / "ours"))
    with _through_pretty_midi():
        _, peer = _timed(lambda: save(prepare(pop909, folder / "few"), folder / "theirs"))
    yield f"{POP909_SONGS} songs of POP909 read, split and saved, one process", f"{ours:.2f} s", ""
    yield f"the same through pretty_midi ({peer_songs} songs), a song", f"{1e3 * peer / peer_songs:.1f} ms", ""
    ratio = peer / peer_songs / (ours / POP909_SONGS)
    yield "pretty_midi / ours, a song", f"{ratio:.0f}", "20 at least"


@contextmanager
def _through_pretty_midi() -> Iterator[None]:
    """As where symusic is not installed."""
    name = "data_prep.formats.midi_symusic"
    symusic = sys.modules.pop(name, None)
    sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[name]
        if symusic:
            sys.modules[name] = symusic


def _large(corpus: Corpus, folder: Path) -> Iterator[tuple[str, str, str]]:
    large = _repeated(corpus)
    _, written = _timed(partial(save, large, folder))
    loads = [_timed(partial(corpora.load, folder))[1] for _ in range(9)]
    size = sum(file.stat().st_size for file in folder.iterdir())
    yield f"{large.num_bars:,} bars of {large.num_songs:,} songs written", f"{written:.2f} s", ""
    yield "loaded and checked, median of 9", f"{1e3 * statistics.median(loads):.0f} ms", "100 ms"
    floor = statistics.median(_timed(lambda: [file.read_bytes() for file in folder.iterdir()])[1] for _ in range(9))
    yield "(its bytes read alone, median of 9)", f"{1e3 * floor:.1f} ms", "the floor"
    yield "on disk", f"{size / 1e6:.1f} MB", "10 MB"


def _trial(small: Corpus, large: Corpus) -> Iterator[tuple[str, str, str]]:
    bars = BarDealer(large, device=torch.device("cpu"), seed=0)
    bars.draw(BATCH)
    batches = [_timed(partial(bars.draw, BATCH))[1] for _ in range(500)]
    yield (
        f"a batch of {BATCH} transposed and rasterised, median of 500",
        f"{1e3 * statistics.median(batches):.2f} ms",
        "1 ms",
    )
    rolls = torch.empty(2, BATCH, 16, 128)
    zeros = [_timed(rolls.zero_)[1] for _ in range(500)]
    yield "(its two piano rolls zeroed alone)", f"{1e3 * statistics.median(zeros):.2f} ms", "the floor"
    growth = _memory_of_a_trial(small, large)
    yield "memory a trial gains by the large corpus, through Ray", f"{growth:.0f} MB", "50 MB"


def _memory_of_a_trial(small: Corpus, large: Corpus) -> float:
    """Private megabytes that a worker gains by the second corpus, after it has held the first."""
    import ray

    with tempfile.TemporaryDirectory(dir="/tmp") as place:  # a short path: sockets lie in it
        path = {"env_vars": {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}}
        ray.init(address="local", _temp_dir=place, num_cpus=1, include_dashboard=False, runtime_env=path)
        try:
            trial = ray.remote(_Trial).remote()
            ray.get(trial.hold.remote([ray.put(small.bare())]))
            return float(ray.get(trial.hold.remote([ray.put(large.bare())])))
        finally:
            ray.shutdown()


class _Trial:
    """What a trial keeps of a corpus."""

    def hold(self, references: list[Any]) -> float:
        """Private megabytes gained."""
        import ray

        from trainables.judge import Judge

        before = _private_megabytes()
        corpus = ray.get(references[0])
        bars = BarDealer(corpus, device=torch.device("cpu"), seed=0)
        bars.draw(BATCH)
        self._held = corpus, bars, Judge(corpus, rollouts=256)
        return _private_megabytes() - before


def _private_megabytes() -> float:
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1024


def _repeated(corpus: Corpus) -> Corpus:
    """Real bars over and over, in as many songs and sections as the full Lead Sheet Dataset has."""
    sections_of = np.where(np.arange(SONGS) % 1000 < 656, 2, 1)
    bars_of = iter(11 + (np.arange(sections_of.sum()) % 100 < 28))
    starts = iter(np.random.default_rng(0).integers(corpus.num_bars - 12, size=sections_of.sum()))
    songs = []
    for number, count in enumerate(sections_of.tolist()):
        name = f"datasets/event/a/artist-{number // 7}/song-{number}"
        sections = tuple(
            _section(corpus, f"{name}/{i}.json", int(next(starts)), int(next(bars_of))) for i in range(count)
        )
        songs.append(RawSong(id=name, sections=sections))
    return assemble(songs, Options(), source="lead-sheet", versions={})


def _section(corpus: Corpus, path: str, first: int, count: int) -> Section:
    rows = slice(first, first + count)
    return Section(
        path=path,
        inputs={path: hashlib.sha256(path.encode()).hexdigest()},
        bar=np.arange(count, dtype=np.int32),
        melody=corpus.melody[rows],
        onset=corpus.onset[rows],
        chord=corpus.chord[rows],
        first_chord=corpus.first_chord[rows],
    )


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    start = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start


if __name__ == "__main__":
    main()
