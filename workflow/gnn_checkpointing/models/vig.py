"""Isotropic ViG, with the parameter names of the published checkpoints (Han et al., 2022, arXiv 2206.00272)."""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.convolutions import (
    COLOURS,
    HEAD_CHANNELS,
    NAMES,
    PATCH,
    SHAPES,
    SIDE,
    Size,
    neighbours_by_block,
)
from gnn_checkpointing.study.vocabulary import VisionTask


@dataclass(frozen=True)
class VigOptions:
    """Options of a ViG besides its size.

    `k` is the number of neighbours in the first block, and doubles by the last; `image` is the side length in pixels.
    """

    classes: int = 1000
    image: int = SIDE
    k: int = 9
    task: VisionTask = "images"
    dropout: float = 0.0


@torch.no_grad()
def dilated_neighbours(x: Tensor, k: int, dilation: int) -> Tensor:
    """For each node, the nodes nearest to it by cosine similarity, itself first: int64 `[batch, nodes, k]`.

    `x` is `[batch, channels, nodes]`. Takes every `dilation`-th of the `k * dilation` nearest (Li et al., 2019). A
    recomputation sees bitwise equal features, and therefore builds the same graph.
    """
    points = F.normalize(x, dim=1).transpose(1, 2)
    # For unit vectors |a - b|^2 = 2 - 2 a.b, so the nearest have the largest product. torch.topk decides ties, in the
    # same way for equal inputs.
    return torch.topk(points @ points.transpose(1, 2), k * dilation).indices[:, :, ::dilation]


def _mapped(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(before, after, 1), nn.BatchNorm2d(after))


def _stem(channels: int) -> nn.Sequential:
    """Four convolutions of stride 2 and one of stride 1, which map an image to the features of its patches."""
    steps: list[nn.Module] = []
    for before, after in pairwise([COLOURS, channels // 8, channels // 4, channels // 2, channels]):
        steps += [nn.Conv2d(before, after, 3, stride=2, padding=1), nn.BatchNorm2d(after), nn.GELU()]
    steps += [nn.Conv2d(channels, channels, 3, padding=1), nn.BatchNorm2d(channels)]
    return nn.Sequential(OrderedDict(convs=nn.Sequential(*steps)))


class MaxRelative(nn.Module):
    """A grouped linear map of a node's features and their largest differences to its neighbours'."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.nn = nn.Sequential(
            nn.Conv2d(2 * channels, 2 * channels, 1, groups=4), nn.BatchNorm2d(2 * channels), nn.GELU()
        )

    def forward(self, x: Tensor, neighbours: Tensor) -> Tensor:
        """Map `x` `[batch, channels, side, side]` to `[batch, 2 channels, side, side]`."""
        batch, channels, height, width = x.shape
        nodes = x.flatten(2)
        both = torch.stack([nodes, self.aggregated(nodes, neighbours)], 2)  # a channel and its difference side by side
        out: Tensor = self.nn(both.view(batch, 2 * channels, height, width))
        return out

    def aggregated(self, x: Tensor, neighbours: Tensor, first: int = 0) -> Tensor:
        """Largest `x_neighbour - x_node` for each node and channel, `[batch, channels, some nodes]` (Li et al., 2019).

        `x` is `[batch, channels, nodes]`; `neighbours` `[batch, some nodes, k]` belong to the nodes from `first` on.
        This is the only work on edges, and holds `batch * channels * some nodes * k` values; the edge-block policies
        compute it for some nodes at a time.
        """
        batch, channels, nodes = x.shape
        some = neighbours.size(1)
        own = x if some == nodes else x.narrow(2, first, some)  # narrowing costs zeros as large as x in backward
        index = neighbours.reshape(batch, 1, -1).expand(batch, channels, -1)
        gathered = x.gather(2, index).view(batch, channels, some, -1)
        return (gathered - own.unsqueeze(3)).amax(3)


class DynamicGraphConv(nn.Module):
    """Builds the graph of nearest neighbours from its input features, then convolves over it."""

    def __init__(self, channels: int, k: int, dilation: int) -> None:
        super().__init__()
        self.gconv = MaxRelative(channels)
        self.k, self.dilation = k, dilation

    def graph(self, x: Tensor) -> Tensor:
        """The neighbours `[batch, nodes, k]` that `forward` uses for `x`."""
        return dilated_neighbours(x.flatten(2), self.k, self.dilation)

    def forward(self, x: Tensor) -> Tensor:
        """Map `x` `[batch, channels, side, side]` to `[batch, 2 channels, side, side]`."""
        out: Tensor = self.gconv(x, self.graph(x))
        return out


class Grapher(nn.Module):
    """Linear map, graph convolution, linear map, with a residual connection around them."""

    def __init__(self, channels: int, k: int, dilation: int) -> None:
        super().__init__()
        self.fc1 = _mapped(channels, channels)
        self.graph_conv = DynamicGraphConv(channels, k, dilation)
        self.fc2 = _mapped(2 * channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map `x` `[batch, channels, side, side]` to the same shape."""
        out: Tensor = self.fc2(self.graph_conv(self.fc1(x))) + x
        return out


class FeedForward(nn.Module):
    """Two linear maps with four times the channels in between, and a residual connection around them."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc1 = _mapped(channels, 4 * channels)
        self.act = nn.GELU()
        self.fc2 = _mapped(4 * channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map `x` `[batch, channels, side, side]` to the same shape."""
        out: Tensor = self.fc2(self.act(self.fc1(x))) + x
        return out


class Vig(nn.Module):
    """Stem, position embedding, blocks and head; scores whole images or each of their patches."""

    def __init__(self, size: Size, options: VigOptions) -> None:
        super().__init__()
        shape, side = SHAPES[NAMES[size]], options.image // PATCH
        channels = shape.channels
        self.options = options
        self.stem = _stem(channels)
        self.pos_embed = nn.Parameter(torch.zeros(1, channels, side, side))
        graphs = neighbours_by_block(options.k, shape.blocks, side**2)
        self.backbone = nn.Sequential(
            *(nn.Sequential(Grapher(channels, *graph), FeedForward(channels)) for graph in graphs)
        )
        self.prediction = nn.Sequential(
            *_mapped(channels, HEAD_CHANNELS),
            nn.GELU(),
            nn.Dropout(options.dropout),
            nn.Conv2d(HEAD_CHANNELS, options.classes, 1),
        )

    @property
    def blocks(self) -> nn.ModuleList:
        """The blocks, each a grapher and a feed-forward part: the layers that policies recompute."""
        return nn.ModuleList(self.backbone)

    def forward(self, images: Tensor) -> Tensor:
        """Scores of `images` `[batch, 3, image, image]`: `[batch, classes]`, or `[batch, nodes, classes]`."""
        return self.scores(self.through_blocks(self.blocks, self.patches(images)))

    def patches(self, images: Tensor) -> Tensor:
        """Input features of the first block, `[batch, channels, side, side]`."""
        wanted = (COLOURS, self.options.image, self.options.image)
        if images.dim() != 4 or tuple(images.shape[1:]) != wanted:
            shape = f"[batch, {', '.join(map(str, wanted))}]"
            raise Refusal(f"images of shape {list(images.shape)}: this ViG takes {shape}; resize and crop them first")
        out: Tensor = self.stem(images) + self.pos_embed
        return out

    def through_blocks(self, blocks: Iterable[nn.Module], x: Tensor) -> Tensor:
        """Apply `blocks`, one after another, to `x` `[batch, channels, side, side]`."""
        for block in blocks:
            x = block(x)
        return x

    def scores(self, x: Tensor) -> Tensor:
        """Scores of the head for the features after some block, pooled for each image or one row for each patch."""
        whole = self.options.task == "images"
        each: Tensor = self.prediction(x.mean((2, 3), keepdim=True) if whole else x)
        return each.flatten(1) if whole else each.flatten(2).transpose(1, 2)


def build_vig(size: Size, options: VigOptions, seed: int) -> Vig:
    """Build a ViG with initial weights that depend on `seed` alone; the global random state does not change.

    Raises `Refusal` if the image side is no multiple of the patch side, or if there are too few patches for `k`.
    """
    if options.image % PATCH or options.image < PATCH:
        raise Refusal(f"image {options.image}: allowed are multiples of {PATCH} pixels, the side of a patch")
    nodes = (options.image // PATCH) ** 2
    if not 1 <= 2 * options.k <= nodes:
        raise Refusal(f"k {options.k}: the last block takes twice as many neighbours, and an image has {nodes} patches")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Vig(size, options)
        for module in model.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        return model
