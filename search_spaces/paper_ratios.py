"""The paper's last experiment (§5.6): equal learning rates, a higher one for D, a higher one for G.

The paper does not say how much higher. It is four times here, as SAGAN's is, and a quarter: far enough apart for a
difference to show, and at one geometric mean, so that nothing but the balance differs. Three trainings each, that
differ in their seed alone. Ten minutes on two cores.
"""

from typing import Any, Final

from optuna.trial import BaseTrial

from search_spaces.space import SEED, Known, Space
from trainables.config import Budget

RATIOS: Final = {1.0: "equal rates", 4.0: "D learns faster", 0.25: "G learns faster"}
SEEDS: Final = (0, 1, 2)


def suggest(trial: BaseTrial, system: str) -> dict[str, Any]:
    """The ratio of the rates, D over G, and the seed; all else is the system's own."""
    return {
        "learning_rate_ratio": trial.suggest_categorical("learning_rate_ratio", tuple(RATIOS)),
        SEED: trial.suggest_categorical(SEED, SEEDS),
    }


SPACE = Space(
    title="the paper's 5.6: equal rates, D faster, G faster, each with three seeds",
    system="combined",
    suggest=suggest,
    known=tuple(
        Known(source=f"paper 5.6: {told}, seed {seed}", parameters={"learning_rate_ratio": ratio, SEED: seed})
        for seed in SEEDS
        for ratio, told in RATIOS.items()
    ),
    grid=True,
    trials=len(RATIOS) * len(SEEDS),
    minutes=None,
    first_rung=Budget().evaluations,  # nothing is stopped early: it is a comparison
)
