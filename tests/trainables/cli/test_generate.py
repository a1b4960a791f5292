"""`generate`: new music of a trained system, over the chords that are asked for."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pretty_midi
import pytest

from data_prep import cache, kinds
from data_prep.corpus import Corpus, Split, load
from data_prep.errors import UserError
from data_prep.windows import WindowCorpus
from reporting.midi import write_midi
from tests.lead_sheets import lead_sheets
from tests.trainables.cli.conftest import PAIR, Run
from trainables.cli.request import request_of
from trainables.prompts import chords


def triads(path: Path) -> list[list[int]]:
    """Pitch classes that the chord track strikes, in order of time."""
    track = next(track for track in pretty_midi.PrettyMIDI(str(path)).instruments if track.name == "chords")
    starts = sorted({note.start for note in track.notes})
    return [sorted(note.pitch % 12 for note in track.notes if note.start == start) for start in starts]


def test_music_is_written_over_the_chords_asked_for(trained_pair: Path, tmp_path: Path, run: Run) -> None:
    words = ("--chords", "C Am,F", "--bars", "3", "--count", "2", "--out", tmp_path / "out")
    code, output, errors = run("generate", trained_pair, *words)
    assert (code, errors) == (0, "")
    names = {f"phrase-{number}.{kind}" for number in (1, 2) for kind in ("mid", "png", "wav")}
    assert {path.name for path in (tmp_path / "out").iterdir()} == names
    assert "phrase-1 to phrase-2" in output
    assert "baseline hears one a bar: the first of each is played" in output
    # This system hears the first chord of a bar, so that one is written.
    assert triads(tmp_path / "out" / "phrase-1.mid") == [[0, 4, 7], [0, 4, 9], [0, 4, 7]]
    melody = (tmp_path / "out" / "phrase-1.mid").read_bytes()
    assert run("generate", trained_pair, *words)[0] == 0
    assert (tmp_path / "out" / "phrase-3.mid").read_bytes() == melody  # the same seed; nothing is written over
    assert run("generate", trained_pair, *words, "--seed", 1)[0] == 0
    assert (tmp_path / "out" / "phrase-5.mid").read_bytes() != melody


def test_without_options_it_goes_on_with_prompts_beside_their_trial(trained: Path, tmp_path: Path, run: Run) -> None:
    shutil.copytree(trained, tmp_path / "whole")
    code, output, errors = run("generate", tmp_path / "whole")
    assert (code, errors) == (0, "")
    folder = tmp_path / "whole" / "trials" / "0000" / "generated"
    assert len(list(folder.glob("*.wav"))) == 3
    assert "but lstm does not hear them" in output


def test_the_winner_of_a_search_is_found(trained: Path, tmp_path: Path, run: Run) -> None:
    whole = tmp_path / "whole"
    shutil.copytree(trained, whole)
    trials = whole / "trials"
    (trials / "0000").rename(trials / "0002")
    shutil.copytree(trials / "0002", trials / "0001")
    lines = json.loads((whole / "leaderboard.json").read_text())
    for line in lines:
        line["name"] = line["name"].replace("0000", "0002")
    (whole / "leaderboard.json").write_text(json.dumps(lines))
    words = ("--count", "1", "--bars", "1", "--out", tmp_path / "out")
    assert "trials/0002" in run("generate", whole, *words)[1]
    assert "trials/0002" in run("generate", whole, "--trial", "winner", *words)[1]
    assert "trials/0001" in run("generate", whole, "--trial", "0001", *words)[1]
    code, _, errors = run("generate", whole, "--trial", "0003", *words)
    assert code == 2
    assert "choose winner or one of: 0001, 0002." in errors
    (whole / "leaderboard.json").unlink()
    assert "leaderboard.json cannot be read" in run("generate", whole, *words)[2]


def test_songs_are_those_kept_for_prompts(corpus: Corpus) -> None:
    rows = corpus.phrases(Split.PROMPTS, 8)
    first = request_of(corpus, bars=8, count=2, song=1)
    assert (first.chord == corpus.chord[rows[0]]).all()
    assert first.real is not None
    assert (first.real == corpus.melody[rows[0]]).all()
    assert (first.first_bar == corpus.melody[rows[0, 0]]).all()
    several = request_of(corpus, bars=8, count=5)
    assert several.real is not None
    assert len({phrase.tobytes() for phrase in several.real}) == 5


def test_phrases_longer_than_any_song_repeat_its_chords(corpus: Corpus) -> None:
    request = request_of(corpus, bars=30, count=1, song=1)
    songs = np.unique(corpus.song[corpus.rows(Split.PROMPTS)])
    length = max(n for n in range(1, 14) if songs[0] in corpus.song[corpus.phrases(Split.PROMPTS, n)])
    assert request.real is None
    assert (request.chord[0, :length] == request.chord[0, length : 2 * length]).all()


def test_a_first_bar_and_its_chords_come_from_a_midi_file(corpus: Corpus, tmp_path: Path) -> None:
    line = np.full((3, 16), 64, np.int8)
    line[0] = -1  # the first bar with notes is the second
    line[1, :8] = 60
    write_midi(tmp_path / "begin.mid", line, np.array([0, 21, 5], np.int8))
    request = request_of(corpus, bars=3, count=2, midi=tmp_path / "begin.mid")
    assert (request.first_bar == line[1]).all()
    assert request.chord[0, :, 0].tolist() == [21, 5, 21]
    request = request_of(corpus, bars=3, count=2, midi=tmp_path / "begin.mid", progression="G")
    assert (request.chord == 7).all()


@pytest.mark.parametrize(("starts_at", "begins"), [(12, 1), (8, 1), (7, 0), (0, 0)])
def test_a_pick_up_is_no_first_bar(starts_at: int, begins: int, corpus: Corpus, tmp_path: Path) -> None:
    line = np.full((3, 16), 64, np.int8)
    line[0] = 60
    line[0, :starts_at] = -1
    line[1, 8:] = 67
    write_midi(tmp_path / "begin.mid", line, np.array([7, 0, 5], np.int8))
    request = request_of(
        replace(corpus, melody=np.where(corpus.melody == 60, -1, corpus.melody)),
        bars=2,
        count=1,
        midi=tmp_path / "begin.mid",
    )
    assert (request.first_bar == line[begins]).all()
    assert request.chord[0, :, 0].tolist() == [[7, 0], [0, 5]][begins]


def test_a_pick_up_to_nothing_is_all_there_is(corpus: Corpus, tmp_path: Path) -> None:
    line = np.full((1, 16), -1, np.int8)
    line[0, 12:] = 60
    write_midi(tmp_path / "begin.mid", line, np.array([7], np.int8))
    request = request_of(corpus, bars=1, count=1, midi=tmp_path / "begin.mid")
    assert set(request.first_bar[0].tolist()) == {60}


def test_a_midi_file_without_chords_needs_them(corpus: Corpus, tmp_path: Path) -> None:
    song = pretty_midi.PrettyMIDI(initial_tempo=120)
    song.instruments.append(pretty_midi.Instrument(0, name="melody"))
    song.instruments[0].notes = [pretty_midi.Note(80, 60, 0.5, 1.0)]
    song.write(str(tmp_path / "alone.mid"))
    with pytest.raises(UserError, match="give them with --chords"):
        request_of(corpus, bars=3, count=2, midi=tmp_path / "alone.mid")
    request = request_of(corpus, bars=3, count=1, midi=tmp_path / "alone.mid", progression="C")
    assert set(request.first_bar[0].tolist()) == {60}  # this corpus has no rests: none may stand in a prompt


def test_prompts_of_piano_music_are_windows(piano: Path) -> None:
    corpus = kinds.load(piano)
    assert isinstance(corpus, WindowCorpus)
    request = request_of(corpus, bars=8, count=2)
    assert request.real is not None
    assert request.real.shape == (2, 8, 16, 128)
    assert (request.first_bar == request.real[:, 0]).all()
    assert request.tempo == 60 * 16 / 4
    assert request_of(corpus, bars=9, count=1).real is None
    for more in ({"progression": "C"}, {"midi": Path("x.mid")}):
        with pytest.raises(UserError, match="trained on piano music"):
            request_of(corpus, bars=8, count=2, **more)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("--chords", "C H"), "There is no chord 'H'"),
        (("--chords", ""), "The progression is empty"),
        (("--bars", "1000"), "--bars is 1000, but must be from 1 to 128."),
        (("--bars", "0"), "--bars is 0"),
        (("--count", "-1"), "--count is -1"),
        (("--seed", "-1"), "--seed is -1"),
        (("--song", "99"), "--song is 99, but must be from 1 to"),
        (("--song", "1", "--chords", "C"), "not allowed with"),
        (("--song", "1", "--midi", "x.mid"), "--song and --midi"),
        (("--midi", "no.mid"), "no.mid: there is no such file"),
        (("--trial", "../0000"), "has no trial '../0000'"),
        (("--out", "/dev/null/x"), "cannot be written to"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(words: tuple[str, ...], error: str, trained: Path, run: Run) -> None:
    code, _, errors = run("generate", trained, *words)
    assert code == 2
    assert error in errors
    assert errors.count("\n") == 1


def test_what_is_no_run_is_refused(trained: Path, tmp_path: Path, run: Run) -> None:
    code, _, errors = run("generate", trained.with_name("whoel"))
    assert code == 2
    assert f"did you mean '{trained}'?" in errors
    for name in ("no\0thing", "x" * 5000, str(tmp_path)):
        code, _, errors = run("generate", name)
        assert code == 2
        assert "there is no run" in errors
        assert errors.count("\n") == 1


@pytest.mark.parametrize(
    ("file", "text", "error"),
    [
        ("trials/0000/checkpoint/state.pt", "damaged", "cannot be read"),
        ("trials/0000/checkpoint/state.pt", None, "cannot be read"),
        ("trials/0000/checkpoint", None, "has no checkpoint"),
        ("trials/0000/config.json", '{"settings": [1]}', "config.json cannot be read"),
        ("trials/0000/config.json", '{"settings": {"hidde": 3}}', "did you mean 'hidden'"),
        ("trials/0000/config.json", None, "no trial has begun"),
        ("plan.json", '{"system": "lstm"}', "plan.json cannot be read"),
        ("provenance.json", None, "provenance.json cannot be read"),
    ],
)
def test_a_damaged_run_is_told_in_one_line(
    file: str, text: str | None, error: str, trained: Path, tmp_path: Path, run: Run
) -> None:
    shutil.copytree(trained, tmp_path / "whole")
    path = tmp_path / "whole" / file
    if path.is_dir():
        shutil.rmtree(path)
    elif text is None:
        path.unlink()
    else:
        path.write_text(text)
    code, _, errors = run("generate", tmp_path / "whole", "--trial", "0000")
    assert code == 2
    assert error in errors
    assert errors.count("\n") == 1


def test_a_vae_writes_no_more_than_a_window(piano: Path, tmp_path: Path, run: Run) -> None:
    small: list[Any] = ["--set", "width=6", "--set", "batch_size=4", "--bars", "32", "--evaluations", "1"]
    words = ("--rollouts", "4", "--results", tmp_path, "--name", "vae")
    assert run("train", "vae", "--data", piano, *small, *words)[0] == 0
    code, _, errors = run("generate", tmp_path / "vae", "--bars", "9")
    assert code == 2
    assert "this system writes 8 at most" in errors


def test_chords_of_every_beat_are_heard_where_a_system_hears_them(corpus: Corpus) -> None:
    request = request_of(corpus, bars=2, count=1, progression="C,G,Am,F")
    assert (request.chord[0] == chords("C,G,Am,F", 2)).all()


def test_a_trial_that_chose_its_music_is_prompted_with_that(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "user_cache_path", lambda name: tmp_path / "cache" / name)
    data = lead_sheets(tmp_path / "music")
    words = (*PAIR, "--data", data, "--results", tmp_path, "--name", "whole", "--device", "cpu")
    assert run("train", *words)[0] == 0
    config = tmp_path / "whole" / "trials" / "0000" / "config.json"
    settings = json.loads(config.read_text())
    config.write_text(json.dumps(settings | {"settings": {**settings["settings"], "rests": "keep"}}))  # as of a search
    assert len(list((tmp_path / "cache").rglob("corpus.npz"))) == 1
    assert run("generate", tmp_path / "whole", "--count", 1)[::2] == (0, "")
    kept = [folder.parent for folder in (tmp_path / "cache").rglob("corpus.npz")]
    assert sorted(bool((load(folder).melody < 0).any()) for folder in kept) == [False, True]
    (melody, *_) = pretty_midi.PrettyMIDI(str(next(tmp_path.rglob("phrase-1.mid")))).instruments
    assert melody.notes[0].end < melody.notes[1].start  # the first bar is real, and rests
