import pytest

from scores.docs import PAGE, with_table
from scores.registry import SCORES


def test_the_page_lists_the_scores_as_they_are() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert with_table(page) == page, "run `python -m scores.docs`"
    assert all(f"`{name}`" in page for name in SCORES)


def test_a_page_without_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="must contain the lines"):
        with_table("nothing here")
