"""docs/systems.md and docs/library.md say what the code says, and what they show can be run."""

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pretty_midi
import pytest

from tests.trainables.cli.conftest import ROOT
from trainables.cli.about import rows
from trainables.cli.command import parse
from trainables.cli.settings import docstrings, settings_of
from trainables.cli.tables import shown
from trainables.diagnostics import DIAGNOSTICS
from trainables.networks.layers import cancelled_spectral_norms
from trainables.networks.placements import PLACEMENTS
from trainables.variants import Variant
from trainables.verdict import RULES, Thresholds

SYSTEMS = (ROOT / "docs" / "systems.md").read_text(encoding="utf-8")
LIBRARY = (ROOT / "docs" / "library.md").read_text(encoding="utf-8")


def expected() -> list[str]:
    """Every line of a table that follows from a declaration."""
    lines = [f"| `{name}` | {section[1:]} | {text} | {weights} |" for name, section, text, weights in rows()]
    for system in ("baseline", "lstm", "vae"):
        for part in settings_of(system).values():
            lines += [f"| `{each.name}` | `{shown(each.default)}` | {each.rule} | {each.about} |" for each in part]
    for each in settings_of("gan")["GanNetwork"]:
        lines.append(f"| `{each.name}` | `{shown(each.default)}` | {each.rule} | {each.about} |")
    lines += [f"| `{name}` | {text} |" for name, text in DIAGNOSTICS.items()]
    texts = docstrings(Thresholds)
    lines += [f"| `{limit.name}` | {limit.default:.4g} | {texts[limit.name]} |" for limit in fields(Thresholds)]
    return lines


@pytest.mark.parametrize("line", expected())
def test_the_tables_say_what_the_code_declares(line: str) -> None:
    assert line in SYSTEMS.splitlines()


def test_every_placement_and_every_state_is_explained() -> None:
    assert re.findall(r"^\| `(\w+)` \| [^|]*\|[^|]*\|$", SYSTEMS.partition("## Where")[2].partition("## Diag")[0], re.M)
    for name in PLACEMENTS:
        assert f"| `{name}` |" in SYSTEMS
    for state, _ in RULES:
        assert f"`{state}`" in SYSTEMS.partition("## Verdict")[2]


@pytest.mark.parametrize(
    ("placement", "cancelled"),
    [
        ("d_conv", {"convolutions.1"}),
        ("d_all", set()),
        ("d_all_bn", {"convolutions.1", "dense"}),
        ("g_hidden", {"dense.0", "dense.1", "up.0", "up.1", "up.2"}),
        ("cond", {f"conditioner.{name}" for name in ("first", "others.0", "others.1", "others.2")}),
    ],
)
def test_batch_normalisation_undoes_what_the_page_says(placement: Any, cancelled: set[str]) -> None:
    from trainables.networks.discriminator import Discriminator
    from trainables.networks.generator import Generator

    variant = Variant(spectral_norm=placement)
    assert {
        *cancelled_spectral_norms(Generator(variant)),
        *cancelled_spectral_norms(Discriminator(variant)),
    } == cancelled


def test_the_commands_shown_can_be_parsed() -> None:
    import shlex

    (block,) = re.findall(r"```bash\n(.*?)```", SYSTEMS, flags=re.DOTALL)
    assert [parse(shlex.split(line)[3:]).command for line in block.splitlines()] == [
        "list",
        "show",
        "train",
        "generate",
    ]


def test_ten_lines_train_a_system_that_writes_a_song(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", LIBRARY, flags=re.DOTALL)
    assert len(code.splitlines()) == 10
    assert "until=43_200" in code
    monkeypatch.chdir(tmp_path)
    exec(compile(code.replace("until=43_200", "until=432"), "library.md", "exec"), {})
    song = pretty_midi.PrettyMIDI(str(tmp_path / "song.mid"))
    assert song.get_end_time() == pytest.approx(16)
    assert [track.name for track in song.instruments] == ["melody", "chords"]


@pytest.mark.parametrize("page", ["systems.md", "library.md"])
def test_links_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([\w./-]+)\)", (ROOT / "docs" / page).read_text(encoding="utf-8")):
        assert (ROOT / "docs" / target).is_file(), target
