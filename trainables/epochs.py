"""How many bars an epoch has."""

from typing import Final

from data_prep.corpus import Corpus, Split
from data_prep.windows import WindowCorpus
from trainables.config import TrainConfig
from trainables.systems import Description

_KEYS: Final = 12


def epoch_bars(parts: Description, music: Corpus | WindowCorpus) -> int:
    """Bars of one epoch, in the unit of `Budget.bars`: all training music is dealt once, in every key it is learnt in.

    What is dealt once is shown to the discriminator once, and to the generator as often as it is updated for every
    update of the discriminator. Systems of one network are shown it once.
    """
    config, bars = parts.config, parts.network.bars_per_item
    items = len(music.phrases(Split.TRAIN, bars)) if isinstance(music, Corpus) else len(music.rows(Split.TRAIN))
    dealt = items * bars * num_keys(parts)
    if isinstance(config, TrainConfig):
        return dealt * (config.d_updates + config.g_updates) // config.d_updates
    return dealt


def num_keys(parts: Description) -> int:
    """Keys that the system learns each bar in."""
    every = parts.network.hears_chords or getattr(parts.config, "transpose", False)
    return _KEYS if every else 1
