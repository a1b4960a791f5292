"""The systems of the paper side by side, each as it is declared: `lstm`, `vae`, `gan` and seven MidiNets."""

from typing import Any

from optuna.trial import BaseTrial

from search_spaces.space import Known, Space
from trainables.config import Budget
from trainables.systems import SYSTEM

SECTIONS = {
    "baseline": "5.1",
    "embedding": "5.2",
    "spectral_d": "5.3",
    "spectral_gd": "5.3",
    "previous": "5.4",
    "mlp": "5.5",
    "combined": "5.6",
    "lstm": "3.1.1",
    "vae": "3.1.2",
    "gan": "3.1.3",
}
"""Where the paper describes each system."""


def suggest(trial: BaseTrial, system: str) -> dict[str, Any]:
    """The system itself; nothing of it is changed."""
    return {SYSTEM: trial.suggest_categorical(SYSTEM, tuple(SECTIONS))}


SPACE = Space(
    title="the paper's ten systems side by side, as they are",
    system="baseline",
    suggest=suggest,
    known=tuple(Known(source=f"paper {section}", parameters={SYSTEM: name}) for name, section in SECTIONS.items()),
    trials=len(SECTIONS),
    first_rung=Budget().evaluations,  # nothing is stopped early: it is a comparison
)
