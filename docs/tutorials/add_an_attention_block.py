# %% [markdown]
# # Add an attention block of your own and compare it fairly
#
# You have an idea for an attention block. This tutorial puts it into the network that segments lesions, and compares
# it with folded attention and with no attention at all: the same data, crops, number of steps and random seeds for
# all of them. It takes about ten minutes on two processor cores and needs no internet connection.
#
# Everything is small here, so that it is quick: heads with voxels of 3 mm, a narrow network, 160 steps, two seeds.
# **Such a comparison shows how it is done, and decides nothing.** What would decide stands at the end.

# %%
import json
import shutil
from pathlib import Path

import matplotlib.pyplot as plt
import torch
from IPython.display import Markdown, display
from monai.networks.layers import Conv
from torch import Tensor, nn

from mri_attention.datasets import find_cases
from mri_attention.networks.blocks import ATTENTION
from mri_attention.networks.nets import UNet3D
from mri_attention.scripts.reports.comparison_report import write_comparison
from mri_attention.scripts.running import Bundle
from mri_attention.scripts.running.comparison import run_plan
from mri_attention.scripts.running.comparison_plan import Budget, Plan
from mri_attention.simulation.cohort import simulate_dataset

shutil.rmtree("comparing", ignore_errors=True)  # all files of this tutorial lie in this folder
work = Path("comparing")


# %% [markdown]
# ## The block
#
# A block takes features `(batch, channels, *space)` and returns features of the same shape. This one weights each
# voxel by what its channels say. It begins as the identity (`gamma` is zero), so that a network with it begins where
# a network without it does.


# %%
class VoxelGate(nn.Module):
    """Weight each voxel by what its channels say: ``y = x + gamma x sigmoid(w . x + b)``."""

    def __init__(self, in_channels: int, spatial_dims: int = 3) -> None:
        super().__init__()
        self.score = Conv[Conv.CONV, spatial_dims](in_channels, 1, 1)
        self.gamma = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        """Return features of the shape of ``x``."""
        return x + self.gamma * x * torch.sigmoid(self.score(x))


ATTENTION.add("voxel_gate", "a weight for each voxel", VoxelGate)
print(", ".join(ATTENTION.names))

# %% [markdown]
# From now on `voxel_gate` is a word like `folded` or `none`. Test what must hold of every block before you train it:
# at the beginning it changes nothing, and once its gate is open every parameter has a gradient.

# %%
block, x = ATTENTION["voxel_gate"](8, 3), torch.randn(1, 8, 5, 6, 7)
assert torch.equal(block(x), x)
nn.init.ones_(block.gamma)
block(x).square().sum().backward()
assert all(parameter.grad.abs().sum() > 0 for parameter in block.parameters())
network = UNet3D(in_channels=6, channels=[8, 16, 32], attention="voxel_gate", dropout=0.0)
print(sum(parameter.numel() for parameter in network.parameters()), "parameters of the whole network")

# %% [markdown]
# ## The contenders
#
# Each contender is a small config, an overlay, that replaces the network of the bundle and leaves everything else as
# it is. They differ in one word.

# %%
work.mkdir()
for name in ("voxel_gate", "folded", "none"):
    network = {
        "_target_": "mri_attention.networks.nets.UNet3D",
        "in_channels": 6,  # T1w, T2w and FLAIR, and of each whether it is there
        "channels": [8, 16, 32],
        "attention": name,
        "dropout": 0.0,
    }
    (work / f"{name}.json").write_text(json.dumps({"network_def::network": network}))

# %% [markdown]
# ## The comparison
#
# The plan says what is the same for all: the patients, the budget, and where everything is written. Nobody sees the
# test patients before the end. Then each network is trained with each seed and tested. In a terminal the command
# `compare` does the same; there the overlay names a class of your own package as `_target_`, such as
# `my_package.MyNetwork`.

# %%
bundle = Bundle.find("ms_lesion_segmentation_fanet")
simulate_dataset(work / "training", n_subjects=4, seed=21, spacing=3.0)
simulate_dataset(work / "test", n_subjects=3, seed=21, spacing=3.0, first_subject=101)
size = {"spacing": [3.0, 3.0, 3.0], "patch": [32, 32, 32], "half_precision": False}
small = {
    "samples": 2,  # patches of one head in a step
    "epochs": 8,
    "steps": 20,  # in an epoch
    "val_interval": 8,
    "learning_rate": 0.005,
    "lesion_weight": 10.0,  # more than the bundle's, so that so few steps find lesions at all
    "averaging": 0.9,  # of the weights, over the last ten steps or so
    "progress": False,
}
plan = Plan(
    bundle,
    overlays=["quickstart"],
    overrides=size | small,
    inference=size,
    training_cases=find_cases(work / "training", label="label-lesion_mask"),
    test_cases=find_cases(work / "test", label="label-lesion_mask"),
    budget=Budget("steps"),
    learning_rates=[],
    output_dir=work / "comparison",
)
networks = [str(work / f"{name}.json") for name in ("voxel_gate", "folded", "none")]
trainings = run_plan(plan, networks, n_seeds=2)
table = write_comparison(plan, trainings, baseline=networks[-1], dataset_dir=work / "training")

# %% [markdown]
# ## What came of it
#
# Each row is a network, each value a mean over patients and seeds with its spread. `report.html` in
# `comparing/comparison` has the curves of the trainings, box plots and a picture of the first patient, too.

# %%
display(Markdown(table.markdown()))
print(table.caption)

# %%
values = {name: [row["dice"] for t in trainings if name in t.network for row in t.rows] for name in ATTENTION.names}
values = {name: found for name, found in values.items() if found}
figure, axes = plt.subplots(figsize=(5, 2.6), dpi=70)
for place, found in enumerate(values.values()):
    axes.plot([place] * len(found), found, "o", alpha=0.6)
axes.set_xticks(range(len(values)), list(values))
axes.set_ylabel("DSC")
plt.show()

# %% [markdown]
# Read the table in this order. First the spread over patients and seeds: where it is larger than what lies between
# two networks, these cannot be told from each other. Then the tests, which compare the same patient with the same
# seed in both networks. A difference counts if it is larger than what another seed changes. Here folded attention
# finds lesions, and the other two hardly do. That is how it began with these two seeds, and no more: after 160 steps
# all of them have barely started to learn, and who is first then need not be ahead in the end. With more training
# [folded attention was not ahead](../experiments/folded_attention.md) on simulated heads.

# %% [markdown]
# ## In earnest
#
# - Use voxels of 1 mm and the widths of the bundle, train until the curves are flat (`--budget seconds=3600`), with
#   three seeds or more and twenty test patients or more.
# - Choose the learning rate for each network by the same search (`--learning-rates 5e-4,1e-3,2e-3`), or your own
#   block has an advantage: it is the one that you tune.
# - Test on real patients. With few of them, leave [each one out in turn](../leaving_out.md).
# - Ask what the block costs, too: `mri-attention benchmark attention`, and [Attention blocks](../attention.md).
# - Publish the comparison if your block loses, too.
# - To keep the block, put it into the house: [Adding to the house](../extending.md#an-attention-block).
