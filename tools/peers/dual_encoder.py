"""CLIP as `packages/core` has it, written for PyTorch: a vision tower and a text tower into one space (Radford et al., 2021, Figure 3)."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from vision_transformer import Block, Sizes, VisionTransformer


@dataclass(frozen=True)
class TextSizes:
    """What a text tower and its texts measure."""

    vocabulary: int
    context: int
    embed_dim: int
    heads: int
    head_dims: list[int]
    hidden_dims: list[int]
    layer_scale: float | None
    norm_epsilon: float
    activation: str
    causal: bool


class TextTower(nn.Module):
    """Tokens [B, T] to what stands for their texts [B, P]; the end is the token of the greatest number."""

    def __init__(self, sizes: TextSizes, projection: int, fused: bool) -> None:
        super().__init__()
        self.tokens = nn.Parameter(0.02 * torch.randn(sizes.vocabulary, sizes.embed_dim))
        self.positions = nn.Parameter(0.01 * torch.randn(sizes.context, sizes.embed_dim))
        layers = range(len(sizes.head_dims))
        self.blocks = nn.Sequential(*(Block(sizes, layer, fused, masked=False) for layer in layers))
        self.norm = nn.LayerNorm(sizes.embed_dim, eps=sizes.norm_epsilon)
        self.head = nn.Linear(sizes.embed_dim, projection, bias=False)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.norm(self.blocks(functional.embedding(tokens, self.tokens) + self.positions[: tokens.shape[1]]))
        places = torch.arange(len(tokens), device=tokens.device)
        return self.head(x[places, tokens.argmax(dim=1)])


class DualEncoder(nn.Module):
    """Pictures [N, C, S, S] and texts [M, T] to scaled cosines [N, M]."""

    def __init__(self, vision: Sizes, text: TextSizes, fused: bool) -> None:
        super().__init__()
        self.vision = VisionTransformer(vision, fused, masked=False)
        self.text = TextTower(text, vision.classes, fused)
        self.logit_scale = nn.Parameter(torch.tensor(1 / 0.07).log())

    def forward(self, images: Tensor, tokens: Tensor) -> Tensor:
        pictures = functional.normalize(self.vision(images).float(), dim=-1)
        texts = functional.normalize(self.text(tokens).float(), dim=-1)
        return self.logit_scale.exp().float() * pictures @ texts.T

    def masks(self) -> list[nn.Parameter]:
        """No search of two towers is timed here."""
        return []
