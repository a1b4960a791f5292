import pytest
import torch

from data_prep.corpus import Corpus
from data_prep.errors import UserError
from trainables.factory import build
from trainables.memory import within_memory


@pytest.mark.parametrize(
    ("system", "settings"), [("vae", {"latent": 10**10}), ("lstm", {"hidden": 10**8})], ids=["vae", "lstm"]
)
def test_networks_without_room_are_refused_in_one_line(system: str, settings: dict[str, int], corpus: Corpus) -> None:
    with pytest.raises(UserError, match=r"There is not enough memory .*: take a smaller batch_size") as caught:
        build(system, settings, corpus, seed=0, horizon=100)
    assert len(str(caught.value).splitlines()) == 1


def test_a_gpu_without_room_is_told_alike() -> None:
    with pytest.raises(UserError, match="not enough memory"), within_memory():
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")


def test_other_errors_stay_what_they_are() -> None:
    with pytest.raises(RuntimeError, match="size mismatch"), within_memory():
        raise RuntimeError("size mismatch")
