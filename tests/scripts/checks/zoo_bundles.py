"""Small bundles with the constructs that six bundles of MONAI's model zoo are written with, in words of their own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

OLD_SCHEMA = "https://a.org/meta_schema_20220324.json"
UNET = {"_target_": "UNet", "spatial_dims": 3, "in_channels": 1, "out_channels": 2, "channels": [2, 4], "strides": [2]}
LARGE_FILES = "large_files:\n- path: models/model.pt\n  url: https://a.org/1\n  hash_val: '0'\n  hash_type: md5\n"
BENCHMARK = "$setattr(torch.backends.cudnn, 'benchmark', True)"

INFERENCE: dict[str, Any] = {
    "imports": ["$import glob", "$import os"],
    "bundle_root": ".",
    "dataset_dir": "/workspace/data/Task00",
    "output_dir": "$@bundle_root + '/eval'",
    "datalist": "$list(sorted(glob.glob(@dataset_dir + '/imagesTs/*.nii.gz')))",
    "device": "$torch.device('cuda:0' if torch.cuda.is_available() else 'cpu')",
    "network_def": UNET,
    "network": "$@network_def.to(@device)",
    "preprocessing": {"_target_": "Compose", "transforms": [{"_target_": "LoadImaged", "keys": "image"}]},
    "dataset": {"_target_": "Dataset", "data": "$[{'image': i} for i in @datalist]", "transform": "@preprocessing"},
    "dataloader": {"_target_": "DataLoader", "dataset": "@dataset"},
    "inferer": {"_target_": "SlidingWindowInferer", "roi_size": [8, 8, 8], "sw_batch_size": 1},
    "postprocessing": {
        "_target_": "Compose",
        "transforms": [{"_target_": "Activationsd", "keys": "pred", "softmax": True}],
    },
    "handlers": [{"_target_": "StatsHandler", "iteration_log": False}],
    "checkpointloader": {
        "_target_": "CheckpointLoader",
        "load_path": "$@bundle_root + '/models/model.pt'",
        "load_dict": {"model": "@network"},
    },
    "evaluator": {
        "_target_": "SupervisedEvaluator",
        "device": "@device",
        "val_data_loader": "@dataloader",
        "network": "@network",
        "inferer": "@inferer",
        "postprocessing": "@postprocessing",
        "val_handlers": "@handlers",
    },
    "initialize": [BENCHMARK, "$@checkpointloader(@evaluator)"],
    "run": ["$@evaluator.run()"],
}

LOSS_OF = "$monai.handlers.from_engine(['loss'], first=True)"
TRAIN: dict[str, Any] = {
    "imports": ["$import glob", "$import ignite"],
    "bundle_root": "/workspace/a_bundle",
    "ckpt_dir": "$@bundle_root + '/models'",
    "output_dir": "$@bundle_root + '/eval'",
    "dataset_dir": "/workspace/data/Task00",
    "images": "$list(sorted(glob.glob(@dataset_dir + '/imagesTr/*.nii.gz')))",
    "device": "$torch.device('cuda:0' if torch.cuda.is_available() else 'cpu')",
    "network_def": UNET,
    "network": "$@network_def.to(@device)",
    "loss": {"_target_": "DiceCELoss", "to_onehot_y": True, "softmax": True},
    "optimizer": {"_target_": "torch.optim.Adam", "params": "$@network.parameters()", "lr": 0.0001},
    "train": {
        "deterministic_transforms": [{"_target_": "LoadImaged", "keys": ["image", "label"]}],
        "random_transforms": [{"_target_": "RandFlipd", "keys": ["image", "label"], "prob": 0.5, "spatial_axis": 0}],
        "preprocessing": {
            "_target_": "Compose",
            "transforms": "$@train#deterministic_transforms + @train#random_transforms",
        },
        "dataset": {
            "_target_": "CacheDataset",
            "data": "$[{'image': i, 'label': i} for i in @images[:-9]]",
            "transform": "@train#preprocessing",
        },
        "dataloader": {"_target_": "DataLoader", "dataset": "@train#dataset", "batch_size": 2, "shuffle": True},
        "inferer": {"_target_": "SimpleInferer"},
        "postprocessing": {"_target_": "Compose", "transforms": []},
        "handlers": [
            {"_target_": "ValidationHandler", "validator": "@validate#evaluator", "epoch_level": True, "interval": 5},
            {"_target_": "StatsHandler", "tag_name": "train_loss", "output_transform": LOSS_OF},
        ],
        "key_metric": {"train_accuracy": {"_target_": "ignite.metrics.Accuracy"}},
        "trainer": {
            "_target_": "SupervisedTrainer",
            "max_epochs": 300,
            "device": "@device",
            "train_data_loader": "@train#dataloader",
            "network": "@network",
            "loss_function": "@loss",
            "optimizer": "@optimizer",
            "inferer": "@train#inferer",
            "postprocessing": "@train#postprocessing",
            "key_train_metric": "@train#key_metric",
            "train_handlers": "@train#handlers",
        },
    },
    "validate": {
        "preprocessing": {"_target_": "Compose", "transforms": "%train#deterministic_transforms"},
        "dataset": {
            "_target_": "CacheDataset",
            "data": "$[{'image': i, 'label': i} for i in @images[-9:]]",
            "transform": "@validate#preprocessing",
        },
        "dataloader": {"_target_": "DataLoader", "dataset": "@validate#dataset"},
        "inferer": {"_target_": "SimpleInferer"},
        "postprocessing": "%train#postprocessing",
        "handlers": [{"_target_": "StatsHandler", "iteration_log": False}],
        "evaluator": {
            "_target_": "SupervisedEvaluator",
            "device": "@device",
            "val_data_loader": "@validate#dataloader",
            "network": "@network",
            "val_handlers": "@validate#handlers",
        },
    },
    "initialize": ["$monai.utils.set_determinism(seed=123)", BENCHMARK],
    "run": ["$@train#trainer.run()"],
}

MULTI_GPU_TRAIN: dict[str, Any] = {
    "device": "$torch.device('cuda:' + os.environ['LOCAL_RANK'])",
    "+imports": ["$import os"],
    "network": {
        "_target_": "torch.nn.parallel.DistributedDataParallel",
        "module": "$@network_def.to(@device)",
        "device_ids": ["@device"],
    },
    "train#sampler": {"_target_": "DistributedSampler", "dataset": "@train#dataset", "even_divisible": True},
    "train#dataloader#sampler": "@train#sampler",
    "train#dataloader#shuffle": False,
    "train#trainer#train_handlers": "$@train#handlers[: -2 if dist.get_rank() > 0 else None]",
    "initialize": [
        "$import torch.distributed as dist",
        "$dist.is_initialized() or dist.init_process_group(backend='nccl')",
        "$@train#trainer.logger.setLevel(logging.WARNING if dist.get_rank() > 0 else logging.INFO)",
        "$import logging",
    ],
    "run": ["$@train#trainer.run()"],
    "finalize": ["$dist.is_initialized() and dist.destroy_process_group()"],
}

EVALUATE: dict[str, Any] = {
    "validate#handlers": [
        {
            "_target_": "CheckpointLoader",
            "load_path": "$@ckpt_dir + '/model.pt'",
            "load_dict": {"model": "@network"},
        },
        {"_target_": "StatsHandler", "iteration_log": False},
    ],
    "initialize": [BENCHMARK],
    "run": ["$@validate#evaluator.run()"],
}
MULTI_GPU_EVALUATE: dict[str, Any] = {
    "validate#evaluator#val_handlers": "$None if dist.get_rank() > 0 else @validate#handlers",
    "initialize": ["$import torch.distributed as dist"],
}

IMAGE = {
    "type": "image",
    "format": "hounsfield",
    "modality": "CT",
    "num_channels": 1,
    "spatial_shape": [16, 16, 16],
    "dtype": "float32",
    "value_range": [0, 1],
    "is_patch_data": True,
    "channel_def": {"0": "image"},
}
METADATA: dict[str, Any] = {
    **dict.fromkeys(("task", "description", "authors", "copyright"), "text"),
    "schema": OLD_SCHEMA,
    "version": "0.2.0",
    "changelog": {"0.2.0": "first"},
    "monai_version": "1.4.0",
    "pytorch_version": "2.4.0",
    "numpy_version": "1.24.4",
    "optional_packages_version": {"nibabel": "5.2.1", "pytorch-ignite": "0.4.11"},
    "network_data_format": {"inputs": {"image": IMAGE}, "outputs": {"pred": {**IMAGE, "num_channels": 2}}},
}
RANGES = {"required_packages_version": {"nibabel": "5.2.1", "fire": ">=0.4"}}
DETECTION = {
    "inputs": {"image": {**IMAGE, "dtype": "float16", "spatial_shape": ["16*n", "16*n", "8*n"]}},
    "outputs": {"pred": {"type": "object", "format": "dict", "dtype": "float16", "num_channels": 1,
                         "spatial_shape": ["n", "n", "n"], "value_range": [-10000, 10000]}},
}  # fmt: skip

POINTS_CODE = """import torch


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv3d(1, 2, 1)

    def forward(self, input_images, point_coords, **kwargs):
        return self.conv(input_images)
"""
BOXES_CODE = """import torch


class Net(torch.nn.Module):
    def forward(self, x):
        return {"classification": [x], "box_regression": [x]}


class Trainer:
    pass
"""
TENSORRT = {
    "imports": ["$import glob", "$import os", "$import torch_tensorrt"],
    "network_def": "$torch.jit.load(@bundle_root + '/models/model_trt.ts')",
    "evaluator#amp": False,
    "initialize": [BENCHMARK],
}
COMPILED = {
    "max_dynamic_batchsize": 4,
    "+imports": ["$from monai.networks import trt_compile"],
    "trt_args": {"dynamic_batchsize": "$[1, @inferer#sw_batch_size, @max_dynamic_batchsize]"},
    "network": "$trt_compile(@network_def.to(@device), @bundle_root + '/models/model.pt', args=@trt_args)",
}
ARCHITECTURE = {
    "arch_ckpt": "$torch.load(@bundle_root + '/models/search_code.pt', map_location=torch.device('cuda'))",
    "imports": ["$import glob", "$import json", "$from scipy import ndimage"],
    "dints_space": {
        "_target_": "monai.networks.nets.TopologyInstance",
        "arch_code": ["$@arch_ckpt['arch_code_a']", "$@arch_ckpt['arch_code_c']"],
    },
    "network_def": {"_target_": "monai.networks.nets.DiNTS", "dints_space": "@dints_space", "in_channels": 1},
}
GROW = "$lambda x, s=2: np.concatenate(tuple([ndimage.binary_dilation((x==_k).astype(x.dtype)) for _k in range(s)]))"
VISTA = {
    "imports": ["$import glob", "$import copy", "$import json", "$import pathlib"],
    "input_dict": "${'image': '/workspace/data/spleen_10.nii.gz', 'label_prompt': [3]}",
    "metadata": "$json.loads(pathlib.Path(@bundle_root + '/configs/metadata.json').read_text())",
    "labels": "$list(set([i + 1 for i in range(132)]) - set([2, 16]))",
    "network_def": {"_target_": "scripts.net.Net"},
    "dataset": {"_target_": "Dataset", "data": "$[@input_dict]", "transform": "@preprocessing"},
    "evaluator": {**INFERENCE["evaluator"], "hyper_kwargs": {"user_prompt": True, "everything_labels": "@labels"}},
}
OLDER_TRAINING = {"run": None, "initialize": None, "training": [*TRAIN["initialize"], "$@train#trainer.run()"]}
LISTS = {"data_list_file_path": "$@bundle_root + '/configs/datalist.json'", "dataset_dir": None,
         "images": "$monai.data.load_decathlon_datalist(@data_list_file_path, data_list_key='training')"}  # fmt: skip

BUNDLES: dict[str, dict[str, Any]] = {
    "spleen": {
        "inference.json": INFERENCE,
        "train.json": TRAIN,
        "multi_gpu_train.json": MULTI_GPU_TRAIN,
        "evaluate.json": EVALUATE,
        "multi_gpu_evaluate.json": MULTI_GPU_EVALUATE,
        "inference_trt.json": TENSORRT,
    },
    "brats": {
        "inference.json": INFERENCE,
        "train.json": {**TRAIN, **OLDER_TRAINING, **LISTS},
        "datalist.json": {"training": [{"image": ["a_t1.nii.gz", "a_t2.nii.gz"], "label": "a_seg.nii.gz", "fold": 0}]},
    },
    "whole_body": {
        "inference.json": {
            **INFERENCE,
            "displayable_configs": {"highres": True, "sw_overlap": 0.25},
            "pixdim": "$[1.5, 1.5, 1.5] if @displayable_configs#highres else [3.0, 3.0, 3.0]",
            "inferer": {**INFERENCE["inferer"], "overlap": "@displayable_configs#sw_overlap"},
        },
        "inference_trt.json": TENSORRT,
        "labels.json": ["liver", "spleen"],
        "metadata.json": RANGES,
    },
    "pancreas": {
        "inference.json": {**INFERENCE, **ARCHITECTURE},
        "train.json": {**TRAIN, **ARCHITECTURE, "func": GROW},
        "scripts/search.py": "import os\n",
        "models/search_code.pt": {"arch_code_a": 0, "arch_code_c": 0, "weight": torch.zeros(1)},
    },
    "lung": {
        "inference.json": {**INFERENCE, "network_def": {"_target_": "scripts.net.Net"}},
        "train.json": {**TRAIN, "detector_ops": ["$@network_def.to('cpu')"], "box_key": "box"},
        "metadata.json": {"network_data_format": DETECTION},
        "scripts/net.py": BOXES_CODE,
    },
    "vista": {
        "inference.json": {**INFERENCE, **VISTA},
        "inference_trt.json": COMPILED,
        "data_folds.json": [{"image": "a.nii.gz"}],
        "scripts/net.py": POINTS_CODE,
    },
}


def write_zoo_bundle(name: str, folder: Path) -> Path:
    """Write the bundle ``name`` of :data:`BUNDLES`, whose weights are large files, into ``folder``."""
    for file, content in {"metadata.json": {}, **BUNDLES[name]}.items():
        path = folder / (file if "/" in file else f"configs/{file}")
        path.parent.mkdir(parents=True, exist_ok=True)
        if file == "metadata.json":
            content = METADATA | content
        if isinstance(content, dict):
            content = {key: value for key, value in content.items() if value is not None}
        if path.suffix == ".pt":
            torch.save(content, path)
        else:
            path.write_text(content if isinstance(content, str) else json.dumps(content))
    if (folder / "scripts").is_dir():
        (folder / "scripts" / "__init__.py").write_text("")
    (folder / "docs").mkdir()
    (folder / "docs" / "README.md").write_text("cd /workspace/bundle")
    (folder / "LICENSE").write_text("Apache-2.0")
    (folder / "large_files.yml").write_text(LARGE_FILES)
    return folder
