from pathlib import Path

import numpy as np
import pretty_midi
import pytest

from data_prep.corpus import Corpus, load
from data_prep.locate import resolve
from reporting.audio import RATE, TAIL
from reporting.midi import notes
from reporting.phrase import phrases
from scores.phrases import Music
from tests.piano import piano_corpus
from trainables.judge import Judge


class Backwards:
    """A system that goes on with the first bar from its end to its beginning."""

    def generate(self, first_bar: Music, chord: np.ndarray, *, seed: int) -> Music:
        return np.stack([first_bar, *[first_bar[:, ::-1]] * (chord.shape[1] - 1)], axis=1)


@pytest.fixture(scope="module")
def bars() -> Corpus:
    return load(resolve("builtin"))


@pytest.mark.parametrize("by_beat", [False, True])
def test_what_a_judge_samples_of_bars_can_be_heard_and_seen(bars: Corpus, tmp_path: Path, by_beat: bool) -> None:
    media = Judge(bars, rollouts=2).samples(Backwards(), by_beat=by_beat)
    found = phrases(media)
    assert len(found) == 3
    found[0].write(tmp_path / "sample-1")
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".mid", ".png", ".wav"]
    midi = pretty_midi.PrettyMIDI(str(tmp_path / "sample-1.mid"))
    assert [each.name for each in midi.instruments] == ["melody", "chords"]
    assert len(midi.instruments[0].notes) == len(notes(media["melody"][0]))
    assert midi.get_end_time() == pytest.approx(16.0)
    chords = len(midi.instruments[1].notes)
    assert chords > 24 if by_beat else chords == 24


def test_what_a_judge_samples_of_piano_music_can_be_heard_and_seen(tmp_path: Path) -> None:
    media = Judge(piano_corpus(frequency=20.0), rollouts=2).samples(Backwards())
    found = phrases(media)
    assert len(found) == 3
    found[0].write(tmp_path / "sample-1")
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".mid", ".png", ".wav"]
    midi = pretty_midi.PrettyMIDI(str(tmp_path / "sample-1.mid"))
    assert [each.name for each in midi.instruments] == ["piano"]
    assert len(midi.instruments[0].notes) == len(notes(media["roll"][0]))
    assert midi.get_end_time() == pytest.approx(128 / 20, rel=1e-4)
    sound, rate = found[0].sound()
    assert rate == RATE
    assert len(sound) == round(128 / 20 * RATE) + round(TAIL * RATE)


def test_no_music_is_no_phrase() -> None:
    assert phrases({"melody": [], "real": [], "chord": []}) == []
    assert phrases({"roll": [], "real": [], "steps_per_second": 16.0}) == []


def test_a_phrase_without_its_real_one_is_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        phrases({"roll": np.zeros((2, 8, 16, 128), np.uint8), "real": [], "steps_per_second": 16.0})
