"""The HParams table and the scalars that fill it, read back from the event files."""

from pathlib import Path
from typing import Any

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2

from reporting.tensorboard import TrialBoard, write_hparams_columns

RESULT: dict[str, Any] = {
    "objective": 0.5,
    "objective_now": 0.4,
    "objectives": {"objective": 0.5, "realism": 0.3, "balance": 0.9},
}


def events(folder: Path) -> EventAccumulator:
    accumulator = EventAccumulator(str(folder))
    accumulator.Reload()
    return accumulator


def metrics(run: Path) -> list[str]:
    content = events(run).SummaryMetadata("_hparams_/experiment").plugin_data.content
    infos = plugin_data_pb2.HParamsPluginData.FromString(content).experiment.metric_infos
    return [info.name.tag for info in infos]


def test_every_metric_column_of_hparams_is_a_scalar_of_the_trials(tmp_path: Path) -> None:
    write_hparams_columns(tmp_path, ["learning_rate"], ("realism", "balance"))
    board = TrialBoard(tmp_path / "0000", {"learning_rate": 2e-4}, session="run/0000")
    board.add_scalars(RESULT, 1000)
    board.close(failed=False)
    trial = events(tmp_path / "0000")
    assert metrics(tmp_path) == ["objective", "objectives/realism", "objectives/balance"]
    assert [round(trial.Scalars(tag)[0].value, 6) for tag in metrics(tmp_path)] == [0.5, 0.3, 0.9]


def test_the_objective_is_one_column_where_it_is_one_of_several(tmp_path: Path) -> None:
    write_hparams_columns(tmp_path, ["learning_rate"], ("balance", "objective"))
    assert metrics(tmp_path) == ["objective", "objectives/balance"]


def test_a_later_stage_adds_its_columns(tmp_path: Path) -> None:
    write_hparams_columns(tmp_path, ["learning_rate", "loss"], ("objective", "balance"))
    write_hparams_columns(tmp_path, ["candidate", "seed"], ("objective", "balance"))
    write_hparams_columns(tmp_path, ["loss"], ("realism",))
    content = events(tmp_path).SummaryMetadata("_hparams_/experiment").plugin_data.content
    experiment = plugin_data_pb2.HParamsPluginData.FromString(content).experiment
    assert [info.name for info in experiment.hparam_infos] == ["learning_rate", "loss", "candidate", "seed"]
    assert metrics(tmp_path) == ["objective", "objectives/balance", "objectives/realism"]
    assert [info.display_name for info in experiment.metric_infos][1] == "balance (lower is better)"


def test_a_declaration_that_a_kill_cut_off_is_made_again(tmp_path: Path) -> None:
    write_hparams_columns(tmp_path, ["learning_rate"])
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:60])
    write_hparams_columns(tmp_path, ["loss"])
    assert metrics(tmp_path) == ["objective"]
