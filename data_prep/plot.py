"""What is in a corpus, as a picture."""

import io
from collections.abc import Sequence
from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np

from data_prep import chords
from data_prep.corpus import Corpus, Split
from data_prep.errors import UserError
from data_prep.files import write_atomic
from data_prep.folder import shown
from data_prep.info import AnyCorpus, keys, notes_per_bar, pitch_name, pitch_use


def draw(corpus: AnyCorpus, path: Path) -> None:
    """Write a PNG with the splits, pitches, notes per bar, chords and keys. UserError where it cannot be written."""
    from matplotlib.figure import Figure  # no pyplot: no window system is looked for

    if path.suffix.lower() != ".png":
        raise UserError(f"{path}: a picture is written as PNG; choose a name that ends in .png.")
    figure = Figure(figsize=(12, 7), layout="constrained")
    panels = figure.subplots(2, 3).ravel()
    about = corpus.about["counts"]
    rows = "bars" if isinstance(corpus, Corpus) else "windows"
    figure.suptitle(f"{shown(str(corpus.about['source']))}: {about['songs']:,} songs, {about[rows]:,} {rows}")
    _bars(panels[0], [split.name.lower() for split in Split], [len(corpus.rows(split)) for split in Split], rows)
    if isinstance(corpus, Corpus):
        _draw_bars(panels, corpus)
    else:
        _pitches(panels[1], pitch_use(corpus.pitch), "notes")
        panels[2].hist(corpus.end_note - corpus.first_note, bins=40)
        panels[2].set_title("notes in reach of a window")
        panels[3].hist(corpus.velocity, bins=32)
        panels[3].set_title("velocity of the notes")
    _reasons(panels[5 if isinstance(corpus, Corpus) else 4], about[f"dropped_{rows}"], rows)
    for panel in panels:
        panel.set_visible(bool(panel.get_title()))
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=110, metadata={"Software": None})
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, picture.getvalue())
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror}); choose another place.") from error


def _draw_bars(panels: Sequence[Any], corpus: Corpus) -> None:
    _pitches(panels[1], pitch_use(corpus.melody[corpus.melody >= 0]), "sixteenths")
    notes = np.bincount(notes_per_bar(corpus), minlength=17)
    _bars(panels[2], [str(count) for count in range(17)], notes.tolist(), "bars by number of notes")
    used = np.bincount(corpus.chord.ravel(), minlength=chords.NUM_CHORDS).tolist()
    names = [*(chords.name(chord) for chord in range(24)), "none"]
    _bars(panels[3], names, used, "beats by chord")
    songs = keys(corpus)
    _bars(panels[4], [chords.name(key) for key in range(24)], [songs[key] for key in range(24)], "songs by key")


def _bars(panel: Any, names: list[str], heights: Sequence[int], title: str) -> None:
    panel.bar(range(len(names)), heights)
    panel.yaxis.get_major_locator().set_params(integer=True)
    panel.set_xticks(range(len(names)), names, rotation=90 if len(names) > 6 else 0)
    panel.set_title(title)


def _pitches(panel: Any, counts: Any, what: str) -> None:
    sounding = np.flatnonzero(counts)
    low, high = (int(sounding.min()), int(sounding.max())) if len(sounding) else (60, 72)
    panel.bar(range(low, high + 1), counts[low : high + 1])
    octaves = range(-(-low // 12) * 12, high + 1, 12)
    panel.set_xticks(octaves, [pitch_name(pitch) for pitch in octaves])
    panel.set_title(f"{what} by pitch")


def _reasons(panel: Any, dropped: dict[str, int], rows: str) -> None:
    ranked = sorted(dropped.items(), key=lambda item: item[1])[-8:]
    panel.barh(range(len(ranked)), [count for _, count in ranked])
    panel.set_yticks(range(len(ranked)), [fill(shown(reason[:40]), 22).replace("$", r"\$") for reason, _ in ranked])
    panel.xaxis.get_major_locator().set_params(integer=True)
    panel.set_ylim(-0.5, max(len(ranked), 4) - 0.5)
    panel.set_title(f"{rows} dropped")
