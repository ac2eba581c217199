"""SavedModels that would touch files, the network or Python are refused before any of them runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from inference.results import ModelUnavailable

pytestmark = pytest.mark.filterwarnings("ignore:pkg_resources is deprecated:UserWarning")  # tensorflow_hub


def found(folder: Path) -> list[str]:
    from inference.models.graph_check import forbidden_operations  # noqa: PLC0415 - imports TensorFlow

    return forbidden_operations(folder)


@pytest.mark.parametrize(
    ("touch", "operation"),
    [
        ("read", "ReadFile"),
        ("write", "WriteFile"),
        ("list_files", "MatchingFiles"),
        ("call_python", "PyFunc"),
        ("call_eager_python", "EagerPyFunc"),
        ("print_to_a_file", "PrintV2"),
        ("save_a_checkpoint", "SaveV2"),
        ("restore_a_checkpoint", "RestoreV2"),
        ("in_a_branch", "ReadFile"),
        ("records", "TFRecordDataset"),
    ],
)
def test_a_graph_that_touches_the_outside_is_refused(tmp_path: Path, touch: str, operation: str) -> None:
    from inference.models.frozen_graph import freeze  # noqa: PLC0415 - imports TensorFlow
    from tests.inference import tiny, touching  # noqa: PLC0415 - likewise

    folder = touching.save(tmp_path / "model", getattr(touching, touch))
    with pytest.raises(ModelUnavailable, match=f"mine is refused.*{operation}"):
        freeze("mine", folder, default_size=tiny.SIZE)


@pytest.mark.parametrize("what", ["plain", "callable", "named", "softmax", "convolution"])
def test_what_the_saver_needs_is_no_reason_to_refuse(tmp_path: Path, what: str) -> None:
    from tests.inference import tiny  # noqa: PLC0415 - imports TensorFlow

    assert found(tiny.save(tmp_path / "model", what)) == []


def test_the_embedded_model_is_not_refused(embedded_model: Path) -> None:
    assert found(embedded_model) == []


def test_what_prints_to_the_log_is_not_refused(tmp_path: Path) -> None:
    from tests.inference import touching  # noqa: PLC0415 - imports TensorFlow

    assert found(touching.save(tmp_path / "model", touching.print_to_the_log)) == []


def test_the_savers_own_functions_are_for_the_saver_alone(tmp_path: Path) -> None:
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel  # noqa: PLC0415 - likewise

    from tests.inference import tiny  # noqa: PLC0415 - likewise

    folder = tiny.save(tmp_path / "model")
    file = folder / "saved_model.pb"
    model = SavedModel.FromString(file.read_bytes())
    graph = model.meta_graphs[0].graph_def
    saver = next(f.signature.name for f in graph.library.function if "traced_save" in f.signature.name)
    other = next(f for f in graph.library.function if "traced" not in f.signature.name)
    call = other.node_def.add(name="innocent", op="StatefulPartitionedCall")
    call.attr["f"].func.name = saver
    file.write_bytes(model.SerializeToString())
    assert found(folder) == ["StatefulPartitionedCall"]
