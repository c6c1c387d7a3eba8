"""Tests of datasets.volumes, datasets.readers and datasets.input_error."""

import gzip
import os
import pickle
import re
from pathlib import Path

import itk
import nibabel as nib
import numpy as np
import pydicom
import pytest
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

from mri_attention.datasets.input_error import InputError
from mri_attention.datasets.volumes import header_of, read_volume, write_volume

REAL = Path(__file__).parents[3] / "shared" / "data"
OBLIQUE = np.array([[-0.9, 0.05, 0.2, 80], [0.1, 1.1, -0.3, -90], [0.02, 0.3, 2.9, -40], [0, 0, 0, 1.0]])


def noise(shape: tuple[int, ...] = (6, 5, 4)) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def save(path: Path, data: np.ndarray, affine: np.ndarray | None = None) -> Path:
    nib.save(nib.Nifti1Image(data, np.eye(4) if affine is None else affine), path)
    return path


def save_dicom(folder: Path, volume: np.ndarray, series: str = "1.2.3.5") -> Path:
    """Write ``volume`` (slice, row, column), voxels 0.75 x 1.5 x 2 mm, file names against the slice order."""
    folder.mkdir(exist_ok=True)
    for k, pixels in enumerate(volume):
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID = MRImageStorage, ExplicitVRLittleEndian
        meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[series, str(k)])
        image = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
        image.SOPClassUID, image.SOPInstanceUID = MRImageStorage, meta.MediaStorageSOPInstanceUID
        image.StudyInstanceUID, image.SeriesInstanceUID, image.Modality = "1.2.3", series, "MR"
        image.FrameOfReferenceUID, image.InstanceNumber, image.PatientID = "1.2.4", k + 1, "phantom"
        image.ImagePositionPatient, image.ImageOrientationPatient = [-10, -20, 5 + 2 * k], [1, 0, 0, 0, 1, 0]
        image.PixelSpacing, image.SliceThickness = [1.5, 0.75], 2
        image.Rows, image.Columns = pixels.shape
        image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
        image.BitsAllocated, image.BitsStored, image.HighBit, image.PixelRepresentation = 16, 16, 15, 0
        image.PixelData = pixels.astype("<u2").tobytes()
        pydicom.dcmwrite(folder / f"{series}_{len(volume) - k}.dcm", image, enforce_file_format=True)
    return folder


def test_reads_nifti_with_its_affine(tmp_path: Path) -> None:
    volume = read_volume(save(tmp_path / "a.nii.gz", noise(), OBLIQUE))
    np.testing.assert_array_equal(volume[0].numpy(), noise())
    np.testing.assert_allclose(volume.affine.numpy(), OBLIQUE, rtol=1e-6)


def test_applies_the_scaling_of_the_header(tmp_path: Path) -> None:
    image = nib.Nifti1Image(np.arange(60, dtype=np.int16).reshape(5, 4, 3), np.eye(4))
    image.header.set_slope_inter(0.5, 3)
    nib.save(image, tmp_path / "a.nii")
    stored = nib.load(tmp_path / "a.nii").get_fdata()
    np.testing.assert_allclose(read_volume(tmp_path / "a.nii")[0].numpy(), stored)


@pytest.mark.parametrize(("unit", "factor"), [("mm", 1), ("meter", 1000), ("micron", 0.001)])
def test_affine_is_in_millimeters_whatever_the_unit(tmp_path: Path, unit: str, factor: float) -> None:
    image = nib.Nifti1Image(noise(), np.diag([1 / factor, 2 / factor, 3 / factor, 1]))
    image.header.set_xyzt_units(unit)
    nib.save(image, tmp_path / "a.nii.gz")
    np.testing.assert_allclose(read_volume(tmp_path / "a.nii.gz").affine.numpy(), np.diag([1, 2, 3, 1]), rtol=1e-6)


@pytest.mark.parametrize("shape", [(6, 5, 4, 1), (6, 5, 4, 1, 1)])
def test_squeezes_a_single_frame(tmp_path: Path, shape: tuple[int, ...]) -> None:
    assert read_volume(save(tmp_path / "a.nii.gz", noise(shape))).shape == (1, 6, 5, 4)


@pytest.mark.parametrize("shape", [(6, 5), (6, 5, 1)])
def test_reads_a_slice_if_asked_to(tmp_path: Path, shape: tuple[int, ...]) -> None:
    path = save(tmp_path / "a.nii.gz", noise(shape))
    assert read_volume(path, allow_2d=True).shape == (1, 6, 5, 1)


def test_reads_a_dicom_series_in_slice_order_and_ras(tmp_path: Path) -> None:
    slices = np.arange(5 * 6 * 7).reshape(5, 6, 7)
    volume = read_volume(save_dicom(tmp_path / "series", slices))
    np.testing.assert_array_equal(volume[0].numpy(), slices.T)
    expected = [[-0.75, 0, 0, 10], [0, -1.5, 0, 20], [0, 0, 2, 5], [0, 0, 0, 1]]
    np.testing.assert_array_equal(volume.affine.numpy(), expected)


@pytest.mark.parametrize("extension", ["nrrd", "mha", "mgz"])
def test_other_formats_agree_with_nifti(tmp_path: Path, extension: str) -> None:
    expected = read_volume(save(tmp_path / "a.nii.gz", noise(), np.diag([-1, -1.5, 2, 1])))
    if extension == "mgz":
        nib.save(nib.MGHImage(noise(), np.diag([-1, -1.5, 2, 1])), tmp_path / "a.mgz")
    else:
        image = itk.image_from_array(np.ascontiguousarray(noise().T))
        image.SetSpacing([1, 1.5, 2])
        itk.imwrite(image, str(tmp_path / f"a.{extension}"))
    volume = read_volume(tmp_path / f"a.{extension}")
    np.testing.assert_array_equal(volume.numpy(), expected.numpy())
    np.testing.assert_allclose(volume.affine.numpy(), expected.affine.numpy(), atol=1e-6)


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_volume(tmp_path / "a.nii.gz")


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.mha", "a"])
def test_empty_file_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    with pytest.raises(InputError, match="empty"):
        read_volume(tmp_path / name)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.mgz", "a.nrrd", "a.mha", "a.dcm", "a.txt"])
def test_what_is_no_image_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"version https://git-lfs.github.com/spec/v1\n" * 20)
    with pytest.raises(InputError, match="cannot be read as an image"):
        read_volume(tmp_path / name)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.mgz"])
@pytest.mark.parametrize("kept", [0.5, 0.99])
def test_truncated_file_is_refused(tmp_path: Path, name: str, kept: float) -> None:
    image = nib.MGHImage if name.endswith("mgz") else nib.Nifti1Image
    path = tmp_path / name
    nib.save(image(noise((20, 20, 20)), np.eye(4)), path)
    os.truncate(path, int(kept * path.stat().st_size))
    with pytest.raises(InputError, match=r"truncated or damaged.*again"):
        read_volume(path)


def test_flipped_bit_is_found_by_the_checksum(tmp_path: Path) -> None:
    path = tmp_path / "a.nii.gz"
    nib.save(nib.Nifti1Image(noise((20, 20, 20)), np.eye(4)), tmp_path / "a.nii")
    content = bytearray(gzip.compress((tmp_path / "a.nii").read_bytes(), 0))
    content[-20] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match="CRC"):
        read_volume(path)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_header_that_asks_for_more_than_the_file_is_refused_before_loading(tmp_path: Path, name: str) -> None:
    path = save(tmp_path / "a.nii", noise())
    content = bytearray(path.read_bytes())
    content[42:48] = np.array([1000, 1000, 1000], dtype=np.int16).tobytes()
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    with pytest.raises(InputError, match="asks for 4000000352"):
        read_volume(tmp_path / name)


@pytest.mark.parametrize("dimension", [32767, -5, 0])
def test_absurd_dimensions_are_refused(tmp_path: Path, dimension: int) -> None:
    path = save(tmp_path / "a.nii", noise())
    content = bytearray(path.read_bytes())
    content[42:48] = np.array([dimension] * 3, dtype=np.int16).tobytes()
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"absurd|cannot be read"):
        read_volume(path)


def test_absurd_dimensions_are_refused_before_itk_allocates(tmp_path: Path) -> None:
    header = "NRRD0004\ntype: float\ndimension: 3\nsizes: 90000 90000 90000\nencoding: raw\nendian: little\n\n"
    (tmp_path / "a.nrrd").write_text(header)
    with pytest.raises(InputError, match="absurd"):
        read_volume(tmp_path / "a.nrrd")


@pytest.mark.parametrize(("shape", "axis"), [((6, 5, 4, 2), 3), ((6, 5, 4, 1, 3), 4)])
def test_several_frames_are_refused_with_their_axis(tmp_path: Path, shape: tuple[int, ...], axis: int) -> None:
    with pytest.raises(InputError, match=rf"{shape[-1]} frames on axis {axis}"):
        read_volume(save(tmp_path / "a.nii.gz", noise(shape)))


@pytest.mark.parametrize("shape", [(6, 5), (6, 5, 1), (1, 6, 5)])
def test_slice_is_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="2D image"):
        read_volume(save(tmp_path / "a.nii.gz", noise(shape)))


def test_complex_voxels_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="complex voxels"):
        read_volume(save(tmp_path / "a.nii.gz", noise().astype(np.complex64)))


def test_color_voxels_are_refused(tmp_path: Path) -> None:
    rgb = np.zeros((6, 5, 4), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    with pytest.raises(InputError, match="color or compound voxels"):
        read_volume(save(tmp_path / "a.nii.gz", rgb))


def test_vector_voxels_are_refused_by_itk_too(tmp_path: Path) -> None:
    itk.imwrite(itk.image_from_array(noise((4, 5, 6, 3)), is_vector=True), str(tmp_path / "a.nrrd"))
    with pytest.raises(InputError, match="3 values per voxel"):
        read_volume(tmp_path / "a.nrrd")


@pytest.mark.parametrize(("value", "said"), [(0, "all voxels are zero"), (7, "all voxels have the value 7")])
def test_constant_image_is_refused_unless_allowed(tmp_path: Path, value: int, said: str) -> None:
    path = save(tmp_path / "a.nii.gz", np.full((6, 5, 4), value, dtype=np.int16))
    with pytest.raises(InputError, match=said):
        read_volume(path)
    assert (read_volume(path, allow_constant=True) == value).all()


def test_nan_and_inf_are_counted_and_refused_or_replaced(tmp_path: Path) -> None:
    data = noise()
    data[0, 0, :3], data[1, 1, 1] = np.nan, -np.inf
    path = save(tmp_path / "a.nii.gz", data)
    with pytest.raises(InputError, match=r"3 NaN and 1 Inf among 120 voxels.*set `allow_nan` to true"):
        read_volume(path)
    np.testing.assert_array_equal(read_volume(path, allow_nan=True)[0].numpy(), np.nan_to_num(data, neginf=0))


def test_values_beyond_float32_count_as_inf(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="120 Inf"):
        read_volume(save(tmp_path / "a.nii.gz", np.full((6, 5, 4), 1e300)))


@pytest.mark.parametrize(
    ("srow_y", "said"),
    [
        ((np.nan, 1, 0, 0), "not finite"),
        ((0, np.inf, 0, 0), "not finite"),
        ((0, 0, 0, 0), "voxel size"),
        ((0, 1e9, 0, 0), "voxel size"),
    ],
)
def test_impossible_affine_is_refused(tmp_path: Path, srow_y: tuple[float, ...], said: str) -> None:
    path = save(tmp_path / "a.nii", noise())
    content = bytearray(path.read_bytes())
    content[296:312] = np.array(srow_y, dtype=np.float32).tobytes()
    path.write_bytes(content)
    with pytest.raises(InputError, match=said):
        read_volume(path)


def test_singular_affine_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii", noise())
    content = bytearray(path.read_bytes())
    content[280:328] = np.array([1, 1, 0, 0] * 2 + [0, 0, 1, 0], dtype=np.float32).tobytes()
    path.write_bytes(content)
    with pytest.raises(InputError, match="singular"):
        read_volume(path)


def test_dicom_folder_without_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no DICOMs"):
        read_volume(tmp_path)


def test_two_dicom_series_in_a_folder_are_refused(tmp_path: Path) -> None:
    for series in ("1.2.3.5", "1.2.3.6"):
        save_dicom(tmp_path / "both", np.arange(5 * 6 * 7).reshape(5, 6, 7), series)
    with pytest.raises(InputError, match="more than one DICOM series"):
        read_volume(tmp_path / "both")


def test_missing_dicom_slice_is_noticed(tmp_path: Path) -> None:
    folder = save_dicom(tmp_path / "series", np.arange(5 * 6 * 7).reshape(5, 6, 7))
    (folder / "1.2.3.5_3.dcm").unlink()
    with pytest.raises(InputError, match="a slice seems to be missing"):
        read_volume(folder)


def test_reading_bad_input_prints_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.nrrd").write_text("NRRD0004\n")
    for path in (tmp_path, tmp_path / "a.nrrd"):
        with pytest.raises(InputError):
            read_volume(path)
    assert capfd.readouterr() == ("", "")


def test_error_is_one_line_and_survives_another_process() -> None:
    error = InputError.at("a.nii", "two\nlines", "one remedy")
    assert str(error) == "a.nii: two lines; one remedy"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    assert str(type(error)(str(error))) == str(error)


@pytest.mark.parametrize("codes", [(1, 0), (0, 2), (2, 1), (1, 4), (0, 0)])
def test_geometry_survives_bit_by_bit(tmp_path: Path, codes: tuple[int, int]) -> None:
    image = nib.Nifti1Image(noise(), None)
    rigid = np.linalg.qr(OBLIQUE[:3, :3])[0] * [0.8, 0.9, 3.1]
    affine = np.block([[rigid, OBLIQUE[:3, 3:]], [np.zeros(3), 1]])
    image.set_qform(affine, codes[0])
    image.set_sform(affine, codes[1])
    nib.save(image, tmp_path / "in.nii.gz")
    volume = read_volume(tmp_path / "in.nii.gz")
    write_volume(tmp_path / "out.nii.gz", volume, volume.affine, header=header_of(volume))
    before, after = nib.load(tmp_path / "in.nii.gz"), nib.load(tmp_path / "out.nii.gz")
    np.testing.assert_array_equal(after.affine, volume.affine.numpy())
    np.testing.assert_allclose(after.affine, before.affine, rtol=1e-6 if codes == (0, 0) else 0)
    assert (int(after.header["qform_code"]), int(after.header["sform_code"])) == codes
    np.testing.assert_array_equal(after.header["pixdim"][1:4], before.header["pixdim"][1:4])
    assert after.header.get_xyzt_units()[0] == "mm"


def test_another_affine_sets_both_forms_with_the_codes_of_the_reference(tmp_path: Path) -> None:
    image = nib.Nifti1Image(noise(), np.eye(4))
    image.set_qform(np.eye(4), 1)
    image.set_sform(np.eye(4), 4)
    nib.save(image, tmp_path / "in.nii.gz")
    finer = np.diag([0.5, 0.5, 0.5, 1])
    header = header_of(read_volume(tmp_path / "in.nii.gz"))
    out = nib.load(write_volume(tmp_path / "out.nii.gz", noise((12, 10, 8)), finer, header=header))
    for form, code in (out.get_qform(coded=True), out.get_sform(coded=True)):
        np.testing.assert_allclose(form, finer)
        assert code in (1, 4)


def test_itk_reads_what_is_written(tmp_path: Path) -> None:
    volume = read_volume(save_dicom(tmp_path / "series", np.arange(5 * 6 * 7).reshape(5, 6, 7)))
    path = write_volume(tmp_path / "out.nii.gz", volume, volume.affine, header=header_of(volume))
    image = itk.imread(str(path))
    np.testing.assert_allclose([*image.GetSpacing(), *image.GetOrigin()], [0.75, 1.5, 2, -10, -20, 5])


@pytest.mark.parametrize(("dtype", "expected"), [("uint8", [0, 1, 2, 255]), ("float32", [0.2, 0.9, 1.6, 255.4])])
def test_dtype_is_as_told_and_integers_are_rounded(tmp_path: Path, dtype: str, expected: list[float]) -> None:
    data = np.array([0.2, 0.9, 1.6, 255.4 if dtype == "float32" else 255], dtype=np.float32).reshape(1, 2, 2)
    image = nib.load(write_volume(tmp_path / "a.nii.gz", data, np.eye(4), dtype=dtype))
    assert image.get_data_dtype() == dtype
    np.testing.assert_array_equal(np.asarray(image.dataobj).ravel(), np.array(expected, dtype=dtype))


def test_same_volume_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = (write_volume(tmp_path / n / "a.nii.gz", noise(), OBLIQUE) for n in ("x", "y"))
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize("shape", [(6, 5), (2, 6, 5, 4)])
def test_what_is_no_volume_is_not_written(tmp_path: Path, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="must have shape"):
        write_volume(tmp_path / "a.nii.gz", noise(shape), np.eye(4))


@pytest.mark.parametrize("value", [-1, 256, np.nan])
def test_what_does_not_fit_into_the_dtype_is_not_written(tmp_path: Path, value: float) -> None:
    with pytest.raises(ValueError, match="do not fit into uint8"):
        write_volume(tmp_path / "a.nii.gz", np.full((2, 2, 2), value), np.eye(4), dtype="uint8")


def test_source_is_not_overwritten(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii.gz", noise())
    content = path.read_bytes()
    with pytest.raises(InputError, match="overwrite an input file"):
        write_volume(tmp_path / "x" / ".." / "a.nii.gz", noise(), np.eye(4), sources=[path])
    assert path.read_bytes() == content


def test_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be written"):
        write_volume(tmp_path / "file" / "folder" / "a.nii.gz", noise(), np.eye(4))


def test_failed_writing_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_volume(tmp_path / "a.nii.gz", noise(), np.eye(4))
    content = path.read_bytes()

    def disk_full(image: nib.Nifti1Image, file: Path) -> None:
        file.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(nib, "save", disk_full)
    with pytest.raises(InputError, match="No space left"):
        write_volume(path, noise() + 1, np.eye(4))
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(not REAL.exists(), reason="needs the shared data")
def test_real_4d_image_with_nan_is_refused() -> None:
    with pytest.raises(InputError, match="2 frames on axis 3"):
        read_volume(REAL / "odd" / "phase_4d_with_nan.nii")


@pytest.mark.skipif(not REAL.exists(), reason="needs the shared data")
@pytest.mark.parametrize(
    "name",
    ["labels_PIR_orientation_uint8.nii.gz", "mask_float32_swapped_axes.nii.gz", "tiny_11cube_int16.nii"],
)
def test_real_odd_geometry_survives_bit_by_bit(tmp_path: Path, name: str) -> None:
    volume = read_volume(REAL / "odd" / name)
    write_volume(tmp_path / "a.nii.gz", volume, volume.affine, header=header_of(volume))
    expected = nib.load(REAL / "odd" / name)
    np.testing.assert_array_equal(nib.load(tmp_path / "a.nii.gz").affine, expected.affine)


def test_a_qform_that_is_no_rotation_does_not_matter_beside_an_sform(tmp_path: Path) -> None:
    image = nib.Nifti1Image(noise(), OBLIQUE)
    image.set_sform(OBLIQUE, 1)
    for field in ("quatern_b", "quatern_c"):
        image.header[field] = 0.9
    image.header["qform_code"] = 1
    nib.save(image, tmp_path / "a.nii.gz")
    np.testing.assert_allclose(read_volume(tmp_path / "a.nii.gz").affine.numpy(), OBLIQUE, rtol=1e-6)


@pytest.mark.parametrize(
    ("codes", "shift", "said"),
    [
        ((1, 1), 20.0, r"lie up to 20\.0 mm apart, and the sform is used"),
        ((1, 1), 0.5, None),
        ((0, 1), 20.0, None),
        ((1, 0), 20.0, None),
        ((0, 0), 0.0, "tells no orientation"),
    ],
    ids=["apart", "rounding", "sform alone", "qform alone", "neither"],
)
def test_headers_that_do_not_know_where_the_image_lies_are_told(
    codes: tuple[int, int], shift: float, said: str | None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    image = nib.Nifti1Image(np.random.default_rng(0).random((5, 6, 7), dtype=np.float32), np.eye(4))
    moved = np.eye(4)
    moved[0, 3] = shift
    image.set_sform(np.eye(4), codes[1])
    image.set_qform(moved, codes[0])
    nib.save(image, tmp_path / "a.nii.gz")
    with caplog.at_level("WARNING"):
        read_volume(tmp_path / "a.nii.gz")
    assert bool(caplog.text) == (said is not None)
    if said is not None:
        assert re.search(rf"a\.nii\.gz: .*{said}", caplog.text)
