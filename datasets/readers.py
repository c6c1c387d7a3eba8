"""Arrays, affines and headers from image files: NIfTI by nibabel, DICOM by pydicom and ITK, the rest by ITK."""

from __future__ import annotations

import gzip
import logging
import math
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple, cast

import nibabel as nib
import numpy as np
from nibabel.arrayproxy import ArrayProxy
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError, SpatialImage
from numpy.typing import NDArray

from .dicom import find_stack, is_dicom
from .input_error import InputError
from .quiet_itk import quiet_itk

logger = logging.getLogger(__name__)

MAX_VOXELS = 2**30  # 4 GiB as float32; a broken header easily asks for more
MAX_GZIP_RATIO = 1032  # deflate cannot shrink more (zlib's technical notes)
NIBABEL_SUFFIXES = (".nii", ".nii.gz", ".hdr", ".img", ".img.gz", ".mgh", ".mgz")
FORMS_APART = 1.0  # mm between the corners of an image by qform and by sform; rounding is far below
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
    image = _reader_of(path)(path)
    _keep(key, image)
    return image


def _reader_of(path: Path) -> Callable[[Path], RawImage]:
    if path.name.lower().endswith(NIBABEL_SUFFIXES):
        return _read_nibabel
    return _read_dicom if path.is_dir() or is_dicom(path) else _read_itk


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
    if header is not None:
        _tell_orientation(path, header, scale)
    return RawImage(data, affine, header)


def _tell_orientation(path: Path, header: nib.Nifti1Header, scale: float) -> None:
    """Tell in the log a header that does not know where the image lies, or that knows two places."""
    sform = header.get_sform(coded=True)[0]
    try:
        qform = header.get_qform(coded=True)[0]
    except (ValueError, HeaderDataError):  # not a rotation; nobody reads it beside an sform
        return
    if qform is None and sform is None:
        message = "%s: its header tells no orientation (qform and sform have codes of 0), so that left may be right"
        logger.warning(f"{message}; convert it again from what the scanner gave, or set them", path)
    elif qform is not None and sform is not None:
        ends = [(0, n - 1) for n in (*header.get_data_shape(), 1, 1)[:3]]
        corners = np.array([(*corner, 1) for corner in product(*ends)])
        apart = scale * float(np.linalg.norm(corners @ (qform - sform).T, axis=1).max())
        if apart > FORMS_APART:
            message = "%s: the qform and the sform of its header lie up to %.1f mm apart, and the sform is used"
            logger.warning(f"{message}; set both to where the image lies", path, apart)


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


def _read_dicom(path: Path) -> RawImage:
    stack = find_stack(path)
    _check_kind(path, stack.shape)
    return RawImage(stack.values(), stack.affine, None)


def _read_itk(path: Path) -> RawImage:
    from monai.data import ITKReader  # takes seconds to import

    reader = ITKReader()
    try:
        with quiet_itk():
            _check_kind(path, _itk_shape(path))
            data, meta = reader.get_data(reader.read(str(path)))
    except InputError:
        raise
    except _READ_ERRORS as error:
        raise _unreadable(path, error) from error
    if meta["original_channel_dim"] == -1:
        problem = f"{data.shape[-1]} values per voxel (color?)"
        raise InputError.at(path, problem, "give one real value per voxel")
    _check_kind(path, data.shape, data.dtype)
    return RawImage(data, np.asarray(meta["affine"], dtype=np.float64), None)


def _itk_shape(path: Path) -> tuple[int, ...]:
    import itk

    image_io = itk.ImageIOFactory.CreateImageIO(str(path), itk.CommonEnums.IOFileMode_ReadMode)
    if image_io is None:
        raise RuntimeError("no known image format")
    image_io.SetFileName(str(path))
    image_io.ReadImageInformation()
    return tuple(image_io.GetDimensions(axis) for axis in range(image_io.GetNumberOfDimensions()))


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
