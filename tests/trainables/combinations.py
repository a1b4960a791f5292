"""Variants in which every two options of different fields meet, and those in which all of some fields do."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from itertools import combinations, product
from random import Random
from typing import Any, get_args, get_type_hints

from data_prep.errors import UserError
from trainables.variants import Variant

Options = Mapping[str, tuple[Any, ...]]

OPTIONS: Options = {
    field.name: {bool: (False, True), int: (1, 2)}.get(hint) or get_args(hint)
    for field, hint in ((field, get_type_hints(Variant)[field.name]) for field in fields(Variant))
}
"""All fields of a variant; of its numbers of bars, two."""


def some(*names: str, **narrowed: tuple[Any, ...]) -> Options:
    """The options of these fields, and a choice of those of others."""
    return {name: OPTIONS[name] for name in names} | narrowed


# What each player is made of, with one placement of each set of its layers that is normalised.
G_PARTS = some(
    "chord",
    "chord_route",
    "g_dense",
    "conditioner_norm",
    "previous_route",
    spectral_norm=("none", "g_hidden", "g_all_paper", "g_all", "cond", "gd_paper", "emb"),
)
D_PARTS = some(
    "chord",
    "discriminator",
    "d_head",
    "d_sees_previous",
    "d_norm",
    spectral_norm=("none", "d_conv", "d_fc", "d_all", "d_all_bn", "emb"),
)
SHAPES = some("bars", "chords_per_bar", "previous_features")
TRIES = 20


def legal(**options: Any) -> Variant | None:
    """The variant of these options, if there may be one."""
    try:
        return Variant(**options)
    except UserError:
        return None


def of_one(variant: Variant, options: Options) -> Variant:
    """The variant with what is none of these options as in the baseline: systems that share a player become equal."""
    return Variant(**{field: value for field, value in asdict(variant).items() if field in options})


def every(options: Options) -> list[Variant]:
    """The full product, as far as it is legal."""
    made = (legal(**dict(zip(options, values, strict=True))) for values in product(*options.values()))
    return [variant for variant in made if variant]


def covering(options: Options, seed: int = 0) -> list[Variant]:
    """Variants in which each legal pair of options occurs: the best of some random ones with a pair still missing."""
    random = Random(seed)
    helpful = {"chord": "embedding", "chord_route": "conditioner"}  # with which all else is legal
    missing = {
        frozenset([(a, x), (b, y)])
        for a, b in combinations(options, 2)
        for x, y in product(options[a], options[b])
        if legal(**(helpful | {a: x, b: y}))
    }
    found = []
    while missing:
        wanted = dict(min(missing, key=lambda pair: sorted(map(str, pair))))
        drawn = [{name: random.choice(values) for name, values in options.items()} | wanted for _ in range(TRIES)]
        tries = [variant for draw in drawn if (variant := legal(**draw) or legal(**(helpful | draw)))]
        best = max(tries, key=lambda variant: len(missing & pairs(variant)), default=None)
        if best:
            missing -= pairs(best)
            found.append(best)
    return found


def pairs(variant: Variant) -> set[frozenset[tuple[str, Any]]]:
    """All pairs of the variant's options."""
    return {frozenset(pair) for pair in combinations(asdict(variant).items(), 2)}


def name(variant: Variant) -> str:
    """What distinguishes a variant from the baseline, for the names of tests."""
    default = asdict(Variant())
    changed = {key: value for key, value in asdict(variant).items() if value != default[key]}
    return ",".join(f"{key}={value}" for key, value in changed.items()) or "baseline"
