"""The systems of the paper side by side, each as it is declared: `lstm`, `vae`, `gan` and seven MidiNets."""

from typing import Any

from optuna.trial import BaseTrial

from search_spaces.space import Known, Space
from trainables.config import Budget
from trainables.systems import SYSTEM, SYSTEMS

NAMES = ("baseline", "embedding", "spectral_d", "spectral_gd", "previous", "mlp", "combined", "lstm", "gan", "vae")


def suggest(trial: BaseTrial, system: str) -> dict[str, Any]:
    """The system itself; nothing of it is changed."""
    return {SYSTEM: trial.suggest_categorical(SYSTEM, NAMES)}


# The quick ones first: of the last three a trial takes an hour of a core.
SPACE = Space(
    title="the paper's ten systems side by side, as they are",
    system="baseline",
    suggest=suggest,
    known=tuple(Known(source=f"paper {SYSTEMS[name].section}: {name}", parameters={SYSTEM: name}) for name in NAMES),
    trials=len(NAMES),
    minutes=None,
    first_rung=Budget().evaluations,  # nothing is stopped early: it is a comparison
)
