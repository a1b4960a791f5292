"""`lstm`, `vae` and `gan` on piano rolls (§3): of music without bars, or eight bars of any other."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from optuna.trial import BaseTrial

from search_spaces import gan_balance
from search_spaces.space import Space
from trainables.config import Budget


def suggest(trial: BaseTrial, system: str) -> dict[str, Any]:
    """What the system learns by; of two players, their balance."""
    own = _OF.get(system)
    return own(trial) if own else gan_balance.suggest(trial, system)


def _lstm(trial: BaseTrial) -> dict[str, Any]:
    return {
        "learning_rate": trial.suggest_float("learning_rate", 3e-4, 3e-2, log=True),
        "learning_rate_floor": trial.suggest_float("learning_rate_floor", 0.01, 1.0, log=True),
        "triangles": trial.suggest_int("triangles", 1, 4),
        "batch_size": trial.suggest_categorical("batch_size", (8, 16, 32)),
        "dropout_in": trial.suggest_float("dropout_in", 0.0, 0.5),
        "dropout_out": trial.suggest_float("dropout_out", 0.0, 0.5),
        "weight_decay": trial.suggest_float("weight_decay", 1e-6, 1e-3, log=True),
        "temperature": trial.suggest_float("temperature", 0.6, 1.2),
    }


def _vae(trial: BaseTrial) -> dict[str, Any]:
    return {
        "learning_rate": trial.suggest_float("learning_rate", 3e-5, 1e-3, log=True),
        "latent": trial.suggest_categorical("latent", (64, 128, 256)),
        "beta": trial.suggest_float("beta", 0.01, 4.0, log=True),
        "kl_warm_up": trial.suggest_float("kl_warm_up", 0.0, 0.5),
        "free_bits": trial.suggest_float("free_bits", 0.0, 0.5),
        "transpose": trial.suggest_categorical("transpose", (False, True)),
    }


_OF: Final[Mapping[str, Callable[[BaseTrial], dict[str, Any]]]] = {"lstm": _lstm, "vae": _vae}

SPACE = Space(
    title="lstm, vae or gan (--system) on windows of 128 steps",
    system="lstm",
    suggest=suggest,
    budget=Budget(bars=64_000, rollouts=128, early_rollouts=32),  # a bar costs these ten times as much as MidiNet
)
