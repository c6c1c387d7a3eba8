"""Tests of datasets.dicom, datasets.dicom_frames and datasets.dicom_stack."""

from __future__ import annotations

import locale
import logging
import os
import sys
from pathlib import Path

import itk
import numpy as np
import pydicom
import pytest
import SimpleITK
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    GrayscaleSoftcopyPresentationStateStorage,
    ImplicitVRLittleEndian,
    RLELossless,
)
from scipy.spatial.transform import Rotation

from mri_attention.datasets import InputError, read_volume

from .dicom_files import (
    SHAPE,
    directions,
    group,
    image,
    multi_frame,
    pixels,
    places,
    save,
    save_series,
    slices,
)

LPS_TO_RAS = np.diag([-1.0, -1, 1])
SAGITTAL = np.array([[0.0, 0, -1], [1, 0, 0], [0, -1, 0]])  # columns to posterior, rows to the feet
CORONAL = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
GEOMETRIES = {
    "axial": (None, 0.9, None),
    "reversed numbers": (None, 1.2, None),
    "sagittal": (SAGITTAL, 1.2, None),
    "coronal": (CORONAL, 3.3, None),
    "tilted": (Rotation.from_euler("x", 17, degrees=True).as_matrix(), 6.0, None),
    "tilted, 6 decimals": (Rotation.from_euler("x", -8, degrees=True).as_matrix(), 0.9, 6),
    "oblique": (Rotation.from_euler("y", 25, degrees=True).as_matrix(), 3.3, 5),
    "double oblique": (Rotation.from_euler("xy", [12, -31], degrees=True).as_matrix(), 1.2, 4),
    "oblique sagittal": (Rotation.from_euler("zx", [5, 3], degrees=True).as_matrix() @ SAGITTAL, 0.9, 4),
    "oblique coronal": (Rotation.from_euler("xz", [-20, 7], degrees=True).as_matrix() @ CORONAL, 6.0, 4),
}


@pytest.mark.parametrize("name", GEOMETRIES)
def test_every_voxel_lies_where_the_standard_says(tmp_path: Path, name: str) -> None:
    """PS3.3 C.7.6.2.1.1: position + column * spacing * first direction + row * spacing * second direction."""
    rotation, spacing, decimals = GEOMETRIES[name]
    axes = directions(rotation)
    positions = places(8, axes, spacing, decimals)
    images = slices(positions, axes if decimals is None else axes.round(decimals))
    if name == "reversed numbers":
        for number, one in enumerate(images):
            one.InstanceNumber = 8 - number
    volume = read_volume(save_series(tmp_path / "series", images))
    assert volume.shape == (1, 20, 24, 8)
    for number, (position, stored) in enumerate(zip(positions, pixels(), strict=True)):
        np.testing.assert_array_equal(volume[0, :, :, number].numpy(), stored.T)
        for row, column in ((0, 0), (23, 0), (0, 19), (11, 7)):
            point = np.array(position) + 0.75 * column * axes[0] + 1.5 * row * axes[1]
            found = volume.affine.numpy() @ [column, row, number, 1]
            np.testing.assert_allclose(found[:3], LPS_TO_RAS @ point, atol=10.0 ** -(decimals or 5) * 30)


@pytest.mark.parametrize("name", ["axial", "sagittal", "double oblique"])
def test_frames_of_one_file_are_read_as_files_are(tmp_path: Path, name: str) -> None:
    positions = places(8, directions(), GEOMETRIES[name][1])
    expected = read_volume(save_series(tmp_path / "series", slices(positions)))
    order = np.random.default_rng(1).permutation(8)
    mixed = multi_frame([positions[index] for index in order], pixels()[order])
    path = save(mixed, tmp_path / "enhanced" / "E.dcm")
    for volume in (read_volume(path), read_volume(path.parent)):
        np.testing.assert_array_equal(volume.numpy(), expected.numpy())
        np.testing.assert_array_equal(volume.affine.numpy(), expected.affine.numpy())


def test_order_of_files_does_not_matter(tmp_path: Path) -> None:
    images = slices(places(8, directions(), 0.9))
    expected = read_volume(save_series(tmp_path / "forward", images))
    volume = read_volume(save_series(tmp_path / "backward", images[::-1]))
    np.testing.assert_array_equal(volume.numpy(), expected.numpy())
    np.testing.assert_array_equal(volume.affine.numpy(), expected.affine.numpy())


def test_small_differences_of_distances_are_read_and_large_ones_refused(tmp_path: Path) -> None:
    positions = np.array(places(8, directions(), 3.0))
    positions[3, 2] += 0.1
    assert read_volume(save_series(tmp_path / "small", slices(positions.tolist()))).shape[-1] == 8
    positions[3, 2] += 0.4
    with pytest.raises(InputError, match=r"distances between DICOM slices differ by up to 1 mm, from 2.5 to 3.5 mm"):
        read_volume(save_series(tmp_path / "large", slices(positions.tolist())))


@pytest.mark.parametrize("missing", range(1, 7))
def test_missing_slice_is_noticed_wherever_it_is(tmp_path: Path, missing: int) -> None:
    images = slices(places(8, directions(), 0.9))
    del images[missing]
    with pytest.raises(InputError, match=r"from 0.9 to 1.8 mm; .* a slice seems to be missing"):
        read_volume(save_series(tmp_path / "series", images))


def test_shifted_slices_have_a_leaning_affine_and_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    positions = np.array(places(8, directions(), 2.0)) + np.outer(np.arange(8), [0, 0.5, 0])
    with caplog.at_level(logging.WARNING):
        volume = read_volume(save_series(tmp_path / "series", slices(positions.tolist())))
    np.testing.assert_allclose(volume.affine.numpy()[:3, 2], [0, -0.5, 2], atol=1e-6)
    assert "the stack leans by 14 degrees" in caplog.text


def test_slices_aside_are_refused(tmp_path: Path) -> None:
    positions = np.array(places(8, directions(), 2.0))
    positions[4, 0] += 5
    with pytest.raises(InputError, match="do not lie behind each other, but up to 5 mm aside"):
        read_volume(save_series(tmp_path / "series", slices(positions.tolist())))


@pytest.mark.parametrize(
    ("keyword", "lost"),
    [("ImagePositionPatient", "order"), ("ImageOrientationPatient", "order"), ("PixelSpacing", "size of voxels")],
)
@pytest.mark.parametrize("n", [1, 8])
def test_lost_geometry_is_refused(tmp_path: Path, keyword: str, lost: str, n: int) -> None:
    images = slices(places(8, directions(), 2.0))
    for one in images[:n]:
        delattr(one, keyword)
    where = "" if n == 8 else r" in 1 of 8 images, as IM0000\.dcm"
    with pytest.raises(InputError, match=rf"no {keyword}{where}: .*{lost}.* unknown; export the series again"):
        read_volume(save_series(tmp_path / "series", images))


def test_directions_that_are_none_are_refused(tmp_path: Path) -> None:
    axes = np.array([[1.0, 0, 0], [1, 0, 0], [0, 0, 1]])
    images = slices(places(8, directions(), 2.0), axes)
    with pytest.raises(InputError, match="not of two perpendicular unit vectors"):
        read_volume(save_series(tmp_path / "series", images))


@pytest.mark.parametrize(
    ("tags", "told"),
    [
        ([{"EchoTime": 20}, {"EchoTime": 80}], r"two images at each position \(echo times 20, 80 ms\)"),
        ([{"TemporalPositionIdentifier": k} for k in range(1, 7)], r"six images .* \(time points 1, 2, 3, 4, \.\.\.\)"),
        ([{"ImageType": ["ORIGINAL", kind]} for kind in "MP"], r"two images .*\(image types ORIGINAL/M, ORIGINAL/P\)"),
        ([{"SOPInstanceUID": "1.2.9"}] * 2, r"copies of the same file, IM0000\.dcm and IM0003\.dcm"),
        ([{"Manufacturer": name} for name in "AB"], "two images at each position;"),
    ],
)
def test_several_images_at_a_position_are_told(tmp_path: Path, tags: list[dict[str, object]], told: str) -> None:
    positions = places(3, directions(), 2.0)
    with pytest.raises(InputError, match=told):
        read_volume(save_series(tmp_path / "series", [one for each in tags for one in slices(positions, **each)]))


def test_one_repeated_position_is_told(tmp_path: Path) -> None:
    positions = places(3, directions(), 2.0)
    images = slices([*positions, positions[1]])
    with pytest.raises(InputError, match="one to two images at each position"):
        read_volume(save_series(tmp_path / "series", images))


@pytest.mark.parametrize(
    ("name", "keyword", "values", "told"),
    [
        ("MREchoSequence", "EffectiveEchoTime", (10.0, 20.0), r"echo times 10, 20 ms"),
        ("MRDiffusionSequence", "DiffusionBValue", (0.0, 1000.0), r"b-values 0, 1000"),
        ("MRImageFrameTypeSequence", "ComplexImageComponent", ("MAGNITUDE", "PHASE"), "MAGNITUDE, PHASE"),
        ("FrameContentSequence", "TemporalPositionIndex", (1, 2), "time points 1, 2"),
    ],
)
def test_several_frames_at_a_position_are_told(
    tmp_path: Path, name: str, keyword: str, values: tuple[object, ...], told: str
) -> None:
    more = [group(name, **{keyword: value}) for value in values for _ in range(8)]
    path = save(multi_frame(2 * places(8, directions(), 2.0), np.tile(pixels(), (2, 1, 1)), more), tmp_path / "E.dcm")
    with pytest.raises(InputError, match=rf"two images at each position \({told}\)"):
        read_volume(path)


def test_missing_frame_is_noticed(tmp_path: Path) -> None:
    positions = places(8, directions(), 2.0)
    del positions[4]
    with pytest.raises(InputError, match="a slice seems to be missing"):
        read_volume(save(multi_frame(positions, pixels()[:7]), tmp_path / "E.dcm"))


def test_frames_without_their_own_position_are_refused(tmp_path: Path) -> None:
    enhanced = multi_frame(places(8, directions(), 2.0), pixels())
    del enhanced.PerFrameFunctionalGroupsSequence[7]
    with pytest.raises(InputError, match=r"E\.dcm: 8 frames, but the places of 7: order and spacing of slices are"):
        read_volume(save(enhanced, tmp_path / "E.dcm"))
    del enhanced.PerFrameFunctionalGroupsSequence
    with pytest.raises(InputError, match=r"8 frames, but the places of 0"):
        read_volume(save(enhanced, tmp_path / "E.dcm"))


def test_frame_without_position_is_named(tmp_path: Path) -> None:
    enhanced = multi_frame(places(8, directions(), 2.0), pixels())
    del enhanced.PerFrameFunctionalGroupsSequence[7].PlanePositionSequence
    with pytest.raises(InputError, match=r"no ImagePositionPatient in 1 of 8 images, as frame 8 of E\.dcm"):
        read_volume(save(enhanced, tmp_path / "E.dcm"))


def test_frames_are_rescaled_each_by_its_own_slope(tmp_path: Path) -> None:
    slopes = np.linspace(0.5, 2, 8)
    more = [group("PixelValueTransformationSequence", RescaleSlope=float(s), RescaleIntercept=3) for s in slopes]
    volume = read_volume(save(multi_frame(places(8, directions(), 2.0), pixels(), more), tmp_path / "E.dcm"))
    np.testing.assert_allclose(volume[0].numpy(), (pixels() * slopes[:, None, None] + 3).T, rtol=1e-6, atol=1e-3)


def test_files_are_rescaled_each_by_its_own_slope(tmp_path: Path) -> None:
    images, slopes = slices(places(8, directions(), 2.0)), [1.0, *np.linspace(0.5, 2, 7)]
    for one, slope in zip(images, slopes, strict=True):
        one.RescaleSlope, one.RescaleIntercept = f"{slope:g}"[:16], -100
    volume = read_volume(save_series(tmp_path / "series", images))
    expected = (pixels() * np.array([float(f"{s:g}") for s in slopes])[:, None, None] - 100).T
    np.testing.assert_allclose(volume[0].numpy(), expected, rtol=1e-6, atol=1e-3)


def test_inverted_gray_values_are_turned(tmp_path: Path) -> None:
    stored = pixels().astype("<u2")
    images = slices(places(8, directions(), 2.0), volume=stored, PhotometricInterpretation="MONOCHROME1")
    volume = read_volume(save_series(tmp_path / "series", images))
    np.testing.assert_array_equal(volume[0].numpy(), (65535 - stored.astype(int)).T)


def test_mosaic_is_refused_with_its_remedy(tmp_path: Path) -> None:
    images = slices(places(8, directions(), 2.0), ImageType=["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"])
    with pytest.raises(InputError, match=r"a Siemens mosaic, all slices in one picture; convert .* dcm2niix"):
        read_volume(save_series(tmp_path / "series", images))


def test_several_series_are_named(tmp_path: Path) -> None:
    for number, uid in ((3, "1.2.3.5"), (4, "1.2.3.6")):
        tags = {"SeriesInstanceUID": uid, "SeriesNumber": number, "SeriesDescription": "T1"}
        for one in slices(places(8, directions(), 2.0), **tags):
            save(one, tmp_path / "both" / f"{number}_{one.InstanceNumber}.dcm")
    with pytest.raises(InputError, match=r"more than one DICOM series in this folder \(3 T1, 4 T1\)"):
        read_volume(tmp_path / "both")


def test_localizers_are_refused(tmp_path: Path) -> None:
    images = slices(places(3, directions(), 5.0)) + slices(places(3, directions(), 5.0), directions(SAGITTAL))
    with pytest.raises(InputError, match=r"several orientations \(localizers\?\): 3 of 6 differ"):
        read_volume(save_series(tmp_path / "series", images))


def test_images_of_several_sizes_are_refused(tmp_path: Path) -> None:
    images = slices(places(3, directions(), 5.0))
    images.append(slices([[0, 0, 0]], volume=pixels((1, 16, 16)))[0])
    with pytest.raises(InputError, match=r"several sizes \(16 x 16, 20 x 24\)"):
        read_volume(save_series(tmp_path / "series", images))


@pytest.mark.parametrize(
    "tags", [{"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB"}, {"PhotometricInterpretation": "PALETTE COLOR"}]
)
def test_colors_are_refused(tmp_path: Path, tags: dict[str, object]) -> None:
    with pytest.raises(InputError, match="3 values per voxel"):
        read_volume(save_series(tmp_path / "series", slices(places(3, directions(), 5.0), **tags)))


def test_what_else_lies_in_a_folder_is_passed_by(tmp_path: Path) -> None:
    images = slices(places(8, directions(), 2.0))
    expected = read_volume(save_series(tmp_path / "series", images))
    folder = save_series(tmp_path / "full", images)
    for number, one in enumerate(images):  # without the usual suffix
        (folder / f"IM{number:04d}.dcm").rename(folder / f"{one.InstanceNumber:08d}")
    (folder / "._IM0000.dcm").write_bytes(b"\0\x05\x16\x07" + bytes(200))
    (folder / ".DS_Store").write_bytes(bytes(6000))
    (folder / "notes.txt").write_text("measured on Monday")
    state = image(GrayscaleSoftcopyPresentationStateStorage, pixels(), "1.2.3.9")
    for keyword in ("Rows", "Columns", "PixelData"):
        delattr(state, keyword)
    save(state, folder / "PS0001")
    save_series(folder / "scout", images[:2])
    volume = read_volume(folder)
    np.testing.assert_array_equal(volume.numpy(), expected.numpy())


def test_folder_of_folders_names_them(tmp_path: Path) -> None:
    save_series(tmp_path / "003_T1", slices(places(8, directions(), 2.0)))
    with pytest.raises(InputError, match="no DICOMs in it itself, only in its folders 003_T1; give the folder of a"):
        read_volume(tmp_path)


@pytest.mark.parametrize("size", [0, 100])
def test_file_that_is_dicom_by_name_only_is_refused(tmp_path: Path, size: int) -> None:
    folder = save_series(tmp_path, slices(places(8, directions(), 2.0)))
    os.truncate(folder / "IM0007.dcm", size)
    with pytest.raises(InputError, match=rf"IM0007\.dcm: no DICOM file, whatever its name \({size} bytes\)"):
        read_volume(folder)


@pytest.mark.parametrize("cut", [10, 900])
def test_truncated_file_is_refused(tmp_path: Path, cut: int) -> None:
    folder = save_series(tmp_path, slices(places(8, directions(), 2.0)))
    size = (folder / "IM0007.dcm").stat().st_size
    os.truncate(folder / "IM0007.dcm", size - cut)
    with pytest.raises(InputError, match=r"IM0007\.dcm: truncated, damaged or .* Explicit VR Little Endian"):
        read_volume(folder)


def test_truncated_header_is_refused(tmp_path: Path) -> None:
    folder = save_series(tmp_path, slices(places(8, directions(), 2.0)))
    os.truncate(folder / "IM0007.dcm", (folder / "IM0007.dcm").stat().st_size - 1100)
    with pytest.raises(InputError, match=r"IM0007\.dcm: truncated or damaged \(MR Image Storage without an image\)"):
        read_volume(folder)


def test_file_that_cannot_be_opened_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = save_series(tmp_path / "series", slices(places(8, directions(), 2.0)))

    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    with pytest.raises(InputError, match=r"IM0000\.dcm: cannot be read \(Permission denied\)"):
        read_volume(folder)


def test_header_that_cannot_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = save_series(tmp_path / "series", slices(places(8, directions(), 2.0)))

    def fails(*_: object, **__: object) -> None:
        raise NotImplementedError("odd")

    monkeypatch.setattr(pydicom, "dcmread", fails)
    with pytest.raises(InputError, match=r"IM0000\.dcm: its DICOM header cannot be read \(odd\)"):
        read_volume(folder)


def test_without_pydicom_the_error_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = save_series(tmp_path / "series", slices(places(8, directions(), 2.0)))
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(InputError, match="pydicom is not installed"):
        read_volume(folder)


def test_pixels_against_the_header_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = save_series(tmp_path / "series", slices(places(8, directions(), 2.0)))
    small = itk.image_from_array(np.zeros((1, 3, 3), np.int16))
    monkeypatch.setattr(itk, "imread", lambda *_, **__: small)
    with pytest.raises(InputError, match=r"IM0000\.dcm: .*\(1, 3, 3\) pixels, not those of its header"):
        read_volume(folder)


def save_as_jpeg(raw: Path, path: Path, compression: str) -> None:
    # SimpleITK's writer sets the locale of the process to "C", in which texts without an encoding are ASCII.
    before = locale.setlocale(locale.LC_ALL)
    writer = SimpleITK.ImageFileWriter()
    writer.SetImageIO("GDCMImageIO")
    writer.KeepOriginalImageUIDOn()
    writer.UseCompressionOn()
    writer.SetCompressor(compression)
    writer.SetFileName(str(path))
    try:
        writer.Execute(SimpleITK.ReadImage(str(raw)))
    finally:
        locale.setlocale(locale.LC_ALL, before)


@pytest.mark.parametrize("compression", ["JPEG", "JPEG2000", "RLE", "deflated", "implicit"])
def test_compressed_pixels_are_read_bit_by_bit(tmp_path: Path, compression: str) -> None:
    images = slices(places(8, directions(), 2.0), volume=pixels().astype("<u2"))
    expected = read_volume(save_series(tmp_path / "raw", images))
    folder = tmp_path / "compressed"
    folder.mkdir()
    for number, one in enumerate(images):
        path = folder / f"IM{number:04d}.dcm"
        if compression.startswith("JPEG"):
            save_as_jpeg(tmp_path / "raw" / path.name, path, compression)
        elif compression == "RLE":
            one.compress(RLELossless, generate_instance_uid=False)
            save(one, path)
        else:
            syntax = DeflatedExplicitVRLittleEndian if compression == "deflated" else ImplicitVRLittleEndian
            one.file_meta.TransferSyntaxUID = syntax
            save(one, path)
    volume = read_volume(folder)
    np.testing.assert_array_equal(volume.numpy(), expected.numpy())
    np.testing.assert_allclose(volume.affine.numpy(), expected.affine.numpy(), atol=1e-4)


def test_compressed_frames_are_read_bit_by_bit(tmp_path: Path) -> None:
    enhanced = multi_frame(places(8, directions(), 2.0), pixels().astype("<u2"))
    expected = read_volume(save(enhanced, tmp_path / "raw.dcm"))
    enhanced.compress(RLELossless, generate_instance_uid=False)
    volume = read_volume(save(enhanced, tmp_path / "rle.dcm"))
    np.testing.assert_array_equal(volume.numpy(), expected.numpy())


def test_unknown_compression_is_told(tmp_path: Path) -> None:
    images = slices(places(8, directions(), 2.0), volume=pixels().astype("<u2"))
    for one in images:
        one.compress(RLELossless, generate_instance_uid=False)
        one.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.201"
    with pytest.raises(InputError, match=r"unknown compression \(.*High-Throughput.*\); .*dcm2niix"):
        read_volume(save_series(tmp_path / "series", images))


def test_old_file_without_preamble_is_read(tmp_path: Path) -> None:
    folder = save_series(tmp_path / "series", slices(places(8, directions(), 2.0)))
    expected = read_volume(folder)
    for path in folder.iterdir():
        dataset = pydicom.dcmread(path)
        del dataset.file_meta
        dataset.preamble = None
        dataset.save_as(path, implicit_vr=True, little_endian=True)
    volume = read_volume(folder)
    np.testing.assert_array_equal(volume.numpy(), expected.numpy())


def test_single_slice_is_read_where_it_may_be(tmp_path: Path) -> None:
    folder = save_series(tmp_path, slices(places(1, directions(), 2.0), SpacingBetweenSlices=3.3))
    assert SHAPE[1:] == (24, 20)
    volume = read_volume(folder, allow_2d=True)
    assert volume.shape == (1, 20, 24, 1)
    np.testing.assert_allclose(np.diag(volume.affine.numpy()), [-0.75, -1.5, 3.3, 1], rtol=1e-6)
    with pytest.raises(InputError, match=r"2D image \(20, 24, 1\).*for DICOM the folder of the series"):
        read_volume(folder / "IM0000.dcm")
