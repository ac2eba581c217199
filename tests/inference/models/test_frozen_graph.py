"""A model that breaks the contract is one clear error."""

from __future__ import annotations

from pathlib import Path

import pytest

from inference.results import ModelUnavailable

pytestmark = pytest.mark.filterwarnings("ignore:pkg_resources is deprecated:UserWarning")  # tensorflow_hub


@pytest.mark.parametrize(
    ("what", "found"),
    [
        ("nothing", "no usable signature: it has none at all"),
        ("strings", "takes images string"),
        ("two", "takes images float32 .*more float32"),
        ("grey", r"takes images float32 \(None, 32, 32, 1\)"),
        ("single", r"only pictures of the shape \(1, 32, 32, 3\)"),
        ("oblong", r"only pictures of the shape \(None, 32, 64, 3\)"),
        ("boxes", r"gives boxes float32 \(None, 5, 1\), which is no classification"),
        ("unnamed", "gives first float32 .*second float32 .*no classification"),
    ],
)
def test_a_model_that_breaks_the_contract_is_told_so(tmp_path: Path, what: str, found: str) -> None:
    from inference.models import frozen_graph  # noqa: PLC0415 - imports TensorFlow
    from tests.inference import tiny  # noqa: PLC0415 - imports TensorFlow

    folder = tiny.save(tmp_path / "model", what)
    with pytest.raises(ModelUnavailable, match=f"The model tiny.*{found}") as caught:
        frozen_graph.freeze("tiny", folder, default_size=tiny.SIZE)
    assert "common signature for image classification" in str(caught.value)


@pytest.mark.parametrize("file", ["saved_model.pb", "variables/variables.index"])
def test_a_damaged_savedmodel_is_one_clear_error(tmp_path: Path, file: str) -> None:
    from inference.models import frozen_graph  # noqa: PLC0415 - imports TensorFlow
    from tests.inference import tiny  # noqa: PLC0415 - imports TensorFlow

    folder = tiny.save(tmp_path / "model")
    (folder / file).write_bytes((folder / file).read_bytes()[:40])
    with pytest.raises(ModelUnavailable, match=r"The model tiny cannot be loaded.*fetch it again"):
        frozen_graph.freeze("tiny", folder, default_size=tiny.SIZE)
