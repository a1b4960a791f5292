"""A space of trials of a few seconds, for `bench_overhead.py`."""

from dataclasses import replace

from search_spaces import gan_balance
from trainables.config import Budget

SPACE = replace(
    gan_balance.SPACE,
    title="gan_balance in trials of a few seconds",
    known=(),
    budget=Budget(bars=14_000, evaluations=2),
    first_rung=1,
)
