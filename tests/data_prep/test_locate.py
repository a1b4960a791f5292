"""What `--data` may be."""

import json
import shutil
from pathlib import Path
from typing import Any

import pretty_midi
import pytest

from data_prep import cache, kinds
from data_prep.corpus import KIND, Corpus, load
from data_prep.errors import UserError
from data_prep.kinds import KINDS
from data_prep.locate import check, resolve
from data_prep.options import Options
from data_prep.source import Source
from data_prep.sources import SOURCES
from data_prep.store import ABOUT_FILE, ARRAYS_FILE
from data_prep.windows import WindowCorpus


@pytest.fixture(autouse=True)
def cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(cache, "user_cache_path", lambda name: tmp_path / "cache" / name)
    return tmp_path / "cache"


@pytest.fixture
def prepared(monkeypatch: pytest.MonkeyPatch, builtin_corpus: Corpus) -> list[Options]:
    """A quick preparation that notes its calls."""
    calls: list[Options] = []

    def prepare(_: Source, __: Any, options: Options, **___: object) -> Corpus:
        calls.append(options)
        return builtin_corpus

    monkeypatch.setattr(cache, "prepare_found", prepare)
    return calls


def sheet(path: Path, pitch: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    note = {"pitch": pitch, "event_on": 0, "event_off": 4}
    chord = {"root": 0, "quality": "", "chord_type": 5, "sus": None, "event_on": 0, "event_off": 4}
    content = {"metadata": {"beats_in_measure": "4"}, "tracks": {"melody": [note], "chord": [chord]}}
    path.write_text(json.dumps(content))


def test_builtin_is_prepared_once(prepared: list[Options], builtin_corpus: Corpus) -> None:
    folder = resolve("builtin")
    assert folder.parent.parts[-2:] == ("well-tempered-gan", "corpora")
    assert resolve("builtin") == folder
    assert len(prepared) == 1
    assert load(folder).digest == builtin_corpus.digest


@pytest.mark.parametrize("file", [ARRAYS_FILE, ABOUT_FILE])
def test_a_damaged_cache_is_prepared_again(file: str, prepared: list[Options]) -> None:
    folder = resolve("builtin")
    (folder / file).write_bytes(b"half")
    assert load(resolve("builtin")).num_bars
    assert len(prepared) == 2


def test_a_folder_of_music_is_prepared_once_for_its_content(tmp_path: Path) -> None:
    sheet(tmp_path / "music" / "song" / "verse_symbol_nokey.json")
    folder = resolve(f"lead-sheet:{tmp_path / 'music'}")
    assert folder.name.startswith("lead-sheet-")
    assert load(folder).melody.tolist() == [[60] * 16]
    shutil.copytree(tmp_path / "music", tmp_path / "elsewhere")
    assert resolve(f"lead-sheet:{tmp_path / 'elsewhere'}") == folder
    sheet(tmp_path / "music" / "song" / "verse_symbol_nokey.json", pitch=5)
    changed = resolve(f"lead-sheet:{tmp_path / 'music'}")
    assert changed != folder
    assert load(changed).melody.tolist() == [[65] * 16]
    sheet(tmp_path / "music" / "new" / "verse_symbol_nokey.json")
    assert resolve(f"lead-sheet:{tmp_path / 'music'}") not in (folder, changed)


def test_the_cache_is_keyed_by_options_and_edition(monkeypatch: pytest.MonkeyPatch) -> None:
    source = SOURCES["builtin"]
    found = source.find(None)
    folders = {
        cache.cache_folder(source, found, options)
        for options in (Options(), Options(seed=1), Options(rests="keep"), Options(pedal="hold"))
    }
    monkeypatch.setattr("data_prep.sources.builtin.version", lambda _: "99.0")
    folders.add(cache.cache_folder(source, found, Options()))
    assert len(folders) == 4  # of which the pedal is none: it makes no difference to a chorale
    assert all(folder.name.startswith("builtin-") for folder in folders)


def test_music_is_prepared_with_other_options_beside_its_own(prepared: list[Options]) -> None:
    usual, other = resolve("builtin"), resolve("builtin", changes={"rests": "keep", "octave": "fold"})
    assert usual != other == resolve("builtin", changes={"octave": "fold", "rests": "keep"})
    assert prepared == [Options(), Options(rests="keep", octave="fold")]
    assert resolve("builtin", changes={}) == resolve("builtin", changes={"rests": "fill"}) == usual
    check("builtin", changes=("rests", "octave"))


def test_options_that_cannot_be_changed_are_told_in_a_line(builtin_folder: Path, prepared: list[Options]) -> None:
    made = str(builtin_folder)
    for ask in (lambda data, name: resolve(data, changes={name: 8.0}), lambda data, name: check(data, changes=(name,))):
        with pytest.raises(UserError, match=r"is a prepared corpus, but rests must be varied: .*as SOURCE:PATH"):
            ask(made, "rests")
        with pytest.raises(UserError, match=r"no option sampling_frequency, .*; these do: maestro, piano\."):
            ask("builtin", "sampling_frequency")
        with pytest.raises(UserError, match="did you mean 'builtin'"):
            ask("biultin", "rests")
    with pytest.raises(UserError, match="rests is 'some'; choose 'fill' or 'keep'"):
        resolve("builtin", changes={"rests": "some"})
    assert not prepared


def test_a_folder_with_a_corpus_is_itself(builtin_folder: Path) -> None:
    assert resolve(str(builtin_folder)) == builtin_folder
    check(str(builtin_folder))


def maestro(folder: Path) -> Path:
    """A folder with a recording of 9 seconds, as MAESTRO has them."""
    (folder / "2004").mkdir(parents=True)
    midi = pretty_midi.PrettyMIDI()
    track = pretty_midi.Instrument(0)
    track.notes = [pretty_midi.Note(64, 60 + step % 12, step / 2, step / 2 + 0.5) for step in range(18)]
    midi.instruments.append(track)
    midi.write(str(folder / "2004" / "a.mid"))
    columns = "canonical_composer,canonical_title,split,year,midi_filename,audio_filename,duration"
    (folder / "maestro-v3.0.0.csv").write_text(f"{columns}\nBach,Fugue,train,2004,2004/a.mid,2004/a.wav,9.0\n")
    return folder


def test_a_folder_of_piano_music_is_a_corpus_of_windows(tmp_path: Path) -> None:
    data = f"maestro:{maestro(tmp_path / 'music')}"
    check(data, KINDS)
    corpus = kinds.load(resolve(data))
    assert isinstance(corpus, WindowCorpus)
    assert corpus.num_windows == 1
    prepared = str(resolve(data))
    assert str(resolve(prepared)) == prepared
    check(prepared, KINDS)
    for name in (data, prepared):
        with pytest.raises(UserError, match="it holds windows of piano music, but this needs bars with chords;"):
            check(name, (KIND,))


def test_what_is_of_no_kind_is_told_of_all_that_would_do(builtin_folder: Path, tmp_path: Path) -> None:
    check(str(builtin_folder), KINDS)
    shutil.copytree(builtin_folder, tmp_path / "other")
    about = json.loads((tmp_path / "other" / ABOUT_FILE).read_text())
    (tmp_path / "other" / ABOUT_FILE).write_text(json.dumps(about | {"kind": "drums"}))
    with pytest.raises(UserError, match="'drums', but this needs bars with chords or windows of piano music;"):
        check(str(tmp_path / "other"), KINDS)


def test_a_misspelling_is_met_with_the_nearest_choice(tmp_path: Path, builtin_folder: Path) -> None:
    shutil.copytree(builtin_folder, tmp_path / "chorales")
    for data, nearest in (
        ("biultin", "'builtin'"),
        (str(tmp_path / "chorals"), str(tmp_path / "chorales")),
        (str(tmp_path / "chorales" / ARRAYS_FILE), str(tmp_path / "chorales")),
        ("leadsheet:music", "'lead-sheet'"),
    ):
        with pytest.raises(UserError) as caught:
            resolve(data)
        assert data.partition(":")[0] in str(caught.value)
        assert nearest in str(caught.value)


@pytest.mark.parametrize(
    "data", ["", "\0", "x" * 5000, "/dev/null", "no/such/place", "lead-sheet:\0", "lead-sheet:x/y"]
)
def test_anything_else_is_one_line(data: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for ask in (resolve, check):
        with pytest.raises(UserError) as caught:
            ask(data)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ("lead-sheet", "needs a folder of such music: lead-sheet:PATH"),
        ("lead-sheet:", "needs a folder of such music: lead-sheet:PATH"),
        ("builtin:music", "takes no folder; write builtin"),
        ("jazz:music", "There is no source 'jazz'"),
        ("maestro:music", "it holds windows of piano music, but this needs bars with chords"),
    ],
)
def test_half_a_name_is_completed(data: str, told: str) -> None:
    with pytest.raises(UserError, match=told):
        check(data)


def test_a_folder_without_a_corpus_is_told_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"SOURCE:.*lead-sheet:.*python -m data_prep SOURCE PATH"):
        resolve(str(tmp_path))


def test_a_cache_that_cannot_be_written_names_another(
    cache_folder: Path, tmp_path: Path, prepared: list[Options]
) -> None:
    cache_folder.write_text("a file where the folder should be")
    with pytest.raises(UserError, match="set XDG_CACHE_HOME"):
        resolve("builtin")
