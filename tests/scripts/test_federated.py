"""Two clients of a federation, MONAI's ``MonaiAlgo``, whose weights are averaged here by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import torch
from ignite.engine import Events
from monai.fl.client import MonaiAlgo
from monai.fl.utils.constants import ExtraItems, WeightType
from monai.fl.utils.exchange_object import ExchangeObject
from torch import Tensor
from torch.nn.functional import l1_loss

from mri_attention.networks.nets import SRCNN3D
from mri_attention.scripts.running.bundle import code_of
from tests.scripts.sharpening_bundle import small_network

pytestmark = [
    pytest.mark.filterwarnings("ignore:parsing config_file"),
    pytest.mark.filterwarnings("ignore:executing the bundle config"),
]

Weights = Mapping[str, Tensor]
SITES = {"site-1": [(1.0, 0.2), (2.0, 0.5)], "site-2": [(3.0, 9.0)]}
"""Value of the image and of the label of each case of a client."""

N_ROUNDS, RATE = 2, 1e-2


class Client:
    """A client with cases of its own, all of which are one batch; it remembers with which weights its rounds began."""

    def __init__(self, name: str, exported: Path, output: Path) -> None:
        self.starts: list[Weights] = []
        cases = [{"image": image, "label": label} for image, label in SITES[name]]
        folder = {"output_dir": str(output / name)}
        one_batch = {"train::dataset::data": cases, "train::dataloader::batch_size": len(cases)}
        self.algo = MonaiAlgo(
            bundle_root=exported.name, train_kwargs=folder | one_batch, eval_kwargs=folder | {"cases": cases}
        )
        self.algo.initialize({ExtraItems.CLIENT_NAME: name, ExtraItems.APP_ROOT: str(exported.parent)})
        assert self.algo.trainer is not None
        self.algo.trainer.add_event_handler(Events.STARTED, lambda: self.starts.append(self.weights()))

    def weights(self) -> Weights:
        assert self.algo.trainer is not None
        return {name: tensor.clone() for name, tensor in self.algo.trainer.network.state_dict().items()}

    def train(self, weights: Weights) -> Weights:
        """Train for one epoch from ``weights``, and return the difference that is sent to the server."""
        self.algo.train(ExchangeObject(weights=dict(weights)))
        update = self.algo.get_weights()
        assert update.weight_type == WeightType.WEIGHT_DIFF
        sent: Weights = update.weights
        return sent

    def evaluate(self, weights: Weights) -> float:
        metrics: dict[str, float] = self.algo.evaluate(ExchangeObject(weights=dict(weights))).metrics
        return metrics["error"]


@dataclass
class Federation:
    """What was seen in its rounds; the first of ``shared`` is before them."""

    shared: list[Weights]
    differences: list[list[Weights]] = field(default_factory=list)
    trained: list[list[Weights]] = field(default_factory=list)
    errors: list[list[float]] = field(default_factory=list)
    starts: list[list[Weights]] = field(default_factory=list)


@pytest.fixture(scope="module")
def federation(exported: Path, tmp_path_factory: pytest.TempPathFactory) -> Federation:
    """Two rounds of averaging by numbers of cases (FedAvg)."""
    folder = tmp_path_factory.mktemp("federation")
    seen = Federation([{name: 0.5 * tensor for name, tensor in small_network().state_dict().items()}])
    with code_of(folder / "no bundle"):
        clients = [Client(name, exported, folder) for name in SITES]
        for _ in range(N_ROUNDS):
            seen.differences.append([client.train(seen.shared[-1]) for client in clients])
            seen.trained.append([client.weights() for client in clients])
            seen.shared.append(added(seen.shared[-1], mean(seen.differences[-1])))
            seen.errors.append([client.evaluate(seen.shared[-1]) for client in clients])
        seen.starts = [client.starts for client in clients]
        for client in clients:
            client.algo.finalize()
    return seen


def mean(weights: Sequence[Weights]) -> Weights:
    """Return the mean of each tensor over the clients, weighted by their numbers of cases."""
    counts = [len(cases) for cases in SITES.values()]
    products = [{name: n * tensor for name, tensor in one.items()} for n, one in zip(counts, weights, strict=True)]
    return {name: torch.stack([product[name] for product in products]).sum(0) / sum(counts) for name in products[0]}


def added(first: Weights, second: Weights) -> Weights:
    return {name: first[name] + second[name] for name in first}


def close(first: Weights, second: Weights) -> bool:
    assert set(first) == set(second)
    return all(torch.allclose(first[name], second[name], rtol=1e-5, atol=1e-7) for name in first)


def cubes(values: Sequence[float]) -> Tensor:
    return torch.tensor(values).reshape(-1, 1, 1, 1, 1).expand(-1, 1, 4, 4, 4)


def network_with(weights: Weights) -> SRCNN3D:
    network = SRCNN3D(scale=1, channels=[2], kernel_sizes=[1, 1])
    network.load_state_dict(weights)
    return network


def error(network: SRCNN3D, cases: Sequence[tuple[float, float]]) -> Tensor:
    images, labels = (cubes(values) for values in zip(*cases, strict=True))
    return l1_loss(network(images), labels)


def test_clients_learn_different_things_and_the_shared_weights_move(federation: Federation) -> None:
    assert not any(close(*differences) for differences in federation.differences)
    for before, after in zip(federation.shared[:-1], federation.shared[1:], strict=True):
        assert not close(before, after)


def test_the_mean_of_differences_gives_the_mean_of_weights(federation: Federation) -> None:
    for after, trained in zip(federation.shared[1:], federation.trained, strict=True):
        assert close(after, mean(trained))


def test_both_clients_begin_each_round_with_the_shared_weights(federation: Federation) -> None:
    for starts in federation.starts:
        assert len(starts) == N_ROUNDS
        assert all(close(start, sent) for start, sent in zip(starts, federation.shared[:-1], strict=True))


def test_rounds_of_one_step_are_steps_with_the_data_of_both(federation: Federation) -> None:
    """The mean of one step of each client, weighted by its cases, is a step with all cases as one batch."""
    network = network_with(federation.shared[0])
    optimizer = torch.optim.SGD(network.parameters(), lr=RATE)
    for after in federation.shared[1:]:
        optimizer.zero_grad()
        error(network, [case for cases in SITES.values() for case in cases]).backward()
        optimizer.step()
        assert close(after, network.state_dict())


def test_each_client_evaluates_the_shared_weights_on_its_data(federation: Federation) -> None:
    for after, errors in zip(federation.shared[1:], federation.errors, strict=True):
        with torch.no_grad():
            wanted = [float(error(network_with(after), cases)) for cases in SITES.values()]
        assert errors == [pytest.approx(value, rel=1e-5) for value in wanted]
        assert errors[0] != pytest.approx(errors[1], rel=0.1)
