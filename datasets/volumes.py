"""Volumes in and out: checked when read, exact in geometry and atomic when written."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from .input_error import InputError
from .readers import RawImage, read_image
from .writing import replacing

if TYPE_CHECKING:
    from monai.data import MetaTensor
    from torch import Tensor

logger = logging.getLogger(__name__)

VOXEL_SIZE_RANGE = (0.01, 100.0)  # mm
GEOMETRY_FIELDS = (
    *("qform_code", "quatern_b", "quatern_c", "quatern_d", "qoffset_x", "qoffset_y", "qoffset_z"),
    *("sform_code", "srow_x", "srow_y", "srow_z", "pixdim"),
)


def read_volume(
    path: Path | str, *, allow_nan: bool = False, allow_constant: bool = False, allow_2d: bool = False
) -> MetaTensor:
    """Read one volume ``(1, x, y, z)``, float32, with its affine (RAS, mm).

    Its ``meta`` holds ``filename_or_obj``, ``spatial_shape`` and ``nifti_header`` (see :func:`header_of`).

    Args:
        path: NIfTI or MGH file, a file that ITK reads (.nrrd, .mha, ...), or a folder with one DICOM series.
        allow_nan: replace NaN and Inf by 0 instead of refusing them.
        allow_constant: accept an image of one value only, as an empty lesion mask is.
        allow_2d: accept a single slice.

    Raises:
        InputError: if the file is missing, unreadable or truncated, has not three axes, is complex or
            colored, all zero or constant, holds NaN or Inf, or if its affine is not finite or is singular.
    """
    path = Path(path)
    raw = read_image(path)
    data = _three_axes(path, raw.data, allow_2d)
    return as_volume(path, raw._replace(data=data), allow_nan, allow_constant)


def read_frames(path: Path | str, *, allow_nan: bool = False) -> list[MetaTensor]:
    """Read the volumes of a file, as :func:`read_volume`: those along its fourth axis, one where it has three.

    Raises:
        InputError: as :func:`read_volume`.
    """
    path = Path(path)
    raw = read_image(path)
    if raw.data.ndim != 4:
        return [read_volume(path, allow_nan=allow_nan)]
    return [as_volume(path, raw._replace(data=frame), allow_nan) for frame in np.moveaxis(raw.data, 3, 0)]


def as_volume(path: Path, raw: RawImage, allow_nan: bool = False, allow_constant: bool = False) -> MetaTensor:
    """Check three axes of what a file holds, and return them as :func:`read_volume` does."""
    import torch
    from monai.data import MetaTensor  # takes seconds to import; commands refuse bad input before that

    _check_affine(path, raw.affine)
    data = _finite(path, raw.data, allow_nan)
    if not allow_constant and data.min() == data.max():
        problem = "all voxels are zero" if not data.any() else f"all voxels have the value {data.flat[0]:g}"
        raise InputError.at(path, problem, "export the image again, it holds no picture")
    header = geometry_header(data.shape, raw.affine, raw.header)
    affine = header.get_best_affine()  # what can be written again, bit by bit
    meta = {
        "filename_or_obj": str(path),
        "spatial_shape": np.asarray(data.shape),
        "original_channel_dim": "no_channel",
        "original_affine": affine.copy(),
        "space": "RAS",
        "nifti_header": np.frombuffer(header.binaryblock, dtype=np.uint8).copy(),
    }
    return MetaTensor(torch.from_numpy(data[None]), affine=torch.from_numpy(affine), meta=meta)


def header_of(image: MetaTensor) -> nib.Nifti1Header:
    """Return shape, dtype, qform and sform that the file of ``image`` had (before any transform)."""
    block = np.asarray(image.meta["nifti_header"], dtype=np.uint8).tobytes()
    return nib.Nifti1Header(block, check=False)


def write_volume(
    path: Path | str,
    data: Tensor | NDArray[Any],
    affine: Tensor | NDArray[Any],
    *,
    header: nib.Nifti1Header | None = None,
    dtype: str = "float32",
    sources: Iterable[Path | str] = (),
) -> Path:
    """Write ``data`` ``(x, y, z)`` or ``(1, x, y, z)`` as NIfTI, all or nothing.

    A temporary file in the same folder is renamed when complete. Integers are rounded, not truncated.

    Args:
        path: file that ends in .nii or .nii.gz; its folder is made.
        data: values to write.
        affine: 4x4 voxel-to-world matrix (RAS, mm).
        header: header of the reference image: its qform and sform are kept as they are if they give
            ``affine``, else its codes are kept.
        dtype: of the file, such as ``"float32"`` or ``"uint8"``.
        sources: files that must not be overwritten.

    Raises:
        InputError: if ``path`` is one of ``sources`` or cannot be written.
        ValueError: if ``data`` has not three axes, or does not fit into ``dtype``.
    """
    path = Path(path)
    array = _as_dtype(np.asarray(data), np.dtype(dtype))
    if path.resolve() in {Path(source).resolve() for source in sources}:
        raise InputError.at(path, "would overwrite an input file", "choose another output folder")
    written = geometry_header(array.shape, np.asarray(affine, dtype=np.float64), header)
    written.set_data_dtype(array.dtype)
    written.set_xyzt_units("mm")
    with replacing(path) as temporary:
        nib.save(nib.Nifti1Image(array, None, written), temporary)
    return path


def geometry_header(
    shape: tuple[int, ...], affine: NDArray[Any], reference: nib.Nifti1Header | None
) -> nib.Nifti1Header:
    """Make a header of ``shape`` with the qform and sform of ``reference`` if they give ``affine``.

    Codes of 0 are kept where readers then find ``affine`` by the voxel size alone. Otherwise both are set from
    ``affine``, with the codes of ``reference``, or 1 (scanner) without a reference, or 2 (aligned) for codes of 0.
    """
    header = nib.Nifti1Header()
    header.set_data_shape(shape)
    codes = (1, 1)
    if reference is not None:
        for field in GEOMETRY_FIELDS:
            header[field] = reference[field]
        header["pixdim"][4:] = 1
        header.set_data_dtype(reference.get_data_dtype())
        codes = (int(reference["qform_code"]), int(reference["sform_code"]))
        if np.array_equal(header.get_best_affine(), affine):
            return header
    qform_code, sform_code = codes if any(codes) else (2, 2)
    header.set_qform(affine, qform_code)
    header.set_sform(affine, sform_code)
    return header


def _three_axes(path: Path, data: NDArray[Any], allow_2d: bool) -> NDArray[Any]:
    while data.ndim > 3 and data.shape[-1] == 1:
        data = data[..., 0]
    if data.ndim > 3:
        axis = next(axis for axis in range(3, data.ndim) if data.shape[axis] > 1)
        frames = f"{data.shape[axis]} frames on axis {axis}"
        problem = f"{data.ndim}D image {data.shape} where 3D is needed: {frames}"
        raise InputError.at(path, problem, "give one frame")
    if not allow_2d and (data.ndim < 3 or 1 in data.shape):
        problem = f"2D image {data.shape} where 3D is needed"
        raise InputError.at(path, problem, "give a whole volume (for DICOM the folder of the series)")
    return data.reshape(data.shape + (1,) * (3 - data.ndim))


def _check_affine(path: Path, affine: NDArray[Any]) -> None:
    remedy = "repair the header (qform, sform, voxel size)"
    if not np.isfinite(affine).all():
        raise InputError.at(path, "the affine is not finite", remedy)
    voxel_size = np.linalg.norm(affine[:3, :3], axis=0)
    low, high = VOXEL_SIZE_RANGE
    if not ((voxel_size >= low) & (voxel_size <= high)).all():
        sizes = ", ".join(f"{size:g}" for size in voxel_size)
        problem = f"voxel size ({sizes}) mm is not within {low:g} to {high:g} mm"
        raise InputError.at(path, problem, remedy)
    volume = abs(np.linalg.det(affine[:3, :3] / voxel_size))
    if volume < 1e-3:
        raise InputError.at(path, "the affine is singular, two voxel axes coincide", remedy)


def _finite(path: Path, data: NDArray[Any], allow_nan: bool) -> NDArray[Any]:
    with np.errstate(over="ignore"):
        data = np.array(data, dtype=np.float32, order="C")
    bad = ~np.isfinite(data)
    if bad.any():
        n_nan = int(np.isnan(data).sum())
        found = f"{n_nan} NaN and {int(bad.sum()) - n_nan} Inf among {data.size} voxels"
        if not allow_nan:
            raise InputError.at(path, found, "repair the image, or set `allow_nan` to true to replace them by 0")
        logger.warning("%s: %s, replaced by 0", path, found)
        data[bad] = 0
    return data


def _as_dtype(data: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    if data.ndim == 4 and data.shape[0] == 1:
        data = data[0]
    if data.ndim != 3:
        raise ValueError(f"data must have shape (x, y, z) or (1, x, y, z), got {data.shape}")
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        if not (np.isfinite(data).all() and data.min() >= limits.min and data.max() <= limits.max):
            raise ValueError(f"data from {data.min()} to {data.max()} do not fit into {dtype}")
        data = np.rint(data)
    return data.astype(dtype)
