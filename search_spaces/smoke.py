"""A search of a minute: shows that everything works, and nothing about music."""

from dataclasses import replace

from search_spaces import gan_balance
from trainables.config import Budget

SPACE = replace(
    gan_balance.SPACE,
    title="gan_balance in a minute, to see that everything works",
    known=gan_balance.SPACE.known[:1],
    budget=Budget(bars=12_000, evaluations=4, rollouts=64),
    trials=4,
    first_rung=2,
)
