"""Configurations over seeds: what is one, how much its seeds scatter, and which wins."""

import json
import math
import random
from pathlib import Path
from statistics import stdev
from typing import Any

import pytest

from reporting import leaderboard, seeds
from reporting.leaderboard import Row, winner

ANCHOR = Row(name="real music", outcome="anchor", objective=0.01, scores={}, parameters={}, note="")


def trial(name: str, objective: float | None, parameters: dict[str, Any], **more: Any) -> Row:
    told = {"outcome": "finished", "scores": {}, "note": "", "bars": 10} | more
    return Row(name=name, objective=objective, parameters=parameters, **told)


def repeated(number: int, candidate: str, seed: int, objective: float | None, **more: Any) -> Row:
    """A trial of the last stage of a protocol."""
    parameters = {"candidate": candidate, "seed": seed}
    return trial(f"repeat-{number:04d}", objective, parameters, stage="repeat", **more)


SEARCH = [
    trial("0000", 0.20, {"rate": 1.0}, known="SAGAN"),
    trial("0001", 0.10, {"rate": 2.0}),  # the luckiest, by which it was chosen
    trial("0002", 0.50, {"rate": 3.0}),
]
FINALISTS = [
    repeated(0, "0001", 1, 0.40),
    repeated(1, "0000", 1, 0.20),
    repeated(2, "0001", 2, 0.30),
    repeated(3, "0000", 2, 0.24),
    repeated(4, "0001", 3, 0.26),
    repeated(5, "0000", 3, 0.31),
]


def test_means_are_those_of_the_repeated_trials_not_of_those_that_chose_them() -> None:
    found = seeds.over_seeds([*SEARCH, *FINALISTS])
    assert found is not None
    assert [each.name for each in found.configurations] == ["0000 (SAGAN)", "0001"]
    best, second = found.configurations
    assert (best.mean, second.mean) == (pytest.approx(0.25), pytest.approx(0.32))
    assert best.values == [0.20, 0.24, 0.31]
    assert best.sd == pytest.approx(0.0556776)  # by hand: sqrt((.0025 + .0001 + .0036) / 2)


def test_the_best_mean_wins_and_its_middle_seed_is_the_one_to_listen_to() -> None:
    best = winner([*SEARCH, *FINALISTS])
    assert best is not None
    assert best.name == "repeat-0003"


def test_of_an_even_number_of_seeds_the_worse_of_the_middle_two_is_listened_to() -> None:
    best = winner([*SEARCH, *FINALISTS[:4]])
    assert best is not None
    assert best.name == "repeat-0003"


def test_a_single_lucky_seed_does_not_win_over_two() -> None:
    lines = [*SEARCH, *FINALISTS[:4], repeated(6, "0002", 1, 0.01)]
    best = winner(lines)
    assert best is not None
    assert best.parameters["candidate"] == "0000"
    found = seeds.over_seeds(lines)
    assert found is not None
    assert [row[0] for row in seeds.cells(found)[1:]] == ["0000 (SAGAN)", "*noise line*", "0001", "0002"]


def test_before_any_has_two_seeds_the_best_of_the_repeated_wins_without_a_table() -> None:
    lines = [*SEARCH, *FINALISTS[:2]]
    best = winner(lines)
    assert best is not None
    assert best.name == "repeat-0001"
    assert seeds.over_seeds(lines) is None


def test_where_no_repeated_trial_was_finished_the_search_says_who_wins() -> None:
    best = winner([*SEARCH, repeated(0, "0001", 1, None, outcome="failed")])
    assert best is not None
    assert best.name == "0001"


def test_what_diverges_with_a_seed_stands_last_and_does_not_win() -> None:
    lines = [*SEARCH, *FINALISTS, repeated(6, "0000", 4, None, outcome="diverged")]
    found = seeds.over_seeds(lines)
    assert found is not None
    assert [each.name for each in found.configurations] == ["0001", "0000 (SAGAN)"]
    assert seeds.cells(found)[-1][-1] == "1 more diverged"
    best = winner(lines)
    assert best is not None
    assert best.parameters["candidate"] == "0001"


def test_a_space_over_seeds_is_told_without_a_protocol() -> None:
    lines = [
        trial(f"{number:04d}", objective, {"system": system, "seed": seed}, known=f"paper: {system}")
        for number, (system, seed, objective) in enumerate([("vae", 0, 0.3), ("vae", 1, 0.4), ("mlp", 0, 0.1)])
    ]
    found = seeds.over_seeds([ANCHOR, *lines])
    assert found is not None
    told = {each.name: [row.name for row in each.trials] for each in found.configurations}
    assert told == {"paper: mlp": ["0002"], "paper: vae": ["0000", "0001"]}
    best = winner(lines)
    assert best is not None
    assert best.name == "0002"


def test_the_same_training_twice_is_no_second_seed() -> None:
    assert seeds.over_seeds([trial("0000", 0.3, {"rate": 1.0}), trial("0001", 0.3, {"rate": 1.0})]) is None
    again = [trial("0000", 0.3, {"rate": 1.0}, seed=1), trial("0001", 0.4, {"rate": 1.0}, seed=2)]
    assert seeds.over_seeds(again) is not None


def test_equal_configurations_stay_under_the_noise_line_in_nineteen_of_twenty() -> None:
    """Twelve configurations leave 36 degrees of freedom, where Student's t is 2.03."""
    rng, inside = random.Random(0), 0
    for _ in range(2_000):
        samples = [[rng.gauss(0.4, 0.05) for _ in range(4)] for _ in range(12)]
        first, second = (sum(sample) / 4 for sample in samples[:2])
        inside += abs(first - second) <= seeds.least_difference(samples)
    assert 0.93 < inside / 2_000 < 0.97


def test_samples_of_unequal_size_are_pooled_by_their_degrees_of_freedom() -> None:
    few, many = [0.1, 0.3], [0.4, 0.5, 0.45, 0.41]
    variance = (1 * stdev(few) ** 2 + 3 * stdev(many) ** 2) / 4
    assert seeds.least_difference([few, many]) == pytest.approx(2 * math.sqrt(variance * (1 / 2 + 1 / 4)))


def test_both_files_draw_the_noise_line_where_it_belongs(tmp_path: Path) -> None:
    far = [repeated(6 + seed, "0002", seed, 0.6 + seed / 100) for seed in (1, 2, 3)]
    lines = [ANCHOR, *SEARCH, *FINALISTS, *far]
    leaderboard.write(tmp_path, lines)
    content = json.loads((tmp_path / "leaderboard.json").read_text())
    assert leaderboard.rows_of(content) == lines
    configurations = {line["name"]: line for line in content if line["outcome"] == "over seeds"}
    assert configurations["0002"] == {
        "name": "0002",
        "outcome": "over seeds",
        "objective": pytest.approx(0.62),
        "sd": pytest.approx(0.01),
        "count": 3,
        "diverged": 0,
        "best": 0.61,
        "worst": 0.63,
        "trials": ["repeat-0007", "repeat-0008", "repeat-0009"],
    }
    noise = content[-1]
    assert noise["objective"] == pytest.approx(0.25 + noise["difference"])
    page = (tmp_path / "leaderboard.md").read_text()
    order = [line.split("|")[1].strip() for line in page.split("## Trials")[0].splitlines() if line.startswith("|")]
    assert order == ["configuration", "---", "0000 (SAGAN)", "0001", "*noise line*", "0002"]


def test_without_repeats_neither_file_speaks_of_seeds(tmp_path: Path) -> None:
    leaderboard.write(tmp_path, [ANCHOR, *SEARCH])
    assert "Over seeds" not in (tmp_path / "leaderboard.md").read_text()
    assert {line["outcome"] for line in json.loads((tmp_path / "leaderboard.json").read_text())} == {
        "anchor",
        "finished",
    }
