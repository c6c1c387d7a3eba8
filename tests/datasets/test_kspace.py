"""Tests of datasets.kspace, datasets.kspace_readers, datasets.fastmri and datasets.ismrmrd."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mri_attention.datasets import InputError, Kspace, paired_slices, read_kspace, read_pairs
from mri_attention.datasets.ismrmrd import NOT_OF_THE_IMAGE, ismrmrd_kspace
from mri_attention.datasets.ismrmrd_acquisitions import NOISE
from mri_attention.datasets.kspace_readers import h5_kspace
from mri_attention.operators import image_to_kspace, zero_filled_image

REAL = Path(__file__).parents[3] / "shared" / "data" / "kspace" / "brain_8ch_undersampled.npy"
N_Y, N_X = 24, 20
HEADER = """<?xml version="1.0"?><ismrmrdHeader xmlns="http://www.ismrm.org/ISMRMRD"><encoding>
<encodedSpace><matrixSize><x>24</x><y>20</y><z>1</z></matrixSize></encodedSpace>
<reconSpace><matrixSize><x>12</x><y>20</y><z>1</z></matrixSize>
<fieldOfView_mm><x>24</x><y>60</y><z>4.5</z></fieldOfView_mm></reconSpace>
<encodingLimits><kspace_encoding_step_1><center>9</center></kspace_encoding_step_1></encodingLimits>
<trajectory>cartesian</trajectory></encoding></ismrmrdHeader>"""
OF_IMAGE = {"recon_matrix": (12, 20), "voxel_size": (2.0, 3.0, 4.5)}
COUNTERS = ["kspace_encode_step_1", "kspace_encode_step_2", "average", "slice", "contrast", "phase", "repetition"]
IDX = np.dtype([(name, "<u2") for name in [*COUNTERS, "set", "segment"]])
HEAD = np.dtype(
    [
        ("flags", "<u8"),
        ("number_of_samples", "<u2"),
        ("active_channels", "<u2"),
        ("discard_pre", "<u2"),
        ("discard_post", "<u2"),
        ("center_sample", "<u2"),
        ("idx", IDX),
    ]
)


def full_kspace(n_slices: int = 2, n_coils: int = 3) -> np.ndarray:
    """k-space of a bright block seen by several coils."""
    rng = np.random.default_rng(0)
    image = np.zeros((n_slices, n_coils, N_Y, N_X), complex)
    image[..., 6:18, 5:15] = 5 + rng.normal(size=(n_slices, n_coils, 12, 10))
    return image_to_kspace(torch.from_numpy(image)).numpy().astype(np.complex64)


def columns() -> np.ndarray:
    mask = np.zeros(N_X, bool)
    mask[::3] = mask[8:12] = True
    return mask


def sparse() -> np.ndarray:
    mask = np.zeros(N_X, bool)
    mask[8:14] = True
    return mask


def npz(path: Path, **arrays: Any) -> Path:
    np.savez(path / "a.npz", **arrays)
    return path / "a.npz"


def acquisitions(kspace: np.ndarray, skip: int = 0, n_averages: int = 1) -> np.ndarray:
    """Lines of an ISMRMRD file: the first of the encoding steps lies ``9 - 20 // 2`` from that of the matrix."""
    rows = []
    for average in range(n_averages):
        for z, coils in enumerate(kspace):
            for x in range(1, N_X):
                row = np.zeros(1, np.dtype([("head", HEAD), ("data", object)]))[0]
                head = row["head"]
                head["idx"]["kspace_encode_step_1"], head["idx"]["slice"], head["idx"]["average"] = x - 1, z, average
                head["number_of_samples"], head["active_channels"] = N_Y - skip, len(coils)
                head["center_sample"] = N_Y // 2 - skip
                row["data"] = np.ascontiguousarray(coils[:, skip:, x]).view(np.float32).ravel()
                rows.append(row)
    return np.array(rows)


def group(data: np.ndarray, header: str = HEADER) -> dict[str, Any]:
    return {"xml": np.array([header.encode()], object), "data": data}


@pytest.mark.parametrize("n_coils", [1, 3])
@pytest.mark.parametrize("shape", [(N_X,), (1, N_X), (1, 1, N_X), (1, 1, 1, N_X)])
def test_reads_npz(tmp_path: Path, n_coils: int, shape: tuple[int, ...]) -> None:
    full = full_kspace(n_coils=n_coils) * columns()
    given = full[:, 0] if n_coils == 1 else full
    kspace = read_kspace(npz(tmp_path, kspace=given, mask=columns().reshape(shape)))
    np.testing.assert_array_equal(kspace.data, full)
    assert kspace.mask.shape == (1, 1, 1, N_X)
    assert kspace.data.dtype == np.complex64
    assert kspace.sampled_fraction == columns().mean()


def test_mask_may_differ_by_slice_and_be_of_integers(tmp_path: Path) -> None:
    mask = np.zeros((2, N_Y, N_X), np.uint8)
    mask[0, :, 4:16], mask[1, 4:20] = 1, 1
    kspace = read_kspace(npz(tmp_path, kspace=full_kspace() * mask[:, None], mask=mask))
    assert kspace.mask.shape == (2, 1, N_Y, N_X)
    np.testing.assert_array_equal(kspace.mask[:, 0], mask == 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kspace": None}, "no kspace in it, only mask"),
        ({"mask": None}, "no mask in it, only kspace"),
        ({"kspace": np.abs(full_kspace())}, "k-space is float32, not complex"),
        ({"kspace": full_kspace()[0, 0]}, r"shape \(24, 20\); give axes \(slice, \[coil,\] y, x\)"),
        ({"kspace": np.moveaxis(full_kspace(), 1, -1)}, r"shape \(2, 24, 20, 3\); give axes"),
        ({"kspace": 0 * full_kspace()}, "zero everywhere"),
        ({"kspace": full_kspace() * np.where(columns(), 1, np.nan)}, "are NaN or Inf"),
        ({"kspace": np.fft.ifftshift(full_kspace(), (-2, -1)) * columns()}, r"not centered: .* at \(0, 0\) of 24 x 20"),
        ({"kspace": full_kspace()}, "disagree: 1440 samples are not zero where the mask is False"),
        ({"kspace": full_kspace() * sparse(), "mask": np.ones(N_X)}, "disagree: 70 % of the samples are zero where it"),
        ({"mask": np.ones(N_X + 1, bool)}, r"mask \(21,\) does not fit k-space \(2, 3, 24, 20\)"),
        ({"mask": np.ones((1, 1, 1, 1, N_X), bool)}, "does not fit"),
        ({"mask": 2 * columns()}, "values other than 0 and 1"),
        ({"mask": 0 * columns()}, "the mask is empty"),
    ],
)
def test_bad_npz_has_one_line(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    arrays = {"kspace": full_kspace() * columns(), "mask": columns()}
    arrays = {name: value for name, value in (arrays | change).items() if value is not None}
    with pytest.raises(InputError, match=message) as caught:
        read_kspace(npz(tmp_path, **arrays))
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path))


def test_other_files_have_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_kspace(tmp_path / "missing.npz")
    (tmp_path / "a.mat").write_bytes(b"")
    with pytest.raises(InputError, match=r"k-space in .mat; give .h5"):
        read_kspace(tmp_path / "a.mat")
    (tmp_path / "a.npz").write_bytes(b"no archive")
    np.savez(tmp_path / "b.npz", kspace=np.array([{}], object))
    for name in ("a.npz", "b.npz"):
        with pytest.raises(InputError, match=f"{name}: is no .npz archive of numbers; save it by numpy.savez"):
            read_kspace(tmp_path / name)
    (tmp_path / "c.npz").write_bytes((tmp_path / "b.npz").read_bytes()[:40])
    with pytest.raises(InputError, match="cannot be read"):
        read_kspace(tmp_path / "c.npz")


def test_without_h5py_the_error_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "h5py", None)
    (tmp_path / "a.h5").write_bytes(b"")
    with pytest.raises(InputError, match="h5py is not installed"):
        read_kspace(tmp_path / "a.h5")


@pytest.mark.parametrize("n_coils", [1, 3])
def test_takes_fastmri_of_one_and_several_coils(n_coils: int) -> None:
    full = full_kspace(n_coils=n_coils) * columns()
    file = {"kspace": full[:, 0] if n_coils == 1 else full, "ismrmrd_header": np.array(HEADER.encode(), object)}
    attributes = {"acquisition": "CORPD_FBK", "max": np.float64(3), "norm": 4.0, "patient_id": b"abc", "other": 1}
    kspace = h5_kspace(Path("a.h5"), file, attributes)
    np.testing.assert_array_equal(kspace.data, full)
    np.testing.assert_array_equal(kspace.mask[0, 0, 0], columns())
    assert kspace.attributes == {"acquisition": "CORPD_FBK", "patient_id": "abc", "max": 3.0, "norm": 4.0} | OF_IMAGE
    masked = h5_kspace(Path("a.h5"), file | {"mask": columns()}, {})
    np.testing.assert_array_equal(masked.mask, kspace.mask)


@pytest.mark.parametrize("skip", [0, 5])
def test_takes_ismrmrd_with_lines_in_place(skip: int) -> None:
    """Of the 20 columns the first is not measured; a partial echo leaves out the first samples."""
    full = full_kspace()
    kspace = ismrmrd_kspace("a.h5", group(acquisitions(full, skip)))
    full[..., 0], full[:, :, :skip] = 0, 0
    np.testing.assert_allclose(kspace.data, full)
    assert not kspace.mask[..., 0].any()
    assert kspace.mask[..., skip:, 1:].all()
    assert kspace.attributes == OF_IMAGE


def test_takes_the_mean_of_averages_and_leaves_out_noise_and_other_contrasts(
    caplog: pytest.LogCaptureFixture,
) -> None:
    full = full_kspace()
    lines = acquisitions(full, n_averages=3)
    lines["data"][lines["head"]["idx"]["average"] == 1] *= 2
    noise = acquisitions(100 * full)[: len(NOT_OF_THE_IMAGE)]
    for row, number in zip(noise, NOT_OF_THE_IMAGE, strict=True):
        row["head"]["flags"] = 1 << (number - 1)
    other = acquisitions(100 * full)
    other["head"]["idx"]["contrast"] = 1
    kspace = ismrmrd_kspace("a.h5", group(np.concatenate([noise, lines, other])))
    np.testing.assert_allclose(kspace.data[..., 1:], full[..., 1:] * 4 / 3, rtol=1e-5)
    assert "k-space of 2 contrasts, only the first is reconstructed" in caplog.text


def noise_scan(mixture: np.ndarray, n_lines: int = 40, seed: int = 0) -> np.ndarray:
    """Lines of white noise of as many coils, mixed."""
    generator = np.random.default_rng(seed)
    white = generator.standard_normal((n_lines, len(mixture), N_Y, N_X, 2)).view(np.complex128)[..., 0]
    lines = acquisitions(np.einsum("ij,sjyx->siyx", mixture, white).astype(np.complex64))
    lines["head"]["flags"] = 1 << (NOISE - 1)
    return lines


def test_coils_are_combined_so_that_their_noise_is_white() -> None:
    mixture = np.array([[1, 0, 0], [0.8, 1, 0], [0.3j, 0, 3]])
    noise = noise_scan(mixture, n_lines=1, seed=1)
    noise["head"]["flags"] = 0  # measured as an image
    kspace = ismrmrd_kspace("a.h5", group(np.concatenate([noise_scan(mixture), noise])))
    coils = kspace.data[0, :, :, 1:].reshape(3, -1)
    covariance = coils @ coils.conj().T / coils.shape[1]
    level = np.trace(mixture @ mixture.conj().T).real / 3
    np.testing.assert_allclose(covariance / (2 * level), np.eye(3), atol=0.15)


def test_white_noise_changes_nothing_but_its_own_uncertainty() -> None:
    full = full_kspace()
    kspace = ismrmrd_kspace("a.h5", group(np.concatenate([noise_scan(5 * np.eye(3)), acquisitions(full)])))
    np.testing.assert_allclose(kspace.data[..., 1:], full[..., 1:], atol=0.05 * np.abs(full).max())


@pytest.mark.parametrize(
    ("scan", "told"),
    [
        (noise_scan(np.eye(2)), "its noise scan is of other coils"),
        (noise_scan(np.diag([1.0, 0.0, 1.0])), "its noise scan has nothing of coil 1"),
        (noise_scan(np.array([[1.0, 0, 0], [1.0, 0, 0], [0, 0, 1.0]])), "coils that received the same"),
        (noise_scan(np.eye(3))[:1], "its noise scan has 24 samples, and was not used; 3 coils need 30"),
    ],
)
def test_noise_scans_that_tell_nothing_are_told(scan: np.ndarray, told: str, caplog: pytest.LogCaptureFixture) -> None:
    full = full_kspace()
    kspace = ismrmrd_kspace("a.h5", group(np.concatenate([scan, acquisitions(full)])))
    np.testing.assert_allclose(kspace.data[..., 1:], full[..., 1:], rtol=1e-5)
    assert told in caplog.text


def test_lines_for_calibration_and_imaging_are_of_the_image() -> None:
    full = full_kspace()
    lines = acquisitions(full)
    lines["head"]["flags"] = (1 << 20) | (np.arange(len(lines)) % 2 << 19)
    np.testing.assert_allclose(ismrmrd_kspace("a.h5", group(lines)).data[..., 1:], full[..., 1:])


def with_fields(data: np.ndarray, **fields: Any) -> np.ndarray:
    """Add fields to the heads of acquisitions, as whole files have them."""
    extra = [(name, np.asarray(value).dtype, np.shape(value)[1:]) for name, value in fields.items()]
    found = np.zeros(len(data), [("head", [*HEAD.descr[:-1], ("idx", IDX), *extra]), ("data", object)])
    found["data"] = data["data"]
    for name in HEAD.names:
        found["head"][name] = data["head"][name]
    for name, value in fields.items():
        found["head"][name] = value
    return found


def test_of_two_encodings_the_first_of_the_image_is_taken(caplog: pytest.LogCaptureFixture) -> None:
    full = full_kspace()
    noise, lines, others = acquisitions(full)[:1], acquisitions(full), acquisitions(100 * full)
    noise["head"]["flags"] = 1 << 18
    data = np.concatenate([noise, lines, others])
    numbers = np.repeat([0, 1, 2], [len(noise), len(lines), len(others)])
    encoding = HEADER[HEADER.index("<encoding>") : HEADER.index("</ismrmrdHeader>")]
    header = HEADER.replace(encoding, encoding.replace("<x>24</x>", "<x>48</x>") + 2 * encoding)
    kspace = ismrmrd_kspace("a.h5", group(with_fields(data, encoding_space_ref=numbers), header))
    np.testing.assert_allclose(kspace.data[..., 1:], full[..., 1:])
    assert "k-space of 2 encodings, only the first is reconstructed" in caplog.text
    with pytest.raises(InputError, match="acquisitions of encoding 1, which the header does not tell"):
        ismrmrd_kspace("a.h5", group(with_fields(data, encoding_space_ref=numbers)))


def test_one_slice_of_a_stack_is_one_slice() -> None:
    full = full_kspace(n_slices=1)
    lines = acquisitions(full)
    lines["head"]["idx"]["slice"] = 3
    np.testing.assert_allclose(ismrmrd_kspace("a.h5", group(lines)).data[..., 1:], full[..., 1:])


def test_positions_of_slices_are_told_if_they_differ() -> None:
    lines = acquisitions(full_kspace())
    places = np.zeros((len(lines), 3), np.float32)
    assert "slice_positions" not in ismrmrd_kspace("a.h5", group(with_fields(lines, position=places))).attributes
    places[:] = [1, 2, 3]
    places[:, 2] += 5 * lines["head"]["idx"]["slice"]
    attributes = ismrmrd_kspace("a.h5", group(with_fields(lines, position=places))).attributes
    np.testing.assert_array_equal(attributes["slice_positions"], [[-1, -2, 3], [-1, -2, 8]])


def test_fields_of_view_are_told_if_they_are_positive_numbers() -> None:
    encoded = "<encodedSpace><fieldOfView_mm><x>48</x><y>60</y><z>4</z></fieldOfView_mm>"
    header = HEADER.replace("<encodedSpace>", encoded)
    lines = acquisitions(full_kspace())
    expected = OF_IMAGE | {"encoded_field_of_view": (48.0, 60.0)}
    assert ismrmrd_kspace("a.h5", group(lines, header)).attributes == expected
    assert ismrmrd_kspace("a.h5", group(lines, header.replace(">48<", ">0<"))).attributes == OF_IMAGE


def spoiled(field: str, value: int) -> np.ndarray:
    lines = acquisitions(full_kspace())
    (lines["head"]["idx"] if field in IDX.names else lines["head"])[field][:] = value
    return lines


def of_two_coil_numbers() -> np.ndarray:
    lines = acquisitions(full_kspace())
    lines["head"]["active_channels"][5] = 1
    return lines


def with_gap() -> np.ndarray:
    lines = acquisitions(full_kspace())
    lines["head"]["idx"]["slice"] *= 2
    return lines


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ({"other": 1}, "no kspace and no dataset in it, only other"),
        ({"dataset": {"xml": 1}}, "no dataset/data in it"),
        ({"dataset": group(spoiled("flags", 1 << 18))}, "none of 38 acquisitions is of an image"),
        ({"dataset": group(spoiled("kspace_encode_step_2", 3))}, r"two axes \(3D\)"),
        ({"dataset": group(spoiled("flags", 1 << 21))}, r"in reverse \(EPI\)"),
        ({"dataset": group(spoiled("kspace_encode_step_1", 30))}, r"beyond the encoded matrix \(line 31 of 20"),
        ({"dataset": group(spoiled("center_sample", 20))}, "beyond the encoded matrix"),
        ({"dataset": group(spoiled("number_of_samples", 20))}, "72 samples, its header tells 3 coils of 20; check"),
        ({"dataset": group(spoiled("flags", 1 << 52))}, "the samples are compressed"),
        ({"dataset": group(of_two_coil_numbers())}, "acquisitions of 1 and of 3 coils"),
        ({"dataset": group(with_gap())}, r"no lines of slice 1 \(of 0 to 2\)"),
        (
            {"dataset": group(spoiled("flags", 0), HEADER.replace(">60<", ">wide<"))},
            "no numbers as reconSpace/fi",
        ),
        ({"dataset": group(spoiled("flags", 0), HEADER.replace(">24</x><y>20", ">-1</x><y>20"))}, "matrixSize/x -1"),
        ({"dataset": group(spoiled("flags", 0), "<a")}, "the header is not XML"),
        ({"dataset": group(spoiled("flags", 0), "<a/>")}, "the header has no encoding"),
        ({"dataset": group(spoiled("flags", 0), HEADER.replace("cartesian", "spiral"))}, "the trajectory is spiral"),
        ({"dataset": group(spoiled("flags", 0), HEADER.replace("24", "a"))}, "no whole number encodedSpace/matrixS"),
    ],
)
def test_bad_h5_has_one_line(file: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        h5_kspace(Path("a.h5"), file, {})


def test_reads_real_h5_files(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    full = full_kspace()
    with h5py.File(tmp_path / "fastmri.h5", "w") as file:
        file["kspace"], file["ismrmrd_header"] = full, HEADER
        file.attrs["acquisition"] = "AXT2"
    kspace = read_kspace(tmp_path / "fastmri.h5")
    np.testing.assert_array_equal(kspace.data, full)
    assert kspace.attributes == {"acquisition": "AXT2"} | OF_IMAGE
    lines = acquisitions(full)
    dtype = np.dtype([("head", HEAD), ("data", h5py.vlen_dtype(np.float32))])
    with h5py.File(tmp_path / "ismrmrd.h5", "w") as file:
        file.create_dataset("dataset/xml", data=np.array([HEADER], object), dtype=h5py.string_dtype())
        file.create_dataset("dataset/data", data=lines.astype(dtype), dtype=dtype)
    np.testing.assert_allclose(read_kspace(tmp_path / "ismrmrd.h5").data[..., 1:], full[..., 1:])
    (tmp_path / "broken.h5").write_bytes(b"no file")
    with pytest.raises(InputError, match="cannot be read"):
        read_kspace(tmp_path / "broken.h5")


def test_pairs_come_from_a_list(tmp_path: Path) -> None:
    for name in "abcd":
        (tmp_path / f"{name}.h5").write_bytes(b"")
    (tmp_path / "pairs.csv").write_text("a,b.h5,0.4\n\nc, d\n")
    pairs = read_pairs(tmp_path / "pairs.csv", tmp_path)
    assert [(guide.name, target.name) for guide, target in pairs] == [("a.h5", "b.h5"), ("c.h5", "d.h5")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "no such list of pairs"),
        ("", "no pairs in it"),
        ("a\n", r"line 1 \(a\) has no two names"),
        ("a,b\na,x\n", "line 2 names x.h5, which .* does not hold"),
    ],
)
def test_bad_lists_have_one_line(tmp_path: Path, text: str | None, message: str) -> None:
    for name in "ab":
        (tmp_path / f"{name}.h5").write_bytes(b"")
    if text is not None:
        (tmp_path / "pairs.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        read_pairs(tmp_path / "pairs.csv", tmp_path)


def of_acquisition(name: str, n_slices: int) -> Kspace:
    mask = np.ones((n_slices, 1, 1, N_X), bool)
    return Kspace(full_kspace(n_slices, 1), mask, {"acquisition": name})


def test_pairs_have_the_slices_of_both() -> None:
    guide, target = paired_slices(of_acquisition("CORPD_FBK", 4), of_acquisition("CORPDFS_FBK", 3), "pair")
    assert len(guide.data) == len(guide.mask) == len(target.data) == 3
    with pytest.raises(InputError, match="swapped"):
        paired_slices(target, guide, "pair")
    with pytest.raises(InputError, match="both are CORPD_FBK"):
        paired_slices(guide, guide, "pair")


def test_real_coils_give_a_head(tmp_path: Path) -> None:
    """Most of the energy lies within the middle, and the corners are dark."""
    if not REAL.exists():
        pytest.skip(f"no data {REAL}")
    raw = np.load(REAL)[None]
    kspace = read_kspace(npz(tmp_path, kspace=raw, mask=raw.any((0, 1))))
    assert kspace.data.shape == (1, 8, 230, 180)
    assert kspace.sampled_fraction == pytest.approx(0.124, abs=0.001)
    image = zero_filled_image(torch.from_numpy(kspace.data[0]))[0]
    middle, corner = image[70:160, 50:130].mean(), image[:30, :30].mean()
    assert middle > 3 * corner
