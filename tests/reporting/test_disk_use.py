from pathlib import Path

from reporting.disk_use import disk_use


def test_every_file_counts_and_no_link_is_followed(tmp_path: Path) -> None:
    run = tmp_path / "run"
    (run / "trials" / "0000" / "checkpoint").mkdir(parents=True)
    (run / "plan.json").write_bytes(b"12345")
    (run / "trials" / "0000" / "checkpoint" / "state.pt").write_bytes(bytes(1_000))
    before = disk_use(run)
    assert before == 1_005
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "large").write_bytes(bytes(100_000))
    (run / "link").symlink_to(tmp_path / "elsewhere")
    assert disk_use(run) == before
    assert disk_use(tmp_path / "none") == 0
