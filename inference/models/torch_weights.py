"""Reads the weights in a legacy torch file (`torch.save` before 1.6), without torch and without trusting it.

Such a file is five pickles and then raw numbers: a magic number, a protocol version, facts about the machine
that wrote it, the dictionary of tensors (each naming its storage by key), the order of the storages, and each
storage's length and values. A pickle is a program: this reader allows only the opcodes and the four names
that such a file needs.

Format: `torch.serialization._legacy_load`, https://github.com/pytorch/pytorch/blob/v2.4.0/torch/serialization.py
"""

from __future__ import annotations

import io
import math
import pickle
import pickletools
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001

FILE_BYTES = 512 * 1024 * 1024
"""More than any embedded model has. A larger file is not read into memory."""

OPCODES = frozenset(
    """
    PROTO STOP MARK GLOBAL REDUCE BUILD BINPERSID
    NONE NEWTRUE NEWFALSE BININT BININT1 BININT2 LONG1 BINUNICODE
    EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 EMPTY_LIST APPEND APPENDS EMPTY_DICT SETITEM SETITEMS
    BINPUT LONG_BINPUT BINGET LONG_BINGET
    """.split()  # noqa: SIM905 - thirty names are read more easily so
)
"""What `torch.save` writes with pickle protocol 2."""

MEMO = 1 << 20
"""Highest memo index. The unpickler allocates memory up to the index, even for a short file."""


class BadTorchFile(Exception):
    """The file is not a legacy torch file of plain tensors, or is damaged; the message says in what way."""


@dataclass(frozen=True, slots=True)
class _StorageType:
    dtype: str


@dataclass(frozen=True, slots=True)
class _Storage:
    key: str
    dtype: str
    length: int


@dataclass(frozen=True, slots=True)
class _Tensor:
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _Dict(dict[str, object]):
    """Stands for the OrderedDict of a state dict. Attributes that a pickle sets (`_metadata`) are dropped."""

    def __setstate__(self, state: object) -> None:
        """Drop the attributes."""


def _tensor(storage: object, offset: object, shape: object, strides: object, *_: object) -> _Tensor:
    """Stand for `torch._utils._rebuild_tensor_v2`: note what to cut from which storage."""
    if not isinstance(storage, _Storage):
        raise BadTorchFile("a tensor without a storage")
    (first,) = _naturals([offset])
    return _Tensor(storage, first, _naturals(shape), _naturals(strides))


def _naturals(values: object) -> tuple[int, ...]:
    if not isinstance(values, list | tuple) or not all(type(v) is int and 0 <= v < 2**40 for v in values):
        raise BadTorchFile(f"a tensor whose offset, shape or strides are {values!r:.80}")
    return tuple(values)


NAMES: dict[tuple[str, str], object] = {
    ("collections", "OrderedDict"): _Dict,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch", "FloatStorage"): _StorageType("<f4"),
    ("torch", "LongStorage"): _StorageType("<i8"),
}


class _AllowListUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return NAMES[module, name]
        except KeyError:
            raise BadTorchFile(f"it asks for {module}.{name}, which no weights need") from None

    def persistent_load(self, pid: Any) -> _Storage:
        match pid:
            case ("storage", _StorageType(dtype=dtype), str(key), str(), int(length), None):
                return _Storage(key, dtype, *_naturals([length]))
            case _:
                raise BadTorchFile(f"an unknown kind of storage: {pid!r:.80}")


def read(path: Path) -> dict[str, NDArray[Any]]:
    """Return the tensors of a legacy torch file by name: float32 or int64 arrays of the shapes it gives.

    Raises BadTorchFile for any other file, FileNotFoundError where there is none.
    """
    if path.stat().st_size > FILE_BYTES:
        _refuse(path, f"it is larger than {FILE_BYTES >> 20} MiB")
    try:
        return _parse(io.BytesIO(path.read_bytes()))
    except BadTorchFile as error:
        _refuse(path, str(error))
    except Exception as error:  # noqa: BLE001 - a damaged pickle makes the unpickler raise almost anything
        _refuse(path, f"it is damaged ({type(error).__name__}: {error})")


def _refuse(path: Path, why: str) -> NoReturn:
    raise BadTorchFile(f"{path.name} is not a torch file of weights: {why}.") from None


def _parse(stream: io.BytesIO) -> dict[str, NDArray[Any]]:
    if _unpickle(stream) != MAGIC or _unpickle(stream) != PROTOCOL:
        raise BadTorchFile("it does not begin like one")
    machine = _unpickle(stream)
    if not isinstance(machine, dict) or machine.get("little_endian") is not True:
        raise BadTorchFile("its numbers are not little-endian")
    tensors = _unpickle(stream)
    return _fill(stream, tensors, order=_unpickle(stream))


def _unpickle(stream: io.BytesIO) -> object:
    start = stream.tell()
    for opcode, argument, _ in pickletools.genops(stream):
        if opcode.name not in OPCODES:
            raise BadTorchFile(f"it has the pickle opcode {opcode.name}, which no weights need")
        if opcode.name == "LONG_BINPUT" and isinstance(argument, int) and argument > MEMO:
            raise BadTorchFile(f"it wants a memo of {argument} entries")
    stream.seek(start)
    return _AllowListUnpickler(stream).load()


def _fill(stream: io.BytesIO, tensors: object, order: object) -> dict[str, NDArray[Any]]:
    if not isinstance(tensors, _Dict) or not isinstance(order, list):
        raise BadTorchFile("it holds no dictionary of tensors")
    named: dict[str, _Tensor] = {}
    for name, tensor in tensors.items():
        if not isinstance(name, str) or not isinstance(tensor, _Tensor):
            raise BadTorchFile(f"{name!r:.80} is no tensor")
        named[name] = tensor
    kinds = {tensor.storage.key: tensor.storage for tensor in named.values()}
    values: dict[str, NDArray[Any]] = {}
    for key in order:
        storage = kinds.get(key)
        if storage is None:
            raise BadTorchFile(f"no tensor uses the storage {key!r:.80}")
        length = int.from_bytes(stream.read(8), "little")
        raw = stream.read(storage.length * np.dtype(storage.dtype).itemsize)
        if length != storage.length or len(raw) != storage.length * np.dtype(storage.dtype).itemsize:
            raise BadTorchFile(f"the storage {key} is cut short")
        values[key] = np.frombuffer(raw, storage.dtype)
    return {name: _cut(name, tensor, values) for name, tensor in named.items()}


def _cut(name: str, tensor: _Tensor, values: dict[str, NDArray[Any]]) -> NDArray[Any]:
    data = values.get(tensor.storage.key)
    if data is None or len(tensor.shape) != len(tensor.strides):
        raise BadTorchFile(f"the tensor {name} does not fit its storage")
    last = tensor.offset + sum((n - 1) * step for n, step in zip(tensor.shape, tensor.strides, strict=True))
    if 0 in tensor.shape or math.prod(tensor.shape) > len(data) or last >= len(data):
        raise BadTorchFile(f"the tensor {name} does not fit its storage")
    # Strides may be in any order: convolutions are often stored in TensorFlow's order.
    return as_strided(
        data[tensor.offset :],
        tensor.shape,
        [step * data.itemsize for step in tensor.strides],
        writeable=False,
    )
