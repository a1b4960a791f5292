"""Which network: every part of MidiNet that has an alternative, and what it sees (§5, §8).

Of the options of `trainables.variants.Variant` two are left as they are: `d_norm`, as a discriminator without any
normalisation collapses (that of a gradient penalty is in `gan_balance` and `training`), and `bars`, as a matrix of
several bars is another task. Of the choices of the others those are left out that undo themselves (spectral under batch
normalisation), that are there to show a fault of the paper's code, or that only some networks can have.
"""

from typing import Any, Final

from optuna.trial import BaseTrial

from search_spaces.space import Known, Space
from trainables.variants import VARIANTS

LEFT_OUT: Final = ("d_norm", "bars")

CHOICES: Final = {
    "chord": ("code", "embedding"),
    "chord_route": ("everywhere", "conditioner"),
    "g_dense": ("two", "one"),
    "discriminator": ("two", "four", "wide", "late"),
    "d_head": ("linear", "mlp"),
    "d_sees_previous": (False, True),
    "spectral_norm": ("none", "d_conv", "d_fc", "d_all", "g_all", "cond", "gd"),
    "conditioner_norm": ("batch", "none"),
    "previous_features": (4, 8, 16),
    "previous_route": ("everywhere", "output"),
    "chords_per_bar": (1, 4),
}


def suggest(trial: BaseTrial, system: str) -> dict[str, Any]:
    """Every choice on its own, and the learning rate, as larger networks want smaller ones."""
    choices = {name: trial.suggest_categorical(name, options) for name, options in CHOICES.items()}
    return choices | {"learning_rate": trial.suggest_float("learning_rate", 5e-5, 1e-3, log=True)}


def _known(system: str, section: str) -> Known:
    variant = VARIANTS[system]
    parameters = {name: getattr(variant, name) for name in CHOICES}
    return Known(source=f"paper {section}: {system}", parameters={**parameters, "learning_rate": 2e-4})


SPACE = Space(
    title="the parts of MidiNet, and what each of them sees",
    system="baseline",
    suggest=suggest,
    known=(
        _known("baseline", "5.1"),
        _known("embedding", "5.2"),
        _known("spectral_d", "5.3"),
        _known("spectral_gd", "5.3"),
        _known("previous", "5.4"),
        _known("mlp", "5.5"),
        _known("combined", "5.6"),
    ),
    trials=48,
)
