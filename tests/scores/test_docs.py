import ast
import re
from pathlib import Path

import pytest

from scores.docs import PAGE, with_tables
from scores.features import FEATURES
from scores.registry import SCORES


def test_the_page_lists_scores_and_features_as_they_are() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert with_tables(page) == page, "run `python -m scores.docs`"
    assert all(f"`{name}`" in page for name in [*SCORES, *FEATURES])


def test_the_code_of_the_page_runs_as_it_stands() -> None:
    (block,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    *statements, last = ast.parse(block).body
    names: dict[str, object] = {}
    exec(compile(ast.Module(statements, []), str(PAGE), "exec"), names)
    assert isinstance(last, ast.Expr)
    report = eval(compile(ast.Expression(last.value), str(PAGE), "eval"), names)
    assert 0 < report["objective"] < 0.1


@pytest.mark.parametrize(
    "page", [*PAGE.parent.glob("*.md"), PAGE.parent.parent / "README.md"], ids=lambda page: page.name
)
def test_no_page_has_a_placeholder_left_in_it(page: Path) -> None:
    assert not re.findall(r"\b(?:TODO|FIXME|XXX|ANCHOR\w*|RESULTS|CLI)\b", page.read_text(encoding="utf-8"))


def test_a_page_without_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="must contain the lines"):
        with_tables("nothing here")
