"""The declaration of variants: options, illegal combinations, the named systems."""

import subprocess
import sys
from dataclasses import FrozenInstanceError, fields, replace
from itertools import product
from typing import Any, get_args

import pytest

from data_prep.errors import UserError
from tests.trainables.combinations import OPTIONS, covering, legal
from trainables.networks.discriminator import HEADS
from trainables.networks.discriminator import PLANS as DISCRIMINATORS
from trainables.networks.generator import HIDDEN, PLANS
from trainables.networks.placements import PLACEMENTS
from trainables.variants import MAX_BARS, VARIANTS, ChordRoute, Convolutions, Dense, Head, SpectralNorm, Variant


def refusal(**options: Any) -> str:
    with pytest.raises(UserError) as refused:
        Variant(**options)
    message = str(refused.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("field", [field.name for field in fields(Variant)])
def test_a_value_that_is_no_option_is_refused(field: str) -> None:
    for value in ("two bars", 0.5, None, 99, -1):
        message = refusal(**{field: value})
        assert field in message
        assert str(value) in message


@pytest.mark.parametrize("bars", [0, MAX_BARS + 1, True, 2.0])
def test_a_matrix_has_one_to_eight_bars(bars: Any) -> None:
    assert refusal(bars=bars).startswith(f"bars is {bars!r}")
    assert Variant(bars=MAX_BARS).steps == 128


def test_embeddings_are_normalised_only_where_there_are_some() -> None:
    message = refusal(spectral_norm="emb", chord="code")
    assert "spectral_norm 'emb'" in message
    assert "chord 'code'" in message
    assert Variant(spectral_norm="emb", chord="embedding")


def test_a_conditioner_is_normalised_only_where_there_is_one() -> None:
    message = refusal(spectral_norm="cond", previous_route="none")
    assert "spectral_norm 'cond'" in message
    assert "previous_route 'none'" in message
    assert Variant(spectral_norm="cond", previous_route="none", chord_route="conditioner")


def test_all_other_combinations_are_legal() -> None:
    # Rules are about two or three fields: over these the product is whole, over all others every pair is met.
    whole = ("chord", "chord_route", "previous_route", "spectral_norm")
    every = product(*(OPTIONS[field] for field in whole))
    illegal = [values for values in every if not legal(**dict(zip(whole, values, strict=True)))]
    emb = [values for values in illegal if values[0] == "code" and values[3] == "emb"]
    cond = [values for values in illegal if values[1:] == ("everywhere", "none", "cond")]
    assert len(emb) == 6
    assert len(cond) == 2
    assert len(illegal) == 8
    met = {(field.name, getattr(variant, field.name)) for variant in covering(OPTIONS) for field in fields(Variant)}
    assert met == {(field, option) for field, options in OPTIONS.items() for option in options}


def test_variants_are_frozen_and_equal_by_their_options() -> None:
    assert (
        replace(VARIANTS["combined"], spectral_norm="none", d_sees_previous=False) == VARIANTS["combined_as_committed"]
    )
    assert hash(Variant()) == hash(VARIANTS["baseline"])
    with pytest.raises(FrozenInstanceError):
        Variant().bars = 2  # type: ignore[misc]


def test_no_two_systems_are_the_same() -> None:
    assert len(set(VARIANTS.values())) == len(VARIANTS)


def test_the_papers_systems_differ_from_the_baseline_in_what_their_sections_say() -> None:
    def changed(system: str) -> dict[str, Any]:
        pairs = ((f.name, getattr(VARIANTS[system], f.name)) for f in fields(Variant))
        return {key: value for key, value in pairs if value != getattr(Variant(), key)}

    combined = {"chord": "embedding", "chord_route": "conditioner", "g_dense": "one", "discriminator": "late"}
    assert {system: changed(system) for system in VARIANTS} == {
        "baseline": {},
        "embedding": {"chord": "embedding", "g_dense": "one", "discriminator": "wide"},
        "spectral_d": {"spectral_norm": "d_conv"},
        "spectral_gd": {"spectral_norm": "gd"},
        "previous": {"d_sees_previous": True},
        "mlp": {"d_head": "mlp"},
        "combined": combined | {"d_sees_previous": True, "spectral_norm": "d_all"},
        "embedding_on_baseline": {"chord": "embedding"},
        "four_convolutions": {"discriminator": "four"},
        "spectral_gd_as_committed": {"spectral_norm": "gd_paper"},
        "combined_as_committed": combined,
    }


def test_every_option_has_its_row_in_the_table_that_it_picks_from() -> None:
    tables = ((PLACEMENTS, SpectralNorm), (PLANS, ChordRoute), (HIDDEN, Dense), (DISCRIMINATORS, Convolutions))
    for table, options in (*tables, (HEADS, Head)):
        assert set(table) == set(get_args(options))


def test_chords_and_steps_of_a_matrix() -> None:
    assert (Variant().num_chords, Variant().steps) == (1, 16)
    assert (Variant(bars=3, chords_per_bar=4).num_chords, Variant(bars=3).steps) == (12, 48)


def test_declarations_need_no_torch() -> None:
    code = "import sys, trainables.variants, trainables.networks.placements; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
