"""PyTorch's attentions on a GPU, for DeiT-S at batch 256: milliseconds forward, and forward with gradients, and whether
the gradients have the same bytes each time."""

from collections.abc import Callable

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import scaled_dot_product_attention

BATCH, HEADS, TOKENS, HEAD_DIM = 256, 6, 197, 64


def milliseconds(work: Callable[[], object], count: int = 30) -> float:
    """Of one call, the mean of many behind one another."""
    for _ in range(5):
        work()
    start, end = torch.cuda.Event(True), torch.cuda.Event(True)
    start.record()
    for _ in range(count):
        work()
    end.record()
    torch.cuda.synchronize()
    return start.elapsed_time(end) / count


def main() -> None:
    """A line for each attention."""
    torch.manual_seed(0)
    like = {"device": "cuda", "dtype": torch.bfloat16}
    joined = torch.randn(BATCH, TOKENS, 3, HEADS, HEAD_DIM, **like)
    query, key, value = (joined[:, :, i].transpose(1, 2).detach().requires_grad_() for i in range(3))
    gradient = torch.randn(BATCH, TOKENS, HEADS, HEAD_DIM, **like).transpose(1, 2)

    def forward() -> torch.Tensor:
        return scaled_dot_product_attention(query, key, value)

    def both() -> tuple[torch.Tensor, ...]:
        return torch.autograd.grad(forward(), (query, key, value), gradient)

    for backend in (SDPBackend.FLASH_ATTENTION, SDPBackend.CUDNN_ATTENTION, SDPBackend.EFFICIENT_ATTENTION):
        with sdpa_kernel(backend):
            with torch.no_grad():
                alone = milliseconds(forward)
            together = milliseconds(both)
            first = both()
            is_same = all(torch.equal(a, b) for _ in range(20) for a, b in zip(first, both(), strict=True))
            print(f"{backend.name}: forward {alone:.3f} ms, with gradients {together:.3f} ms, same bytes: {is_same}")


if __name__ == "__main__":
    main()
