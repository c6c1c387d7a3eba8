"""Rigid registration of contrasts by ITK, as packed in SimpleITK."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk  # noqa: N813 (its documented abbreviation)
import torch
from monai.data import MetaTensor

from ..datasets.input_error import InputError

RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
SHRINK_FACTORS = (4, 2, 1)
SMOOTHING_SIGMAS = (4.0, 2.0, 0.0)  # mm
START_VOXEL_SIZE = 4.0  # mm, of the images by which starts are compared
N_SAMPLES = 50_000  # voxels per resolution that the metric looks at
N_BINS = 50


@dataclass(frozen=True)
class RigidMotion:
    """Rigid motion in world coordinates (RAS, mm).

    Attributes:
        matrix: 4x4, takes points of the moving image to the fixed image: ``matrix @ moving.affine`` aligns.
        rotation: degrees about the axes R, A, S, applied in the order R, A, S.
        translation: mm, of the center of the moving image.
    """

    matrix: np.ndarray
    rotation: tuple[float, float, float]
    translation: tuple[float, float, float]

    @classmethod
    def of(cls, matrix: np.ndarray, center: np.ndarray) -> RigidMotion:
        """Take angles and the shift of ``center`` (mm) from ``matrix``."""
        r = matrix[:3, :3]
        angles = np.degrees(
            [np.arctan2(r[2, 1], r[2, 2]), np.arcsin(np.clip(-r[2, 0], -1, 1)), np.arctan2(r[1, 0], r[0, 0])]
        )
        shift = r @ center + matrix[:3, 3] - center
        return cls(matrix, tuple(angles.tolist()), tuple(shift.tolist()))

    def __str__(self) -> str:
        rotation = ", ".join(f"{angle:.2f}" for angle in self.rotation)
        translation = ", ".join(f"{shift:.2f}" for shift in self.translation)
        return f"rotation ({rotation}) degrees, translation ({translation}) mm"

    def apply(self, moving: MetaTensor) -> MetaTensor:
        """Move ``moving`` by changing its affine; its voxels stay."""
        moved = MetaTensor(moving.as_tensor(), meta=dict(moving.meta))
        moved.affine = torch.from_numpy(self.matrix @ moving.affine.numpy())
        return moved


def register_rigid(moving: MetaTensor, fixed: MetaTensor, seed: int = 0) -> RigidMotion:
    """Find the rigid motion that aligns ``moving`` with ``fixed``, both ``(1, x, y, z)``.

    Maximizes Mattes' mutual information (Mattes et al. 2003, IEEE Trans Med Imaging 22:120) at three
    resolutions by regular-step gradient descent. Starts from the given positions or from matching centers
    of the grids or of intensity, whichever has the largest mutual information. One thread and a fixed
    ``seed`` of the samples make it deterministic.

    Raises:
        InputError: if the images do not overlap during the search.
    """
    fixed_image, moving_image = _to_sitk(fixed), _to_sitk(moving)
    try:
        with _single_thread():
            start = _best_start(fixed_image, moving_image, seed)
            found = _method(fixed_image, seed, start).Execute(fixed_image, moving_image)
    except RuntimeError as error:
        place = str(moving.meta.get("filename_or_obj", "moving image"))
        problem = "registration failed, the images seem not to overlap"
        raise InputError.at(place, problem, "check that both show the same head") from error
    matrix = RAS_TO_LPS @ np.linalg.inv(_matrix(found)) @ RAS_TO_LPS
    center = moving.affine.numpy() @ [*((np.array(moving.shape[1:]) - 1) / 2), 1]
    return RigidMotion.of(matrix, center[:3])


@contextmanager
def _single_thread() -> Iterator[None]:
    """Fix the order of ITK's sums, on which the last digits depend."""
    n_threads = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(n_threads)


def _to_sitk(image: MetaTensor) -> sitk.Image:
    if image.ndim != 4 or image.shape[0] != 1:
        raise ValueError(f"image must have shape (1, x, y, z), got {tuple(image.shape)}")
    affine = RAS_TO_LPS @ image.affine.numpy()
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    out = sitk.GetImageFromArray(image[0].cpu().numpy().astype(np.float32).T)
    out.SetSpacing(spacing.tolist())
    out.SetDirection((affine[:3, :3] / spacing).flatten().tolist())
    out.SetOrigin(affine[:3, 3].tolist())
    return out


def _best_start(fixed: sitk.Image, moving: sitk.Image, seed: int) -> sitk.Euler3DTransform:
    coarse_fixed, coarse_moving = _shrink(fixed), _shrink(moving)

    def cost(start: sitk.Euler3DTransform) -> float:
        try:
            return float(_method(coarse_fixed, seed, start).MetricEvaluate(coarse_fixed, coarse_moving))
        except RuntimeError:  # no overlap at all
            return math.inf

    return min(_starts(fixed, moving), key=cost)


def _shrink(image: sitk.Image) -> sitk.Image:
    return sitk.BinShrink(image, [max(1, round(START_VOXEL_SIZE / size)) for size in image.GetSpacing()])


def _starts(fixed: sitk.Image, moving: sitk.Image) -> list[sitk.Euler3DTransform]:
    """List a rotation about the fixed grid's center with no, the grids' and the intensities' shift."""
    initializer = sitk.CenteredTransformInitializerFilter
    stay = sitk.Euler3DTransform()
    stay.SetCenter(fixed.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in fixed.GetSize()]))
    starts = [stay]
    for by in (initializer.GEOMETRY, initializer.MOMENTS):
        start = sitk.CenteredTransformInitializer(fixed, moving, sitk.Euler3DTransform(), by)
        starts.append(sitk.Euler3DTransform(start))
    return starts


def _method(fixed: sitk.Image, seed: int, start: sitk.Euler3DTransform) -> sitk.ImageRegistrationMethod:
    n_voxels = fixed.GetNumberOfPixels()
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(numberOfHistogramBins=N_BINS)
    method.SetMetricSamplingStrategy(method.RANDOM)
    percentages = [min(1.0, N_SAMPLES * factor**3 / n_voxels) for factor in SHRINK_FACTORS]
    method.SetMetricSamplingPercentagePerLevel(percentages, seed + 1)  # 0 would mean the clock
    method.SetShrinkFactorsPerLevel(SHRINK_FACTORS)
    method.SetSmoothingSigmasPerLevel(SMOOTHING_SIGMAS)
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(
        learningRate=2.0,
        minStep=0.01,
        numberOfIterations=200,
        relaxationFactor=0.6,
        gradientMagnitudeTolerance=1e-8,
    )
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetInitialTransform(sitk.Euler3DTransform(start), inPlace=False)
    return method


def _matrix(transform: sitk.Transform) -> np.ndarray:
    """Sample the transform (LPS, mm) at the origin and at unit vectors."""
    origin = np.array(transform.TransformPoint((0.0, 0.0, 0.0)))
    columns = [np.array(transform.TransformPoint(point)) - origin for point in np.eye(3).tolist()]
    matrix = np.eye(4)
    matrix[:3] = np.column_stack([*columns, origin])
    return matrix
