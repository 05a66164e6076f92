from __future__ import annotations

import pickle
import struct
import tracemalloc
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of
from numpy.typing import NDArray

from artsim.training.networks.torch_files import read_state_dict
from artsim.training.networks.weight_packages import PACKAGES
from tests.training.networks.legacy_files import (
    HEADER,
    Storage,
    Tensor,
    contiguous,
    legacy_file,
    named,
    pickled,
    state_dict_file,
)

NUMBERS = Storage(np.arange(6, dtype=np.float32))


def numbers_of(shape: st.SearchStrategy[tuple[int, ...]]) -> st.SearchStrategy[NDArray[Any]]:
    return st.one_of(arrays_of.arrays(np.float32, shape), arrays_of.arrays(np.int64, shape))


@st.composite
def views(draw: st.DrawFn) -> tuple[Tensor, NDArray[Any]]:
    """A tensor somewhere in its storage, in any order of its axes, and the same as an array."""
    whole = draw(numbers_of(arrays_of.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)))
    before, after = draw(st.integers(0, 5)), draw(st.integers(0, 5))
    stored = np.concatenate([np.zeros(before, whole.dtype), whole.ravel(), np.zeros(after, whole.dtype)])
    axes = draw(st.permutations(range(whole.ndim)))
    view = whole.transpose(axes)
    strides = tuple(step // whole.itemsize for step in view.strides)
    return Tensor(Storage(stored), before, view.shape, strides), view


@given(st.dictionaries(st.text(max_size=8), views(), max_size=4))
def test_tensors_are_read_as_they_lie_in_their_storages(state: dict[str, tuple[Tensor, NDArray[Any]]]) -> None:
    for number, (tensor, _) in enumerate(state.values()):
        tensor.storage.key = str(number)
    tensors = OrderedDict((name, tensor) for name, (tensor, _) in state.items())
    found = read_state_dict(legacy_file(tensors, [tensor.storage for tensor in tensors.values()]))
    assert list(found) == list(state)
    for name, (_, expected) in state.items():
        assert found[name].dtype == expected.dtype
        np.testing.assert_array_equal(found[name], expected, strict=True)
        found[name][...] = 0  # an array of its own, which can be written


def test_tensors_may_share_a_storage() -> None:
    state = {"rows": Tensor(NUMBERS, 0, (2, 3), (3, 1)), "last": Tensor(NUMBERS, 3, (3,), (1,))}
    found = read_state_dict(legacy_file(state, [NUMBERS]))
    np.testing.assert_array_equal(found["rows"], [[0, 1, 2], [3, 4, 5]])
    np.testing.assert_array_equal(found["last"], [3, 4, 5])


def test_the_published_kernels_are_not_contiguous() -> None:
    state = read_state_dict(PACKAGES["efficientnet-lite0"].path.read_bytes())
    stem = state["_conv_stem.weight"]
    assert stem.shape == (32, 3, 3, 3)
    # The kernels of a first layer are smooth: neighbours in a row are alike. Read in another order, they are not.
    assert np.corrcoef(stem[..., :-1].ravel(), stem[..., 1:].ravel())[0, 1] > 0.3
    assert np.isfinite(state["_fc.weight"]).all()


class Called:
    """Makes a file if a pickle that names `Path.touch` is obeyed."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def test_a_file_that_would_run_code_is_refused_and_does_nothing(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    state = pickle.dumps(Called(mark), protocol=2)
    pickle.loads(state)  # noqa: S301 - what an ordinary unpickler does with it
    assert mark.exists()
    mark.unlink()
    for place in range(5):
        parts = [*(pickled(value) for value in HEADER), pickled({}), pickled([])]
        parts[place] = state
        with pytest.raises(ValueError, match="no state dict needs"):
            read_state_dict(b"".join(parts))
    assert not mark.exists()


@pytest.mark.parametrize(
    ("module", "name"),
    [("os", "system"), ("builtins", "eval"), ("builtins", "getattr"), ("torch", "load"), ("collections", "deque")],
)
def test_a_function_that_no_state_dict_needs_is_refused(module: str, name: str) -> None:
    tensor = Tensor(NUMBERS, 0, (6,), (1,), call=named(module, name))
    with pytest.raises(ValueError, match=f"names {module}.{name}, which no state dict needs"):
        read_state_dict(legacy_file({"a": tensor}, [NUMBERS]))


def test_a_file_changes_nothing_for_the_next_one() -> None:
    """A pickle may set the attributes of all that it names, such as the default values of a function."""
    header = b"".join(pickled(value) for value in HEADER)
    function = pickle.PROTO + b"\x02" + pickle.GLOBAL + b"torch._utils\n_rebuild_tensor_v2\n"
    defaults = pickled((None, {"__defaults__": (1, 2, 3, 4)}))[2:-1]  # without its own beginning and end
    with pytest.raises(ValueError, match="no attribute 'items'"):
        read_state_dict(header + function + defaults + pickle.BUILD + pickle.STOP)
    with pytest.raises(ValueError, match="missing 4 required"):
        read_state_dict(header + function + pickle.EMPTY_TUPLE + pickle.REDUCE + pickle.STOP)


@pytest.mark.parametrize(
    ("offset", "shape", "strides"),
    [
        (0, (7,), (1,)),
        (1, (6,), (1,)),
        (0, (2, 3), (4, 1)),
        (5, (2,), (-1,)),
        (-1, (2,), (1,)),
        (0, (-2,), (1,)),
        (6, (), ()),
        (0, (2,), (1, 1)),
        (0, (2, 2), (1,)),
        (0, (2**40,), (0,)),  # a few numbers, repeated until the memory is full
        (0, (2**20, 2**20), (0, 0)),
        (0, (1,), (2**70,)),
        (2**70, (1,), (1,)),
        (0, (0, 2**70), (1, 1)),
        (0, (1,) * 100, (1,) * 100),
        (0, 6, (1,)),
        (0, (6,), None),
        (0, ("six",), (1,)),
        (0.5, (2,), (1,)),
        ("0", (2,), (1,)),
    ],
)
def test_a_tensor_beyond_its_storage_is_refused(offset: Any, shape: Any, strides: Any) -> None:
    data = legacy_file({"a": Tensor(NUMBERS, offset, shape, strides)}, [NUMBERS])
    with pytest.raises(ValueError, match=r"."):
        read_state_dict(data)


def laughs(depth: int) -> Any:
    """A value that is 2^depth values long when it is written out."""
    value: Any = ("ha",)
    for _ in range(depth):
        value = (value, value)
    return value


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "."),
    "text": (lambda: b"<html>Not found</html>", "."),
    "the format of torch 1.6": (lambda: b"PK\x03\x04\x00\x00archive/data.pkl", "other than a storage"),
    "another magic number": (lambda: legacy_file({}, [], (1, *HEADER[1:])), "legacy format"),
    "another version": (lambda: legacy_file({}, [], (HEADER[0], 1002, HEADER[2])), "legacy format"),
    "another byte order": (lambda: legacy_file({}, [], (*HEADER[:2], {"little_endian": False})), "legacy format"),
    "no machine": (lambda: legacy_file({}, [], (*HEADER[:2], 7)), "."),
    "a list": (lambda: legacy_file([1, 2], []), "."),
    "other values": (lambda: legacy_file({"a": 1}, []), "not a state dict of tensors"),
    "nested": (lambda: legacy_file({"a": {"b": contiguous(NUMBERS.values)}}, []), "not a state dict of tensors"),
    "numbers as names": (lambda: legacy_file({1: Tensor(NUMBERS, 0, (6,), (1,))}, [NUMBERS]), "not a state dict"),
    "no storage": (lambda: legacy_file({"a": Tensor(NUMBERS, 0, (6,), (1,))}, []), "."),
    "an unknown storage": (lambda: legacy_file({}, [NUMBERS]), "."),
    "a number for a storage": (lambda: legacy_file({"a": Tensor(7, 0, (6,), (1,))}, [NUMBERS]), "."),
    "a number for the keys": (lambda: legacy_file({}, [], keys=7), "."),
    "a storage of another size": (
        lambda: legacy_file({"a": Tensor(NUMBERS, 0, (6,), (1,))}, [NUMBERS], end=struct.pack("<q", 5) + bytes(24)),
        "incomplete",
    ),
    "a huge storage": (
        lambda: legacy_file({"a": Tensor(Storage(NUMBERS.values, size=2**50), 0, (2**50,), (1,))}, [NUMBERS]),
        "incomplete",
    ),
    "a storage larger than a file can be": (
        lambda: legacy_file({"a": Tensor(Storage(NUMBERS.values, size=2**70), 0, (6,), (1,))}, [NUMBERS]),
        ".",
    ),
    "a memo of 2^31 places": (lambda: pickle.PROTO + b"\x02" + pickle.NONE + b"r\xff\xff\xff\x7f" + pickle.STOP, "."),
    "a text of 2^31 characters": (lambda: pickle.PROTO + b"\x02" + b"X\xff\xff\xff\x7f", "."),
    "a reference that is long in print": (lambda: pickled(laughs(60))[:-1] + pickle.BINPERSID + b".", "other than"),
    "a reference to another storage": (
        lambda: pickled(("storage", named("torch", "HalfStorage"), "1", "cpu", 6, None)),
        "torch.HalfStorage",
    ),
    "a reference with a view": (
        lambda: pickled(("storage", "FloatStorage", "1", "cpu", 6, ("2", 0, 6)))[:-1] + pickle.BINPERSID + b".",
        "other than a storage",
    ),
    "a storage of fewer than no numbers": (
        lambda: pickled(("storage", "FloatStorage", "1", "cpu", -6, None))[:-1] + pickle.BINPERSID + b".",
        "other than a storage",
    ),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_file_is_a_value_error_and_takes_no_memory(case: str) -> None:
    write, message = HOSTILE[case]
    data = write()
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=message):
            read_state_dict(data)
        assert tracemalloc.get_traced_memory()[1] < 2**22
    finally:
        tracemalloc.stop()


WHOLE = state_dict_file({"weight": np.arange(6, dtype=np.float32).reshape(2, 3), "count": np.array(7)})


@given(st.integers(0, len(WHOLE) - 1))
def test_a_file_that_is_cut_short_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_state_dict(WHOLE[:length])


@settings(max_examples=300)
@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), min_size=1, max_size=5))
def test_a_damaged_file_is_read_or_a_value_error(changes: list[tuple[int, int]]) -> None:
    data = bytearray(WHOLE)
    for place, byte in changes:
        data[place] = byte
    try:
        found = read_state_dict(bytes(data))
    except ValueError:
        return
    assert all(array.nbytes <= len(data) for array in found.values())


@given(st.binary(max_size=200))
def test_other_bytes_are_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_state_dict(data)
    with pytest.raises(ValueError, match=r"."):
        read_state_dict(b"".join(pickled(value) for value in HEADER) + data)
