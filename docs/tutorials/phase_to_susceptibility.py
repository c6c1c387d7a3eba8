# %% [markdown]
# # From the phase of gradient echoes to susceptibility
#
# Iron and calcium change the magnetic field around them, and the phase of a gradient echo shows that field. This
# tutorial goes from phase and magnitude to a map of susceptibility in parts per million (ppm), and shows every stage
# on the way. It takes about two minutes on two processor cores and needs no network.
#
# The scan is simulated, so that the true map is known. Its voxels measure 2 mm, which keeps the tutorial short; 1 mm
# is usual. **These are research tools and not for diagnosis.**

# %%
import shutil
from pathlib import Path

import matplotlib.pyplot as plt
import nibabel as nib
import numpy as np

from mri_attention.simulation.cohort import simulate_dataset
from mri_attention.simulation.gradient_echo import EchoProtocol
from mri_attention.simulation.phase_subject import simulate_scan, write_scan

shutil.rmtree("susceptibility", ignore_errors=True)  # all files of this tutorial lie in this folder
work = Path("susceptibility")

# %% [markdown]
# ## A scan
#
# First a head with known susceptibility, in which we put two small balls: one of +0.8 ppm, as a little bleeding with
# its iron has, and one of -0.8 ppm, as a calcification has. Then five echoes of it at 3 T, with noise, and with a
# skull and air around the brain, which disturb the field more than anything within it. With a scan of your own you
# skip this cell.

# %%
simulate_dataset(work / "head", n_subjects=1, seed=3, spacing=2.0, susceptibility=True)
truth = nib.load(next((work / "head" / "derivatives" / "qsm").rglob("*_Chimap.nii.gz")))
brain = np.asarray(nib.load(next((work / "head" / "derivatives" / "qsm").rglob("*_desc-brain_mask.nii.gz"))).dataobj)
chi = np.array(truth.dataobj)
middle = np.argwhere(brain > 0).mean(0)
for side, value in ((-1, 0.8), (1, -0.8)):
    center = middle + np.array([14 * side, 6, 0])  # voxels of 2 mm, so that each is 28 mm from the middle
    chi[((np.indices(chi.shape).T - center) ** 2).sum(-1).T < 2.0**2] = value
protocol = EchoProtocol(echo_times=(0.004, 0.010, 0.016, 0.022, 0.028), b0=3.0, snr=60.0)
scan = simulate_scan(chi, brain, truth.affine, (0, 0, 1), None, protocol, np.random.default_rng(0))
write_scan(work / "scan", "sub-001", scan, protocol)
for file in sorted((work / "scan" / "sub-001" / "anat").glob("*.nii.gz")):
    print(file.name)

# %% [markdown]
# Each echo has a phase and a magnitude. A small JSON file beside each tells its echo time and the field strength.


# %%
balls = {"bleeding": scan.susceptibility > 0.7, "calcification": scan.susceptibility < -0.7}
z = int(np.argwhere(balls["bleeding"])[:, 2].mean())


def show(images: dict[str, np.ndarray], limits: list[tuple[float, float]], unit: list[str]) -> None:
    """Draw the slice through the balls of each image."""
    figure, axes = plt.subplots(1, len(images), figsize=(3.1 * len(images), 3.4), dpi=50)
    for axis, (title, image), (low, high), name in zip(axes, images.items(), limits, unit, strict=True):
        drawn = axis.imshow(image[..., z].T, cmap="gray", origin="lower", vmin=low, vmax=high)
        axis.set_title(title)
        axis.set_axis_off()
        figure.colorbar(drawn, ax=axis, shrink=0.6, label=name)
    plt.show()


show(
    {
        "magnitude, 5th echo": scan.magnitude[-1],
        "phase, 1st echo": scan.phase[0],
        "phase, 5th echo": scan.phase[-1],
    },
    [(0, 0.8), (-np.pi, np.pi), (-np.pi, np.pi)],
    ["", "rad", "rad"],
)

# %% [markdown]
# In the magnitude the bleeding is a dark spot and the calcification a faint one: from it nobody could tell which is
# which. The phase grows with the echo time. Wherever it passes pi it jumps to minus pi: these jumps, the wraps, are
# the sharp edges between black and white in the fifth echo. Outside of the head there is only noise.

# %% [markdown]
# ## One command
#
# The command is given phase and magnitude of all echoes and a mask of the brain. `--keep-stages` writes what it finds
# on the way.

# %%
# !mri-attention predict qsm_reconstruction_fanet --output-dir susceptibility/results --keep-stages --no-viewer \
#   --mask susceptibility/scan/derivatives/qsm/sub-001/anat/sub-001_desc-brain_mask.nii.gz \
#   --phase susceptibility/scan/sub-001/anat/*_part-phase_MEGRE.nii.gz \
#   --magnitude susceptibility/scan/sub-001/anat/*_part-mag_MEGRE.nii.gz

# %% [markdown]
# Read the line about the field first. The residual of the fit over echoes should be near the noise of the phase, and
# wraps should be left beside less than a thousandth of the voxels. The mask loses a rim, because the background
# cannot be removed at the very edge of the brain.

# %%
anat = work / "results" / "sub-001" / "anat"
total, local, found = (
    np.asarray(nib.load(anat / f"sub-001_{name}.nii.gz").dataobj) for name in ("fieldmap", "localfield", "Chimap")
)
show(
    {"total field": total, "local field": local, "susceptibility": found},
    [(-60, 60), (-0.04, 0.04), (-0.1, 0.15)],
    ["Hz", "ppm", "ppm"],
)

# %% [markdown]
# The total field is smooth and large: most of it comes from the air around and in the skull, which has nothing to do
# with the brain. The local field is what remains when everything that lies outside of the brain has been taken away.
# It shows each source with lobes of the other sign around it, because the field of a source reaches beyond the
# source. In the susceptibility these lobes are gone: the bleeding is a bright spot, the calcification a dark one.

# %% [markdown]
# ## Against the truth
#
# Susceptibility has no absolute zero, so the mean over the mask is subtracted from both maps.

# %%
mask = np.asarray(nib.load(anat / "sub-001_desc-brain_mask.nii.gz").dataobj) > 0
true = np.where(mask, scan.susceptibility - scan.susceptibility[mask].mean(), 0)
mine = np.where(mask, found - found[mask].mean(), 0)
show({"truth": true, "from phase": mine, "difference": mine - true}, [(-0.15, 0.2)] * 3, ["ppm"] * 3)
for name, ball in balls.items():
    print(f"{name}: {mine[ball].mean():+.2f} ppm, in truth {true[ball].mean():+.2f} ppm")
error = np.linalg.norm((mine - true)[mask]) / np.linalg.norm(true[mask])
print(f"error over the whole mask: {100 * error:.0f} % of the truth")

# %% [markdown]
# Both balls have the right sign, which is what tells them apart, and about the right value. The rest of the brain
# does worse. The broad light and dark areas in the difference are what is left of the field of the air, and with them
# the error over the whole brain is as large as the susceptibility itself, which in this simulated tissue varies by
# some hundredths of a ppm only. So trust what is small and strong, doubt what is broad and weak, and compare patients
# that were scanned and processed in the same way.

# %% [markdown]
# ## In earnest
#
# - Give DICOM folders or NIfTI files of all echoes to `--phase` and `--magnitude`, or a BIDS folder with
#   `--dataset-dir FOLDER --overlay phase`.
# - Look at the stages of the first patient of a new scanner. What can go wrong, and how to see it, stands in
#   [Susceptibility from phase](../susceptibility_from_phase.md).
# - `--background pdf` keeps the rim of the brain, with a larger error there.
# - If veins and basal ganglia come out dark, your scanner's phase has the other sign: `--invert`.
