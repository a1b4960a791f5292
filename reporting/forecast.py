"""What a search will cost, measured: a few steps of the settings that it tries first, and what they leave on disk."""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from reporting.tensorboard import TrialBoard
from reporting.trial_folder import TrialFolder
from reporting.trial_report import TrialReport
from search_spaces.run.cost import probed
from search_spaces.space import Space
from trainables.cost import Probe
from trainables.device import device_of
from trainables.factory import Music
from trainables.judge import Judge
from trainables.probe import probe


def here(*told: Any) -> tuple[Probe, dict[str, Any]]:
    """`trainables.probe.probe` on the GPU that this process sees, else on its CPU."""
    return probe(*told, device=device_of("auto"))


def probes(
    space: Space,
    music: Music,
    judge: Judge,
    *,
    trials: int,
    measure: Callable[..., tuple[Probe, dict[str, Any]]] = here,
) -> list[Probe]:
    """What the settings that a search tries first cost, a few seconds each; some by chance where it knows none.

    Args:
        space: what is searched.
        music: what it learns from.
        judge: scores it.
        trials: of the search.
        measure: what is called for each of them; where other machines train, it is to run there.

    Raises:
        UserError: settings or music that a system cannot be made of.
    """
    found = []
    for settings in probed(space, trials):
        measured, result = measure(space.system, settings, music, judge, space.budget)
        found.append(replace(measured, sample_bytes=_left(result, space.budget.evaluations)))
    return found


def disk(space: Space, music: Music, judge: Judge, *, trials: int) -> float:
    """Bytes that so many trials leave, by the first of the settings that the search tries: in a second or two."""
    settings = probed(space, trials)[0]
    measured, result = probe(space.system, settings, music, judge, space.budget, seconds=0)
    return trials * replace(measured, sample_bytes=_left(result, space.budget.evaluations)).bytes_per_trial


def _left(result: Mapping[str, Any], evaluations: int) -> int:
    """Bytes of all but the checkpoints in the folder of a trial with so many evaluations, by writing one."""
    numbers = {name: value for name, value in result.items() if name != "_media"}
    with tempfile.TemporaryDirectory(prefix="wtg") as name:
        folder = Path(name)
        report = TrialReport(TrialFolder(folder), TrialBoard(folder, {}, session=""))
        report.add(numbers | {"training_iteration": 1}, result.get("_media"), audio=False)
        silent = _size(folder, "events*") + _size(folder, "scores.jsonl")
        report.close(failed=False)  # which adds the sound
        sound = _size(folder, "events*") + _size(folder, "scores.jsonl") - silent
        return _size(folder, "samples/*") + evaluations * silent + 2 * sound  # it is heard at the first rung as well


def _size(folder: Path, pattern: str) -> int:
    return sum(path.stat().st_size for path in folder.glob(pattern))
