"""The systems of the paper side by side, each as it is declared: `lstm`, `vae`, `gan` and seven MidiNets.

Ten systems, three trainings each that differ in their seed alone, one budget for all. Seven hours of a core, of which
`vae`, `lstm` and `gan` take six.
"""

from typing import Any, Final

from optuna.trial import BaseTrial

from search_spaces.space import SEED, Known, Space
from trainables.config import Budget
from trainables.systems import SYSTEM, SYSTEMS

NAMES = ("baseline", "embedding", "spectral_d", "spectral_gd", "previous", "mlp", "combined", "lstm", "gan", "vae")
"""The quick ones first: of the last three a trial takes up to an hour of a core."""

SEEDS: Final = (0, 1, 2)


def suggest(trial: BaseTrial, system: str) -> dict[str, Any]:
    """The system and the seed; nothing else is changed."""
    return {SYSTEM: trial.suggest_categorical(SYSTEM, NAMES), SEED: trial.suggest_categorical(SEED, SEEDS)}


SPACE = Space(
    title="the paper's ten systems side by side, as they are, each with three seeds",
    system="baseline",
    suggest=suggest,
    known=tuple(  # all systems with one seed before any with the next, so that what is done can be compared
        Known(source=f"paper {SYSTEMS[name].section}: {name}, seed {seed}", parameters={SYSTEM: name, SEED: seed})
        for seed in SEEDS
        for name in NAMES
    ),
    grid=True,
    trials=len(NAMES) * len(SEEDS),
    minutes=None,
    first_rung=Budget().evaluations,  # nothing is stopped early: it is a comparison
)
