"""MAESTRO's table; expected items by plain bookkeeping, and by the csv module alone for the real trees."""

import csv
import io
import os
import random
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import mido
import numpy as np
import pretty_midi
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from data_prep.corpus import Split
from data_prep.errors import UserError
from data_prep.options import Options
from data_prep.source import Found
from data_prep.sources.maestro import COLUMNS, SOURCE, find
from data_prep.windows import WindowCorpus, load, save

DATA = Path(__file__).parents[3].parent / "shared" / "data"
REAL = {"maestro-asap-nc": 12, "maestro-like": 20}
SPLITS = {"train": 0, "validation": 1, "test": 2}


def table(rows: Iterable[tuple[str, str]], columns: Iterable[str] = COLUMNS) -> bytes:
    """A table of these files and splits."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(columns), restval="x", extrasaction="ignore")
    writer.writeheader()
    title = 'Fantaisie "Impromptu", Op. 66 – Étude'
    writer.writerows({"midi_filename": name, "split": split, "canonical_title": title} for name, split in rows)
    return text.getvalue().encode()


def folder_of(folder: Path, rows: Iterable[tuple[str, str]], files: Iterable[str] = ()) -> Path:
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")
    (folder / "maestro-v3.0.0.csv").write_bytes(table(rows))
    return folder


def items_of(found: Found) -> dict[str, int | None]:
    assert all(len(item.paths) == 1 for item in found.items)
    return {item.paths[0]: item.split for item in found.items}


def skipped_of(found: Found) -> list[tuple[str, str]]:
    return sorted((item.path, item.reason) for item in found.skipped)


def refusal(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        find(path)
    told = str(caught.value)
    assert told.isprintable()
    assert len(told) < 500
    return told


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder with a MIDI file beside it."""
    (tmp_path / "secret.midi").write_bytes(b"")
    (tmp_path / "maestro").mkdir()
    return tmp_path / "maestro"


def test_files_are_found_with_the_split_of_the_table(tmp_path: Path) -> None:
    rows = [("2011/b.midi", "test"), ("2004/a.midi", "train"), ("2011/c.MID", "validation")]
    folder_of(tmp_path, rows, ["2011/b.midi", "2004/a.midi", "2011/c.MID", "2011/not named.midi"])
    found = find(tmp_path)
    assert found.root == tmp_path
    assert list(items_of(found).items()) == [
        ("2004/a.midi", Split.TRAIN),
        ("2011/b.midi", Split.TEST),
        ("2011/c.MID", Split.VALIDATION),
    ]
    assert found.skipped == ()
    assert find(tmp_path / "maestro-v3.0.0.csv") == found


def test_columns_may_come_in_any_order_and_with_others_and_a_byte_order_mark(tmp_path: Path) -> None:
    columns = [*reversed(COLUMNS[1:]), "extra", COLUMNS[0]]
    folder_of(tmp_path, [], ["a.midi"])
    (tmp_path / "maestro-v3.0.0.csv").write_bytes(b"\xef\xbb\xbf" + table([("a.midi", "test")], columns))
    assert items_of(find(tmp_path)) == {"a.midi": Split.TEST}


@pytest.mark.parametrize(("end", "last_row"), [("\n", 4), ("\r\n", 4), ("\r", 4), ("\n\n", 7), ("\r\n\r\n", 7)])
def test_lines_may_end_in_any_way(tmp_path: Path, end: str, last_row: int) -> None:
    folder_of(tmp_path, [], ["a.midi", "b.midi"])
    text = table([("a.midi", "test"), ("b.midi", "train"), ("c.midi", "train")]).decode().replace("\r\n", end)
    (tmp_path / "maestro-v3.0.0.csv").write_bytes(text.encode())
    found = find(tmp_path)
    assert items_of(found) == {"a.midi": Split.TEST, "b.midi": Split.TRAIN}
    assert skipped_of(found) == [(f"c.midi (row {last_row})", "no such file")]


def test_a_title_may_hold_quotes_commas_and_line_breaks(tmp_path: Path) -> None:
    folder_of(tmp_path, [], ["a.midi"])
    row = 'Liszt,"La ""Campanella"",\nin G",train,2011,a.midi,a.wav,1.0'
    (tmp_path / "maestro-v3.0.0.csv").write_text(",".join(COLUMNS) + "\n" + row + "\n")
    assert items_of(find(tmp_path)) == {"a.midi": Split.TRAIN}


@pytest.mark.parametrize("column", COLUMNS)
def test_a_column_that_is_missing_or_there_twice_is_named(tmp_path: Path, column: str) -> None:
    path = tmp_path / "maestro-v3.0.0.csv"
    path.write_bytes(table([], [name for name in COLUMNS if name != column]))
    assert f"maestro-v3.0.0.csv: no column {column};" in refusal(tmp_path)
    path.write_bytes(table([], [*COLUMNS, column]))
    assert f"two columns {column};" in refusal(tmp_path)


def test_a_folder_needs_one_table(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "._maestro.csv").write_text("")
    assert "no .csv file in it" in refusal(tmp_path)
    for name in ("b.csv", "a.CSV"):
        (tmp_path / name).write_bytes(table([]))
    assert "2 .csv files in it (a.CSV, b.csv)" in refusal(tmp_path)
    assert find(tmp_path / "a.CSV").items == ()


def test_paths_that_do_not_exist_are_one_line(tmp_path: Path) -> None:
    assert "nowhere" in refusal(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe")
    assert "neither a folder nor" in refusal(tmp_path / "pipe")
    os.mkfifo(tmp_path / "pipe.csv")
    assert "not a regular file" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("name", "split", "reason"),
    [
        ("a.midi", "dev", "unknown split 'dev'; it is train, validation, test"),
        ("a.midi", "", "unknown split ''; it is train, validation, test"),
        ("a.midi", "Train", "unknown split 'Train'; it is train, validation, test"),
        ("a.midi", "\x1b[31m" * 99, "unknown split"),
        ("", "train", "no midi_filename"),
        ("/etc/a.midi", "train", "leads out"),
        ("../secret.midi", "train", "leads out"),
        ("2011/../../secret.midi", "train", "leads out"),
        ("linked/secret.midi", "train", "leads out"),
        ("link.midi", "train", "leads out"),
        ("gone.midi", "train", "no such file"),
        ("2011\\a.midi", "train", "no such file"),
        ("2011.midi", "train", "no such file"),
        ("loop.midi", "train", "no such file"),
        ("pipe.midi", "train", "no such file"),
        ("a.midi/b.midi", "train", "no such file"),
        (f"{'x' * 5000}.midi", "train", "no such file"),
        ("a.wav", "train", "does not end in .mid or .midi"),
        ("maestro-v3.0.0.csv", "train", "does not end in .mid or .midi"),
        ("a.midi ", "train", "does not end in .mid or .midi"),
    ],
)
def test_a_row_that_cannot_be_used_is_skipped(outside: Path, name: str, split: str, reason: str) -> None:
    folder_of(outside, [("good.midi", "test"), (name, split)], ["good.midi", "a.midi", "a.wav"])
    (outside / "2011.midi").mkdir()
    (outside / "linked").symlink_to("..")
    (outside / "link.midi").symlink_to("../secret.midi")
    (outside / "loop.midi").symlink_to("loop.midi")
    os.mkfifo(outside / "pipe.midi")
    found = find(outside)
    assert items_of(found) == {"good.midi": Split.TEST}
    ((path, told),) = skipped_of(found)
    assert path.endswith("(row 3)")
    assert path.startswith(name[:100].strip())
    assert reason in told
    assert (path + told).isprintable()
    assert len(path + told) < 500


def test_a_row_with_too_few_or_too_many_fields_is_skipped(tmp_path: Path) -> None:
    folder_of(tmp_path, [], ["a.midi"])
    lines = [",".join(COLUMNS), "Bach,Fugue,train,2011,a.midi,a.wav", "Bach,Fugue, in C,train,2011,a.midi,a.wav,1"]
    (tmp_path / "maestro-v3.0.0.csv").write_text("\n".join(lines))
    found = find(tmp_path)
    assert found.items == ()
    assert skipped_of(found) == [
        ("(row 2)", "6 fields where the header has 7"),
        ("(row 3)", "8 fields where the header has 7"),
    ]


def test_a_file_in_two_splits_is_in_neither_however_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "2011").mkdir()
    (tmp_path / "link").symlink_to("2011")
    rows = [("2011/a.midi", "train"), ("b.midi", "train"), ("2011/./a.midi", "train"), ("link/a.midi", "test")]
    found = find(folder_of(tmp_path, rows, ["2011/a.midi", "b.midi"]))
    assert items_of(found) == {"b.midi": Split.TRAIN}
    names = ("2011/./a.midi (row 4)", "2011/a.midi (row 2)", "link/a.midi (row 5)")
    assert skipped_of(found) == [(name, "in two splits") for name in names]


def test_a_file_named_twice_in_one_split_is_read_once(tmp_path: Path) -> None:
    rows = [("a.midi", "test"), ("./a.midi", "test"), ("a.midi", "test"), ("a.midi", "dev")]
    found = find(folder_of(tmp_path, rows, ["a.midi"]))
    assert items_of(found) == {"a.midi": Split.TEST}
    assert [reason.partition(";")[0] for _, reason in skipped_of(found)] == [
        "named twice",
        "named twice",
        "unknown split 'dev'",
    ]


HEADER = ",".join(COLUMNS).encode() + b"\n"


FAULTY = {
    "empty": (b"", "no column canonical_composer, "),
    "blank": (b"\n\n", "no column"),
    "picture": (b"\x89PNG\r\n\x1a\n", "byte 0 is no UTF-8"),
    "semicolons": (HEADER.replace(b",", b";"), "no column"),
    "tabs": (HEADER.replace(b",", b"\t"), "no column"),
    "UTF-16": (HEADER.decode().encode("utf-16"), "null bytes"),
    "null byte": (HEADER + b"Bach,\0,train,2011,a.midi,a.wav,1\n", "null bytes"),
    "Latin-1": (HEADER + "Étude".encode("latin-1"), f"byte {len(HEADER)} is no UTF-8"),
    "open quote": (HEADER + b'a,"b', "row 2: unexpected end of data"),
    "open quote, many lines": (HEADER + b'a,"b' + b"\n" * 100_000, "row 2: unexpected end of data"),
    "row of many lines": (HEADER + b'"' + b"\n" * 200 + b'"', "row 2: unexpected end of data"),
    "text after a quote": (HEADER + b'a,"b"c,train', "row 2: "),
    "long line": (HEADER + b"x" * 70_000, "a line of 70,000 characters"),
    "many fields": (b"," * 1_000_000, "a line of 1,000,000 characters"),
    "long field": (HEADER + b'"' + b"\n".join([b"y" * 60_000] * 3) + b'"', "row 2: field larger than field limit"),
    "many rows": (HEADER + b"a\n" * 100_001, "over 100,000 rows"),
    "many blank rows": (HEADER + b"\n" * 100_001 + b"a", "over 100,000 rows"),
}


@pytest.mark.parametrize("fault", FAULTY)
def test_what_is_no_table_of_maestro_is_one_line(tmp_path: Path, fault: str) -> None:
    data, reason = FAULTY[fault]
    (tmp_path / "maestro-v3.0.0.csv").write_bytes(data)
    told = refusal(tmp_path)
    assert reason in told
    assert "maestro-v3.0.0.csv: " in told


def test_a_table_of_any_size_is_answered_at_once(tmp_path: Path) -> None:
    path = tmp_path / "maestro-v3.0.0.csv"
    path.write_bytes(b'"' * 60_000_000)
    assert "a line of 60,000,000 characters" in refusal(tmp_path)
    with path.open("r+b") as file:
        file.truncate(2**30)
    assert "at most 67108864 are read" in refusal(tmp_path)


def test_the_longest_table_is_read(tmp_path: Path) -> None:
    path = tmp_path / "maestro-v3.0.0.csv"
    path.write_bytes(HEADER + b"a\n" * 100_000)
    assert len(find(path).skipped) == 100_000


@settings(max_examples=200, deadline=None)
@given(
    data=st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "replace")),
    head=st.booleans(),
)
@example(data=b"\xef\xbb\xbf", head=False)
@example(data=b'"\n"\r"', head=True)
def test_any_bytes_give_a_table_or_one_line(data: bytes, head: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "t.csv").write_bytes(HEADER + data if head else data)
        try:
            found = find(Path(folder))
        except UserError as error:
            assert str(error).isprintable()  # noqa: PT017 -- either outcome is right
            return
    assert found.items == ()
    assert all((item.path + item.reason).isprintable() for item in found.skipped)


FILES = ("a.midi", "sub/b.mid", "c.MIDI")
NAMES = (
    *FILES,
    "./a.midi",
    "sub//b.mid",
    "sub/../a.midi",
    "gone.mid",
    "/a.midi",
    "",
    "d.txt",
    "sub",
    "a.midi\n",
    "é.mid",
)
SAME = {**{name: name for name in FILES}, "./a.midi": "a.midi", "sub//b.mid": "sub/b.mid"}


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.sampled_from(NAMES), st.sampled_from([*SPLITS, *SPLITS, "", "dev", "train\n"])), max_size=12
    ),
    columns=st.permutations([*COLUMNS, "extra"]),
)
def test_every_row_is_a_performance_or_skipped(rows: list[tuple[str, str]], columns: list[str]) -> None:
    named = defaultdict(set)
    for name, split in rows:
        if name in SAME and split in SPLITS:
            named[SAME[name]].add(split)
    expected = {name: SPLITS[splits.pop()] for name, splits in named.items() if len(splits) == 1}
    with tempfile.TemporaryDirectory() as folder:
        root = folder_of(Path(folder), [], [*FILES, "d.txt"])
        (root / "maestro-v3.0.0.csv").write_bytes(table(rows, columns))
        found = find(root)
    assert items_of(found) == expected
    assert len(found.items) + len(found.skipped) == len(rows)
    assert list(items_of(found)) == sorted(expected)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_damage_to_a_sound_table_never_moves_a_file_to_another_split(seed: int) -> None:
    names = [f"{number}.midi" for number in range(6)]
    rows = [(name, split) for name, split in zip(names, [*SPLITS, *SPLITS], strict=True)]
    with tempfile.TemporaryDirectory() as folder:
        root = folder_of(Path(folder), rows, names)
        data = bytearray((root / "maestro-v3.0.0.csv").read_bytes())
        damage = random.Random(seed)
        for _ in range(damage.randint(1, 4)):
            data[damage.randrange(len(data))] = damage.choice(b'",\r\n\0\xff ax')
        (root / "maestro-v3.0.0.csv").write_bytes(data)
        try:
            found = find(root)
        except UserError as error:
            assert str(error).isprintable()  # noqa: PT017 -- either outcome is right
            return
    assert items_of(found).items() <= {name: SPLITS[split] for name, split in rows}.items()


def real(tree: str) -> Path:
    if not (DATA / tree).is_dir():
        pytest.skip(f"the real performances are not here ({DATA / tree})")
    return DATA / tree


def corpus_of(folder: Path, options: Options) -> WindowCorpus:
    found = SOURCE.find(folder)
    pieces = [piece for item in found.items for piece in SOURCE.read(found.root, item, options)]
    read: Any = [*found.skipped, *pieces]
    corpus = SOURCE.assemble(read, options, source=SOURCE.name, hears=SOURCE.hears, versions=SOURCE.versions())
    assert isinstance(corpus, WindowCorpus)
    return corpus


@pytest.mark.parametrize("tree", REAL)
def test_real_tables_are_read_row_by_row(tree: str) -> None:
    (path,) = real(tree).glob("*.csv")
    with path.open(encoding="utf-8", newline="") as file:
        rows = {row["midi_filename"]: SPLITS[row["split"]] for row in csv.DictReader(file)}
    found = find(real(tree))
    assert items_of(found) == rows
    assert len(rows) == REAL[tree]
    assert found.skipped == ()


@pytest.mark.parametrize(("tree", "frequency"), [("maestro-asap-nc", 16.0), ("maestro-like", 4.0)])
def test_real_windows_are_as_many_as_fit_and_as_full(tree: str, frequency: float, tmp_path: Path) -> None:
    corpus = corpus_of(real(tree), Options(sampling_frequency=frequency))
    windows, cells, silent = Counter[str](), 0, 0
    for item in find(real(tree)).items:
        notes = [
            note
            for track in pretty_midi.PrettyMIDI(str(real(tree) / item.paths[0])).instruments
            for note in track.notes
        ]
        number = math_floor(max(note.end for note in notes) * frequency) // 128
        sounding = {
            (step, note.pitch)
            for note in notes
            for step in range(math_floor(note.start * frequency), -math_floor(-note.end * frequency))
            if step < 128 * number
        }
        windows[item.paths[0]] = len({step // 128 for step, _ in sounding})
        silent += number - windows[item.paths[0]]
        cells += len(sounding)
    counted = Counter(corpus.about["songs"][song]["id"] for song in corpus.song.tolist())
    assert counted == windows
    rolls = corpus.rasterise(np.arange(corpus.num_windows))
    assert (rolls > 0).sum() == cells
    assert corpus.about["counts"]["dropped_windows"].get("no note in it", 0) == silent
    save(corpus, tmp_path)
    assert load(tmp_path).digest == corpus.digest


def math_floor(value: float) -> int:
    """Rounded down, but for what is a rounding error below a whole number."""
    return int(np.floor(value + 1e-6))


def test_a_real_corpus_is_as_dense_as_piano_music_is() -> None:
    corpus = corpus_of(real("maestro-asap-nc"), Options())
    # 2.1 % of the cells of all of MAESTRO at 16 Hz.
    assert (corpus.rasterise(np.arange(corpus.num_windows)) > 0).mean() == pytest.approx(0.021, abs=0.004)
    assert corpus.about["options"] == {"sampling_frequency": 16.0, "pedal": "ignore"}


def test_splits_hold_in_the_corpus(tmp_path: Path) -> None:
    names = {"a.midi": "test", "b.midi": "train", "c.midi": "validation", "d.midi": "train"}
    folder_of(tmp_path, names.items())
    for name in names:
        file = mido.MidiFile()
        file.tracks.append(
            mido.MidiTrack([mido.Message("note_on", note=60), mido.Message("note_off", note=60, time=9999)])
        )
        file.save(tmp_path / name)
    corpus = corpus_of(tmp_path, Options())
    assert {song["id"]: song["split"] for song in corpus.about["songs"]} == {
        name: SPLITS[split] for name, split in names.items()
    }
