"""Arrays, affines and headers from image files: NIfTI by nibabel, DICOM folders and the rest by ITK."""

from __future__ import annotations

import gzip
import math
import warnings
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, cast

import nibabel as nib
import numpy as np
from nibabel.arrayproxy import ArrayProxy
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError, SpatialImage
from numpy.typing import NDArray

from .input_error import InputError

MAX_VOXELS = 2**30  # 4 GiB as float32; a broken header easily asks for more
MAX_GZIP_RATIO = 1032  # deflate cannot shrink more (zlib's technical notes)
NIBABEL_SUFFIXES = (".nii", ".nii.gz", ".hdr", ".img", ".img.gz", ".mgh", ".mgz")
MILLIMETERS_PER_UNIT = {"meter": 1000.0, "micron": 0.001}

_READ_ERRORS = (OSError, EOFError, ValueError, RuntimeError, MemoryError, zlib.error)
_NIBABEL_ERRORS = (*_READ_ERRORS, ImageFileError, HeaderDataError)


class RawImage(NamedTuple):
    """What a file holds: numbers as stored (scaled), 4x4 affine (RAS, mm), NIfTI header if there is one."""

    data: NDArray[Any]
    affine: NDArray[Any]
    header: nib.Nifti1Header | None


_kept: dict[tuple[Path, int, int], RawImage] | None = None
_free_bytes = 0


@contextmanager
def keep_images(max_bytes: int = 2**30) -> Iterator[None]:
    """Within the context, read a file once and keep its numbers, until they fill ``max_bytes``.

    A file that was written anew is read again. A context within another does nothing.
    """
    global _kept, _free_bytes
    if _kept is not None:
        yield
        return
    _kept, _free_bytes = {}, max_bytes
    try:
        yield
    finally:
        _kept = None


def read_image(path: Path) -> RawImage:
    """Read a NIfTI, MGH or ITK image file, or a folder with one DICOM series; within :func:`keep_images`, once.

    Raises:
        InputError: if the file is missing, unreadable, truncated, too large, complex or of colors.
    """
    if not path.exists():
        raise InputError.at(path, "no such file or folder", "check the path")
    if path.is_file() and path.stat().st_size == 0:
        raise InputError.at(path, "the file is empty (0 bytes)", "copy or export it again")
    status = path.stat()
    key = (path.absolute(), status.st_mtime_ns, status.st_size)
    if _kept is not None and key in _kept:
        return _kept[key]
    image = _read_nibabel(path) if path.name.lower().endswith(NIBABEL_SUFFIXES) else _read_itk(path)
    _keep(key, image)
    return image


def _keep(key: tuple[Path, int, int], image: RawImage) -> None:
    global _free_bytes
    if _kept is not None and image.data.nbytes <= _free_bytes:
        _free_bytes -= image.data.nbytes
        _kept[key] = image


def _read_nibabel(path: Path) -> RawImage:
    try:
        image = cast(SpatialImage, nib.load(path))
        shape, dtype = image.shape, image.get_data_dtype()
    except EOFError as error:
        raise _truncated(path, str(error)) from error
    except _NIBABEL_ERRORS as error:
        raise _unreadable(path, error) from error
    _check_kind(path, shape, dtype)
    _check_file_size(path, image)
    try:
        with np.errstate(over="ignore"):
            data = _nibabel_data(path, image)
    except _NIBABEL_ERRORS as error:
        raise _truncated(path, str(error)) from error
    header = image.header if isinstance(image, nib.Nifti1Pair) else None
    scale = MILLIMETERS_PER_UNIT.get(header.get_xyzt_units()[0], 1.0) if header else 1.0
    affine = image.affine * [[scale], [scale], [scale], [1.0]]
    return RawImage(data, affine, header)


def _nibabel_data(path: Path, image: SpatialImage) -> NDArray[Any]:
    if path.suffix.lower() not in (".gz", ".mgz") or not hasattr(image, "from_stream"):
        return np.asanyarray(image.dataobj, dtype=np.float32)
    with gzip.open(path) as stream:
        data = np.asanyarray(type(image).from_stream(stream).dataobj, dtype=np.float32)
        while stream.read(2**20):  # the checksum is compared at the end of the stream only
            pass
    return data


def _check_file_size(path: Path, image: SpatialImage) -> None:
    if not isinstance(image, nib.Nifti1Image) or not isinstance(image.dataobj, ArrayProxy):
        return
    needed = int(image.dataobj.offset) + math.prod(image.shape) * image.get_data_dtype().itemsize
    size = path.stat().st_size
    if size * (MAX_GZIP_RATIO if path.suffix.lower() == ".gz" else 1) < needed:
        raise _truncated(path, f"{size} bytes, while its header asks for {needed}")


def _read_itk(path: Path) -> RawImage:
    from monai.data import ITKReader  # takes seconds to import

    reader = ITKReader()
    try:
        with _quiet_itk():
            if path.is_file():
                _check_kind(path, _itk_shape(path))
            image = reader.read(str(path))
            data, meta = reader.get_data(image)
    except InputError:
        raise
    except UserWarning as warning:
        raise InputError.at(path, "more than one DICOM series in this folder", "give a folder with one") from warning
    except _READ_ERRORS as error:
        raise _unreadable(path, error) from error
    _check_slice_distances(path, image)
    if meta["original_channel_dim"] == -1:
        problem = f"{data.shape[-1]} values per voxel (color?)"
        raise InputError.at(path, problem, "give one real value per voxel")
    _check_kind(path, data.shape, data.dtype)
    return RawImage(data, np.asarray(meta["affine"], dtype=np.float64), None)


@contextmanager
def _quiet_itk() -> Iterator[None]:
    """Keep ITK from printing; MONAI's warning of several DICOM series becomes an error."""
    import itk

    shown = itk.Object.GetGlobalWarningDisplay()
    itk.Object.SetGlobalWarningDisplay(False)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message=".*more than one DICOM series", category=UserWarning)
            yield
    finally:
        itk.Object.SetGlobalWarningDisplay(shown)


def _itk_shape(path: Path) -> tuple[int, ...]:
    import itk

    image_io = itk.ImageIOFactory.CreateImageIO(str(path), itk.CommonEnums.IOFileMode_ReadMode)
    if image_io is None:
        raise RuntimeError("no known image format")
    image_io.SetFileName(str(path))
    image_io.ReadImageInformation()
    return tuple(image_io.GetDimensions(axis) for axis in range(image_io.GetNumberOfDimensions()))


def _check_slice_distances(path: Path, image: Any) -> None:
    key = "ITK_non_uniform_sampling_deviation"
    dictionary = image.GetMetaDataDictionary()
    if dictionary.HasKey(key):
        problem = f"distances between DICOM slices differ by up to {dictionary[key]:.3g} mm"
        raise InputError.at(path, problem, "export the whole series, a slice seems to be missing")


def _check_kind(path: Path, shape: Sequence[int], dtype: np.dtype[Any] | None = None) -> None:
    if min(shape, default=0) < 1 or math.prod(map(int, shape)) > MAX_VOXELS:
        raise InputError.at(path, f"shape {tuple(shape)} is empty or absurd", "check the file's header")
    if dtype is not None and dtype.kind not in "biuf":
        kind = "complex" if dtype.kind == "c" else "color or compound"
        raise InputError.at(path, f"{kind} voxels ({dtype})", "give one real value per voxel")


def _truncated(path: Path, reason: str) -> InputError:
    return InputError.at(path, f"truncated or damaged ({_last_line(reason)})", "copy or download it again")


def _unreadable(path: Path, error: BaseException) -> InputError:
    problem = f"cannot be read as an image ({_last_line(str(error)) or type(error).__name__})"
    return InputError.at(path, problem, "give NIfTI, NRRD, MetaImage or the folder of a DICOM series")


def _last_line(message: str) -> str:
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    return lines[-1][:160] if lines else ""
