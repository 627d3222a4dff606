"""DeiT as `packages/core` has it, written for PyTorch: pre-norm blocks, exact GELU, a head on the class token."""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class Sizes:
    """What a model and its pictures measure."""

    image_size: int
    patch_size: int
    embed_dim: int
    heads: int
    head_dims: list[int]
    """Of each layer; fewer than embed_dim / heads where it has been cut."""
    hidden_dims: list[int]
    layer_scale: float | None
    classes: int
    channels: int = 3
    norm_epsilon: float = 1e-6
    activation: str = "gelu"
    causal: bool = False
    """Whether a token sees only those before it."""
    embedding_norm: bool = False
    """As CLIP has it: what goes into the first block is normalised."""
    patch_bias: bool = True
    head_bias: bool = True


class Tower(Protocol):
    """What a block has to know of the tower that it stands in."""

    @property
    def embed_dim(self) -> int: ...
    @property
    def heads(self) -> int: ...
    @property
    def head_dims(self) -> list[int]: ...
    @property
    def hidden_dims(self) -> list[int]: ...
    @property
    def layer_scale(self) -> float | None: ...
    @property
    def norm_epsilon(self) -> float: ...
    @property
    def activation(self) -> str: ...
    @property
    def causal(self) -> bool: ...


class Linear(nn.Linear):
    """A linear layer whose outputs a structured mask may scale, by way of the weights."""

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        if mask is None:
            return functional.linear(x, self.weight, self.bias)
        return functional.linear(x, self.weight * mask[:, None], self.bias * mask)


class Attention(nn.Module):
    """Multi-head self-attention, query, key and value in one product as timm and UPop's published code have it."""

    def __init__(self, sizes: Tower, head_dim: int, fused: bool, masked: bool) -> None:
        super().__init__()
        self.heads = sizes.heads
        self.head_dim = head_dim
        # A cut leaves the temperature of the dense model.
        self.scale = (sizes.embed_dim // sizes.heads) ** -0.5
        self.fused = fused
        self.causal = sizes.causal
        self.qkv = Linear(sizes.embed_dim, 3 * sizes.heads * head_dim)
        self.output = Linear(sizes.heads * head_dim, sizes.embed_dim)
        self.mask = nn.Parameter(torch.ones(self.head_dim)) if masked else None

    def forward(self, x: Tensor) -> Tensor:
        batch, tokens, _ = x.shape
        # One mask for all heads, and for query, key and value.
        mask = None if self.mask is None else self.mask.repeat(3 * self.heads)
        qkv = self.qkv(x, mask).reshape(batch, tokens, 3, self.heads, self.head_dim)
        query, key, value = qkv.permute(2, 0, 3, 1, 4).unbind(0)  # [B, H, T, d]
        if self.fused:
            context = functional.scaled_dot_product_attention(query, key, value, scale=self.scale, is_causal=self.causal)
        else:
            scores = (query @ key.transpose(-2, -1)) * self.scale
            if self.causal:
                scores = scores + torch.full((tokens, tokens), -torch.inf, device=x.device).triu(1)
            context = scores.softmax(dim=-1) @ value
        return self.output(context.transpose(1, 2).reshape(batch, tokens, -1))


class LayerScale(nn.Module):
    """Every dimension of what a sub-layer adds, times a number of its own."""

    def __init__(self, width: int, start: float) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.full((width,), float(start)))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.factor


class Block(nn.Module):
    """x + attention(norm x), then + ffn(norm of that); both by the layer scale where there is one."""

    def __init__(self, sizes: Tower, layer: int, fused: bool, masked: bool) -> None:
        super().__init__()
        width, hidden = sizes.embed_dim, sizes.hidden_dims[layer]
        self.attention_norm = nn.LayerNorm(width, eps=sizes.norm_epsilon)
        self.attention = Attention(sizes, sizes.head_dims[layer], fused, masked)
        self.ffn_norm = nn.LayerNorm(width, eps=sizes.norm_epsilon)
        self.expand = Linear(width, hidden)
        self.contract = Linear(hidden, width)
        self.mask = nn.Parameter(torch.ones(hidden)) if masked else None
        self.quick = sizes.activation == "quick-gelu"
        start = sizes.layer_scale
        self.attention_scale = nn.Identity() if start is None else LayerScale(width, start)
        self.ffn_scale = nn.Identity() if start is None else LayerScale(width, start)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention_scale(self.attention(self.attention_norm(x)))
        before = self.expand(self.ffn_norm(x), self.mask)
        hidden = before * torch.sigmoid(1.702 * before) if self.quick else functional.gelu(before)
        return x + self.ffn_scale(self.contract(hidden))


class VisionTransformer(nn.Module):
    """Pictures [B, C, S, S] to logits [B, K]; `fused` takes PyTorch's own attention, `masked` adds UPop's masks."""

    def __init__(self, sizes: Sizes, fused: bool, masked: bool) -> None:
        super().__init__()
        patches = (sizes.image_size // sizes.patch_size) ** 2
        side = sizes.patch_size
        self.patch_embedding = nn.Conv2d(
            sizes.channels, sizes.embed_dim, kernel_size=side, stride=side, bias=sizes.patch_bias
        )
        self.class_token = nn.Parameter(0.02 * torch.randn(1, 1, sizes.embed_dim))
        self.positions = nn.Parameter(0.02 * torch.randn(1, patches + 1, sizes.embed_dim))
        norm = nn.LayerNorm(sizes.embed_dim, eps=sizes.norm_epsilon) if sizes.embedding_norm else nn.Identity()
        self.embedding_norm = norm
        self.blocks = nn.Sequential(*(Block(sizes, layer, fused, masked) for layer in range(len(sizes.head_dims))))
        self.norm = nn.LayerNorm(sizes.embed_dim, eps=sizes.norm_epsilon)
        self.head = Linear(sizes.embed_dim, sizes.classes, bias=sizes.head_bias)

    def forward(self, images: Tensor) -> Tensor:
        patches = self.patch_embedding(images).flatten(2).transpose(1, 2)  # [B, N, D]
        leading = self.class_token.to(patches.dtype).expand(len(patches), -1, -1)
        x = self.blocks(self.embedding_norm(torch.cat([leading, patches], dim=1) + self.positions))
        return self.head(self.norm(x[:, 0]))

    def masks(self) -> list[nn.Parameter]:
        """UPop's masks: they gather gradients and no optimiser moves them."""
        return [parameter for name, parameter in self.named_parameters() if name.endswith("mask")]
