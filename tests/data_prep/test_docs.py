"""docs/data.md keeps up with the code."""

import re
import shlex
from pathlib import Path

import pytest

from data_prep import command
from data_prep.sources import SOURCES

TEXT = (Path(__file__).parents[2] / "docs" / "data.md").read_text()
COMMANDS = [line.split("#")[0].strip() for line in TEXT.splitlines() if line.strip().startswith("python -m data_prep")]


@pytest.mark.parametrize(
    "line", [*COMMANDS, *re.findall(r"^  python (?:-m data_prep).*", command.EXAMPLES, re.MULTILINE)]
)
def test_every_command_shown_is_understood(line: str) -> None:
    words = shlex.split(line)
    assert words[:3] == ["python", "-m", "data_prep"]
    arguments = command.parser().parse_args(words[3:])
    if arguments.source != command.INFO:
        command.options_of(arguments, SOURCES[arguments.source])


@pytest.mark.parametrize("source", SOURCES)
def test_every_source_is_told_of_with_its_licence(source: str) -> None:
    [anchor] = re.findall(rf"\[`{source}`\]\(#([\w-]+)\)", TEXT)
    section = re.split(r"^## ", TEXT, flags=re.MULTILINE)[1:]
    [told] = [part for part in section if part.split("\n")[0].replace(" ", "-") == anchor]
    assert source in told
    assert re.search(r"licence", told, re.IGNORECASE)
    assert "**What is taken**" in told or "**Taken**" in told
    assert "**What is dropped:**" in told or "**Not taken**" in told


def test_every_option_is_explained() -> None:
    shown = {
        flag for flags in re.findall(r"^\| (`--.*?) \|", TEXT, re.MULTILINE) for flag in re.findall(r"--[\w-]+", flags)
    }
    heard = {"--" + name.replace("_", "-") for source in SOURCES.values() for name in source.hears}
    assert shown == heard | {"--jobs"}
