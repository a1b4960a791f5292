"""symusic and pretty_midi, which reads MIDI where symusic is not installed, make the same corpus of real music."""

import sys
from pathlib import Path

import pytest

from data_prep.prepare import prepare_found
from data_prep.source import Found
from data_prep.sources import SOURCES

DATA = Path(__file__).parents[3].parent / "shared" / "data"


@pytest.mark.parametrize(
    ("source", "folder", "every"),
    [
        ("nottingham", "nottingham", 2),
        ("pop909", "POP909", 5),
        ("maestro", "maestro-asap-nc", 1),
        ("piano", "maestro-like", 4),
    ],
)
def test_both_readers_make_the_same_bars(source: str, folder: str, every: int, monkeypatch: pytest.MonkeyPatch) -> None:
    if not (DATA / folder).is_dir():
        pytest.skip(f"no music at {DATA / folder}")
    kind = SOURCES[source]
    found = kind.find(DATA / folder)
    some = Found(root=found.root, items=found.items[::every])
    assert len(some.items) > 4
    fast = prepare_found(kind, some, kind.defaults)
    monkeypatch.setitem(sys.modules, "data_prep.formats.midi_symusic", None)
    slow = prepare_found(kind, some, kind.defaults)
    assert slow.about["versions"].keys() == {"pretty_midi"}
    assert slow.digest == fast.digest
    assert slow.about["skipped"] == fast.about["skipped"]
