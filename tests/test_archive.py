"""Archives and weights come back as they were written, and what lies about itself is refused unread."""

import json
import struct
import tracemalloc
from dataclasses import replace

import h5py
import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from answers import MUSCLES, answer, reconstruction, trial
from profundus.errors import FileFormatError, InputError, MissingFileError, UnsafeInputError
from profundus.io.archive import from_dataset, read_archive, to_dataset, write_archive
from profundus.io.weights import CheckpointStore, read_arrays, write_arrays
from profundus.records import Reconstruction

ARRAYS = {
    "layer.weight": np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32),
    "layer.bias": np.array([np.pi, np.nan, -0.0, np.inf]),
    "step": np.array(7, np.int32),
    "key": np.array([2**32 - 1, 1], np.uint32),
    "mask": np.array([[True, False]]),
    "empty": np.zeros((0, 5)),
    "transposed": np.arange(6.0).reshape(2, 3).T,
}
FACTS = {"seed": 3, "loss": [0.5, float("inf")], "model": {"name": "arm26", "µ": None}}


def same(one, other, *, rtol=0.0):
    """Hold every array of two reconstructions against each other."""
    assert (one.method, one.subject, len(one.trials)) == (other.method, other.subject, len(other.trials))
    for a, b in zip(one.trials, other.trials, strict=True):
        for key in ("name", "role", "motion", "subject", "muscles", "coordinates"):
            assert getattr(a.trial, key) == getattr(b.trial, key)
        np.testing.assert_equal(a.trial.load_kg, b.trial.load_kg)
        np.testing.assert_allclose(a.trial.time, b.trial.time, rtol=0, atol=1e-12)
        for key in ("angle", "velocity", "acceleration", "emg", "emg_valid", "moment", "moment_valid", "truth"):
            np.testing.assert_array_equal(getattr(a.trial, key), getattr(b.trial, key), strict=True)
        for key in ("excitation", "lower", "upper", "draws", "moment", "activation", "tendon_force", "fiber_length"):
            x, y = getattr(a, key), getattr(b, key)
            assert (x is None) == (y is None), key
            if x is not None:
                assert x.dtype == y.dtype
                np.testing.assert_allclose(x, y, rtol=rtol, atol=0)


def test_a_dataset_holds_all_of_a_reconstruction():
    rec = reconstruction()
    dataset = to_dataset(rec)
    assert dict(dataset.sizes) == {"draw": 5, "trial": 3, "time": 523, "muscle": 6, "coordinate": 1}
    assert dataset["excitation_draws"].dims == ("draw", "trial", "time", "muscle")
    assert dataset["excitation_draws"].dtype == np.float32
    assert dataset["tendon_force"].attrs["units"] == "N"
    assert np.isnan(dataset["excitation"].sel(trial="curl_1")[400:]).all()
    assert dataset.attrs["subject"] == "sub-01"
    same(from_dataset(dataset), rec)


def test_an_archive_comes_back_as_it_was_written(tmp_path):
    rec = reconstruction()
    write_archive(rec, tmp_path / "reconstruction.nc")
    same(from_dataset(read_archive(tmp_path / "reconstruction.nc")), rec, rtol=1.2e-7)
    write_archive(read_archive(tmp_path / "reconstruction.nc"), tmp_path / "again.nc")
    same(from_dataset(read_archive(tmp_path / "again.nc")), rec, rtol=1.2e-7)


def test_the_kind_of_movement_is_kept_and_unknown_in_an_archive_without_it(tmp_path):
    kinds = ("steps", "", "pulses")
    rec = reconstruction()
    moved = tuple(
        replace(part, trial=replace(part.trial, motion=kind)) for part, kind in zip(rec.trials, kinds, strict=True)
    )
    write_archive(replace(rec, trials=moved), tmp_path / "reconstruction.nc")
    read = read_archive(tmp_path / "reconstruction.nc")
    assert [part.trial.motion for part in from_dataset(read).trials] == list(kinds)
    older = read.drop_vars("motion")
    same(from_dataset(older), rec, rtol=1.2e-7)


def test_plain_xarray_opens_an_archive(tmp_path):
    write_archive(reconstruction(), tmp_path / "reconstruction.nc")
    with xr.open_dataset(tmp_path / "reconstruction.nc", engine="h5netcdf") as dataset:
        assert tuple(dataset["muscle"].values) == MUSCLES
        assert list(dataset["role"].values) == ["fit", "test", "test"]
        assert float(dataset["load_kg"].sel(trial="curl_2")) == 2.0


def test_names_beyond_ascii_survive(tmp_path):
    rec = Reconstruction("nmm", "Ärm-01", (answer(trial("Übung_µ", subject="Ärm-01")),))
    write_archive(rec, tmp_path / "r.nc")
    same(from_dataset(read_archive(tmp_path / "r.nc")), rec, rtol=1.2e-7)


def test_trials_that_cannot_share_axes_are_refused_all_at_once():
    other = trial("curl_2")
    slow = replace(other, time=other.time * 2)
    names = replace(trial("curl_3"), muscles=tuple(reversed(MUSCLES)))
    with pytest.raises(InputError) as caught:
        to_dataset(Reconstruction("nmm", "sub-01", tuple(map(answer, (trial("a"), trial("a"), slow, names)))))
    assert len(caught.value.problems) == 3


def test_a_dataset_that_lacks_parts_is_refused_with_all_of_them():
    lacking = to_dataset(reconstruction()).drop_vars(["truth", "lower"])
    del lacking.attrs["method"]
    with pytest.raises(FileFormatError) as caught:
        from_dataset(lacking)
    assert [problem.what for problem in caught.value.problems] == [
        "there is no 'lower'",
        "there is no 'truth'",
        "there is no attribute 'method'",
    ]


def huge(file):
    file.create_dataset("excitation", (10**6, 10**6), "f8", chunks=(1000, 1000), compression="gzip")


def huge_and_plain(file):
    file.create_dataset("excitation", (10**6, 10**6), "f8")


def huge_chunks(file):
    file.create_dataset("excitation", (10,), "f8", chunks=(10**8,), maxshape=(None,))


def outer_link(file):
    file["excitation"] = h5py.ExternalLink("secret.nc", "/x")


def soft_link(file):
    file["excitation"] = h5py.SoftLink("/x")


def outer_data(file):
    file.create_dataset("excitation", (10,), "f8", external=[("secret.bin", 0, 80)])


def texts(file):
    file.create_dataset("excitation", data=["a", "b"], dtype=h5py.string_dtype())


def group(file):
    file.create_group("inner")


def virtual(file):
    layout = h5py.VirtualLayout((10,), "f8")
    layout[:] = h5py.VirtualSource("secret.nc", "x", (10,))
    file.create_virtual_dataset("excitation", layout)


def packed_twice(file):
    plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plan.set_chunk((10**6,))
    for _ in range(3):
        plan.set_deflate(9)
    space = h5py.h5s.create_simple((300 * 10**6,))
    made = h5py.h5d.create(file.id, b"excitation", h5py.h5t.NATIVE_DOUBLE, space, plan)
    h5py.Dataset(made)[: 10**6] = np.zeros(10**6)


LIES = {
    huge: "claims the shape",
    huge_and_plain: "claims the shape",
    huge_chunks: "claims chunks",
    outer_link: "points out",
    soft_link: "points out",
    outer_data: "another file",
    texts: "holds object",
    group: "is a group",
    virtual: "another file",
    packed_twice: "claims the shape",
}


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.__name__)
def test_an_archive_that_lies_is_refused_before_memory_is_taken(tmp_path, lie):
    path = tmp_path / "reconstruction.nc"
    with h5py.File(path, "w") as file:
        lie(file)
    tracemalloc.start()
    with pytest.raises(UnsafeInputError, match=LIES[lie]):
        read_archive(path)
    assert tracemalloc.get_traced_memory()[1] < 10e6
    tracemalloc.stop()


@pytest.mark.parametrize("kept", [0, 7, 100, 3000, -1])
def test_a_truncated_archive_is_refused(tmp_path, kept):
    write_archive(reconstruction(), tmp_path / "whole.nc")
    (tmp_path / "cut.nc").write_bytes((tmp_path / "whole.nc").read_bytes()[:kept])
    with pytest.raises(FileFormatError, match=r"cut\.nc"):
        read_archive(tmp_path / "cut.nc")


def test_flipped_bits_in_the_data_of_an_archive_are_noticed(tmp_path):
    path = tmp_path / "r.nc"
    write_archive(reconstruction(), path)
    with h5py.File(path) as file:
        chunk = file["excitation"].id.get_chunk_info(0)
    content = bytearray(path.read_bytes())
    content[chunk.byte_offset + chunk.size // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(FileFormatError):
        read_archive(path)


def test_an_archive_that_is_something_else_or_nowhere_is_refused(tmp_path):
    (tmp_path / "text.nc").write_text("time,BRA\n0,1\n")
    with pytest.raises(FileFormatError, match="not a whole HDF5 file"):
        read_archive(tmp_path / "text.nc")
    with pytest.raises(MissingFileError):
        read_archive(tmp_path / "nowhere.nc")


def test_weights_come_back_bit_for_bit(tmp_path):
    write_arrays(tmp_path / "w.safetensors", ARRAYS, FACTS)
    arrays, facts = read_arrays(tmp_path / "w.safetensors")
    assert facts == FACTS
    assert set(arrays) == set(ARRAYS)
    for name, array in ARRAYS.items():
        assert (arrays[name].dtype, arrays[name].shape) == (array.dtype, array.shape)
        assert arrays[name].tobytes() == array.tobytes()


def test_weights_of_objects_are_refused_by_name(tmp_path):
    with pytest.raises(InputError, match="'who' is object"):
        write_arrays(tmp_path / "w.safetensors", {"who": np.array([object()])}, {})
    assert list(tmp_path.iterdir()) == []


def header_of(content):
    length = struct.unpack("<Q", content[:8])[0]
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def rebuilt(header, data, *, length=None):
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def changed(content, kind):
    header, data = header_of(content)
    weight = header["layer.weight"]
    if kind == "a huge shape":
        weight["shape"] = [10**6, 10**6]
    elif kind == "a shape that overflows":
        weight["shape"] = [2**33, 2**33]
    elif kind == "offsets beyond the end":
        weight["data_offsets"][1] += 10**9
    elif kind == "overlapping offsets":
        weight["data_offsets"] = header["layer.bias"]["data_offsets"]
    elif kind == "a huge header":
        return rebuilt(header, data, length=2**62)
    elif kind == "a hole at the end":
        return rebuilt(header, data + b"\0" * 8)
    elif kind == "deep nesting":
        return rebuilt(header, data).replace(b'"F32"', b"[" * 10000 + b"]" * 10000)
    elif kind == "a truncated end":
        return content[:-5]
    elif kind == "nothing":
        return b""
    return rebuilt(header, data)


LYING = (
    "a huge shape",
    "a shape that overflows",
    "offsets beyond the end",
    "overlapping offsets",
    "a huge header",
    "a hole at the end",
    "deep nesting",
    "a truncated end",
    "nothing",
)


@pytest.mark.parametrize("kind", LYING)
def test_weights_that_lie_about_their_sizes_are_refused(tmp_path, kind):
    path = tmp_path / "w.safetensors"
    write_arrays(path, ARRAYS, FACTS)
    path.write_bytes(changed(path.read_bytes(), kind))
    tracemalloc.start()
    with pytest.raises(UnsafeInputError, match=r"w\.safetensors"):
        read_arrays(path)
    assert tracemalloc.get_traced_memory()[1] < 1e6
    tracemalloc.stop()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 0.999999), bit=st.integers(0, 7))
def test_a_flipped_bit_in_weights_is_never_believed(tmp_path, place, bit):
    path = tmp_path / "w.safetensors"
    write_arrays(path, ARRAYS, FACTS)
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= 1 << bit
    path.write_bytes(content)
    try:
        arrays, facts = read_arrays(path)
    except InputError:
        return
    assert facts == FACTS  # a bit of white space, or the order of keys: what is read is what was written
    assert all(arrays[name].tobytes() == ARRAYS[name].tobytes() for name in ARRAYS)


def test_a_file_of_another_program_is_refused(tmp_path):
    from safetensors.numpy import save_file

    save_file({"a": np.zeros(2)}, tmp_path / "other.safetensors")
    with pytest.raises(FileFormatError, match="not written by profundus"):
        read_arrays(tmp_path / "other.safetensors")
    with pytest.raises(MissingFileError):
        read_arrays(tmp_path / "nowhere.safetensors")


def test_the_newest_two_checkpoints_are_kept(tmp_path):
    store = CheckpointStore(tmp_path / "sub-01")
    assert store.latest() is None
    for step in (9, 100, 1000):
        store.save(step, {"w": np.full(3, step)}, {"step": step})
    assert store.steps() == [100, 1000]
    arrays, facts = store.latest()
    assert (arrays["w"][0], facts["step"]) == (1000, 1000)
    store.save(50, {"w": np.full(3, 50)}, {"step": 50})  # started over
    assert store.steps() == [50]


def test_a_damaged_checkpoint_is_passed_over_and_said(tmp_path):
    store = CheckpointStore(tmp_path)
    store.save(1, ARRAYS, {"step": 1})
    newest = store.save(2, ARRAYS, {"step": 2})
    content = bytearray(newest.read_bytes())
    content[-3] ^= 4
    newest.write_bytes(content)
    assert store.latest()[1] == {"step": 1}
    (problem,) = store.problems
    assert problem.severity == "warning"
    assert "checkpoint_2" in problem.file
    (tmp_path / "checkpoint_1.safetensors").write_bytes(b"")
    assert store.latest() is None
    assert len(store.problems) == 2
