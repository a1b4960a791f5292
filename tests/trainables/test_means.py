import weakref

import pytest
import torch

from trainables.means import Means


def test_means_are_floats_and_those_of_constants_the_constants() -> None:
    means = Means()
    assert means.read() == {}
    for _ in range(7):
        means.add(often=torch.tensor(3.0), always=torch.tensor(0.1, requires_grad=True))
    means.add(often=torch.tensor(3.0))
    found = means.read()
    assert found == pytest.approx({"often": 3.0, "always": 0.1})
    assert all(type(value) is float for value in found.values())


def test_means_are_averages_over_what_was_added() -> None:
    means = Means()
    for value in (1.0, 2.0, 6.0):
        means.add(loss=torch.tensor(value))
    assert means.read() == {"loss": 3.0}


def test_means_keep_no_graph_alive() -> None:
    means = Means()
    leaf = torch.ones(3, requires_grad=True)
    middle = leaf * 2
    alive = weakref.ref(middle)
    means.add(loss=middle.square().sum())  # whose graph holds `middle`
    del middle
    assert alive() is None
