"""What MidiNet is told of the music: rests filled, as it has them, or kept; one chord a bar, or one a beat (§8).

Each way is prepared from the music itself, and all are judged by what they have in common (`trainables.editions`).
Three trainings each, that differ in their seed alone. A quarter of an hour on two cores.
"""

from itertools import product
from typing import Any, Final

from optuna.trial import BaseTrial

from search_spaces.space import SEED, Known, Space
from trainables.config import Budget

RESTS: Final = ("fill", "keep")
CHORDS: Final = (1, 4)
SEEDS: Final = (0, 1, 2)


def suggest(trial: BaseTrial, system: str) -> dict[str, Any]:
    """Rests, chords and the seed; all else is the system's own."""
    return {
        "rests": trial.suggest_categorical("rests", RESTS),
        "chords_per_bar": trial.suggest_categorical("chords_per_bar", CHORDS),
        SEED: trial.suggest_categorical(SEED, SEEDS),
    }


def _known(seed: int, rests: str, chords: int) -> Known:
    told = f"rests {rests}, {'a chord a bar' if chords == 1 else 'a chord a beat'}, seed {seed}"
    return Known(source=told, parameters={"rests": rests, "chords_per_bar": chords, SEED: seed})


SPACE = Space(
    title="what MidiNet is told: rests filled or kept, a chord a bar or a beat, each with three seeds",
    system="baseline",
    suggest=suggest,
    data_options=("rests",),
    known=tuple(_known(*point) for point in product(SEEDS, RESTS, CHORDS)),
    grid=True,
    trials=len(SEEDS) * len(RESTS) * len(CHORDS),
    minutes=None,
    first_rung=Budget().evaluations,  # nothing is stopped early: it is a comparison
)
