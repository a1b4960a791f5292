"""What is in a corpus, in words."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from data_prep import chords
from data_prep.assemble import by_reason
from data_prep.bars import NUM_PITCHES
from data_prep.corpus import Corpus, Split
from data_prep.errors import UserError
from data_prep.folder import shown
from data_prep.keys import estimate_key
from data_prep.song import SkippedFile
from data_prep.windows import WindowCorpus

AnyCorpus = Corpus | WindowCorpus

_SEARCHED: Final = (Split.TRAIN, Split.VALIDATION, Split.PROMPTS)
_SHOWN: Final = 8
"""Lines of a long list that are shown; corpus.json has them all."""


def summary(corpus: AnyCorpus, folder: str) -> str:
    """What was kept, split and dropped, in a few lines."""
    lines = [f"{_size(corpus)} -> {folder}", *_splits(corpus), *_dropped(corpus), *_warnings(corpus)]
    return "\n".join(lines)


def describe(corpus: AnyCorpus, folder: str) -> str:
    """All that `info` prints. UserError where `corpus.json` does not say what is told of every corpus."""
    try:
        return "\n".join(_told(corpus, folder))
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        reason = "corpus.json lacks some of its counts, options or skipped files"
        raise UserError(f"{folder}: {reason}; prepare it again.") from error


def _told(corpus: AnyCorpus, folder: str) -> Iterator[str]:
    about = corpus.about
    yield shown(f"{folder}: {_size(corpus)} from {about['source']}")
    yield _line("options", ", ".join(shown(f"{name} {_value(value)}") for name, value in about["options"].items()))
    yield from _splits(corpus)
    yield from _of_bars(corpus) if isinstance(corpus, Corpus) else _of_windows(corpus)
    yield from _dropped(corpus)
    yield from _warnings(corpus)


def notes_per_bar(corpus: Corpus) -> NDArray[np.int64]:
    """Notes that begin in each bar, (N,)."""
    counts: NDArray[np.int64] = (corpus.onset[:, None] >> np.arange(16, dtype=np.uint16) & 1).sum(axis=1)
    return counts


def keys(corpus: Corpus) -> Counter[int]:
    """How many songs have each estimated key, by the class of its tonic triad."""
    borders = np.searchsorted(corpus.song, np.arange(1, corpus.num_songs))
    melody, chord = np.split(corpus.melody, borders), np.split(corpus.chord, borders)
    return Counter(estimate_key(*song) for song in zip(melody, chord, strict=True))


def pitch_name(pitch: int) -> str:
    """60 is C4."""
    return f"{chords.PITCH_CLASS_NAMES[pitch % 12]}{pitch // 12 - 1}"


def _of_bars(corpus: Corpus) -> Iterator[str]:
    sounding = corpus.melody[corpus.melody >= 0]
    yield _line("pitch", _pitches(sounding) + f"; {_share(_within(corpus, 60, 83))} of the bars lie within C4-B5")
    yield _line("notes a bar", _spread(notes_per_bar(corpus)))
    yield _line("silence", f"{_share((corpus.melody < 0).mean())} of the steps")
    named = keys(corpus).most_common()
    yield _line("keys", ", ".join(f"{chords.name(key)} {count:,}" for key, count in named) + " (songs, estimated)")
    used = np.bincount(corpus.chord.ravel(), minlength=chords.NUM_CHORDS) / corpus.chord.size
    common = sorted(np.flatnonzero(used).tolist(), key=lambda chord: -used[chord])
    names = ", ".join(f"{_chord_name(chord)} {_share(used[chord])}" for chord in common[:12])
    yield _line("chords", f"{names} of the beats; {len(common)} of {chords.NUM_CHORDS} classes in use")
    changing = (corpus.chord != corpus.chord[:, :1]).any(axis=1).mean()
    yield _line("changes", f"{_share(changing)} of the bars have more than one chord")
    clusters = {str(song.get("cluster")) for song in corpus.about["songs"]}
    yield _line("tunes", f"{len(clusters):,} that differ in their opening notes; each lies in one split only")


def _of_windows(corpus: WindowCorpus) -> Iterator[str]:
    frequency = corpus.about["options"]["sampling_frequency"]
    yield _line("time", f"{corpus.num_windows * 128 / frequency / 3600:,.2f} hours, windows of {128 / frequency:g} s")
    yield _line("notes", f"{len(corpus.pitch):,}; {_spread(corpus.end_note - corpus.first_note)} in reach of a window")
    yield _line("pitch", _pitches(corpus.pitch))
    yield _line("velocity", _spread(corpus.velocity))


def _splits(corpus: AnyCorpus) -> Iterator[str]:
    rows = _rows_name(corpus)
    for name in (split.name.lower() for split in Split):
        count = corpus.about["counts"]["splits"][name]
        runs = f" {count['phrases']:>8,} runs of 8 bars" if "phrases" in count else ""
        yield f"  {name:<12} {count['songs']:>7,} songs {count[rows]:>9,} {rows}{runs}"


def _dropped(corpus: AnyCorpus) -> Iterator[str]:
    about, rows = corpus.about, _rows_name(corpus)
    for reason, count in _most(about["counts"][f"dropped_{rows}"]):
        yield f"  {'dropped':<12} {count:>7,} {rows}: {shown(reason)}"
    skipped = about["skipped"]
    groups = by_reason(SkippedFile(path=str(item["path"]), reason=str(item["reason"])) for item in skipped)
    for files in groups[: _SHOWN + 1]:
        yield f"  {'skipped':<12} {len(files):>7,} files: {shown(files[0].reason)}; such as {shown(files[0].path)}"
    rest = sum(map(len, groups[_SHOWN + 1 :]))
    if rest:
        yield f"  {'skipped':<12} {rest:>7,} files: other reasons (corpus.json has them all)"
    for remark, count in _most(about["counts"].get("remarks", {})):
        yield f"  {'remark':<12} {count:>7,} times: {shown(remark)}"
    doubts = about.get("doubts", {})
    if doubts:
        song, doubt = next(iter(doubts.items()))
        yield f"  {'doubtful':<12} {len(doubts):>7,} songs, such as {shown(song)}: {shown(doubt)}"


def _warnings(corpus: AnyCorpus) -> Iterator[str]:
    about = corpus.about
    if len(about["skipped"]) > about["counts"]["songs"]:
        yield _line("note", "most of the music gave nothing: is the source the right one?")
    if isinstance(corpus, Corpus) and any(
        about["counts"]["splits"][split.name.lower()]["phrases"] < 2 for split in _SEARCHED
    ):
        yield _line("note", "too little for a search: training, validation and prompts each need two runs of 8 bars")


def _size(corpus: AnyCorpus) -> str:
    counts, rows = corpus.about["counts"], _rows_name(corpus)
    return f"{_count(counts['songs'], 'songs')}, {_count(counts[rows], rows)}"


def _count(count: int, things: str) -> str:
    return f"{count:,} {things.removesuffix('s') if count == 1 else things}"


def _most(counts: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    """The commonest, and the rest as one."""
    ranked = Counter(counts).most_common()
    if len(ranked) == _SHOWN + 1:
        yield from ranked
        return
    yield from ranked[:_SHOWN]
    if ranked[_SHOWN:]:
        yield "other reasons (corpus.json has them all)", sum(count for _, count in ranked[_SHOWN:])


def _rows_name(corpus: AnyCorpus) -> str:
    return "bars" if isinstance(corpus, Corpus) else "windows"


def _line(name: str, text: str) -> str:
    return f"  {name:<13}{text}"


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{name} {value[name]:g}" for name in ("validation", "test", "prompts"))
    return "by itself" if value is None else str(value)


def _pitches(pitch: NDArray[Any]) -> str:
    low, first, third, high = np.percentile(pitch, (0, 25, 75, 100), method="nearest").astype(int).tolist()
    middle = f"half of it from {pitch_name(first)} to {pitch_name(third)}"
    return f"{pitch_name(low)} to {pitch_name(high)} ({low}-{high}), {middle}"


def _within(corpus: Corpus, low: int, high: int) -> float:
    silent = corpus.melody < 0
    return float((silent | ((corpus.melody >= low) & (corpus.melody <= high))).all(axis=1).mean())


def _spread(values: NDArray[Any]) -> str:
    low, middle, high = np.percentile(values, (5, 50, 95)).tolist()
    return f"{values.mean():.1f} on average; median {middle:g}, and nine in ten from {low:.0f} to {high:.0f}"


def _chord_name(chord: int) -> str:
    return "none" if chord == chords.NO_CHORD else chords.name(chord)


def _share(share: float) -> str:
    return f"{share:.0%}" if share >= 0.1 or share == 0 else f"{share:.1%}"


def pitch_use(pitch: NDArray[Any]) -> NDArray[np.int64]:
    """How often each MIDI pitch sounds, (128,)."""
    return np.bincount(np.asarray(pitch, np.int64).ravel(), minlength=NUM_PITCHES)
