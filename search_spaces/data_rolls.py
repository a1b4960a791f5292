"""How finely `lstm`, `vae` and `gan` are told piano music (§3): 128 steps, of which they see so many a second.

At 16 a second, which is the paper's 8 a beat at 120 beats a minute, they see 8 seconds at once, at 8 a second 16. Both
are prepared from the music itself and judged at 8 (`trainables.editions`). Three trainings each, that differ in their
seed alone. Needs piano music: `--data maestro:DIR` or `piano:DIR`.
"""

from itertools import product
from typing import Any, Final

from optuna.trial import BaseTrial

from data_prep.errors import UserError
from search_spaces import piano_rolls
from search_spaces.space import SEED, Known, Space
from trainables.systems import SYSTEMS

FREQUENCIES: Final = (16.0, 8.0)
SEEDS: Final = (0, 1, 2)


def suggest(trial: BaseTrial, system: str) -> dict[str, Any]:
    """Steps a second and the seed; all else is the system's own."""
    if SYSTEMS[system].network.hears_chords:
        raise UserError(f"{system} learns from bars, which are not sampled by the second: choose --space data.")
    return {
        "sampling_frequency": trial.suggest_categorical("sampling_frequency", FREQUENCIES),
        SEED: trial.suggest_categorical(SEED, SEEDS),
    }


def _known(seed: int, frequency: float) -> Known:
    parameters = {"sampling_frequency": frequency, SEED: seed}
    return Known(source=f"{frequency:g} steps a second, seed {seed}", parameters=parameters)


SPACE = Space(
    title="how finely lstm, vae or gan (--system) are told piano music, each with three seeds",
    system="lstm",
    suggest=suggest,
    data_options=("sampling_frequency",),
    known=tuple(_known(*point) for point in product(SEEDS, FREQUENCIES)),
    budget=piano_rolls.SPACE.budget,
    grid=True,
    trials=len(SEEDS) * len(FREQUENCIES),
    minutes=None,
    first_rung=piano_rolls.SPACE.budget.evaluations,  # nothing is stopped early: it is a comparison
)
