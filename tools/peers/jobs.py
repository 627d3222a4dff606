"""What a peer can be asked to do: training steps, search steps, forward passes, and large matrix products."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor
from torch.nn import functional

from vision_transformer import Sizes, VisionTransformer

Step = Callable[[], None]


def autocast(request: dict) -> AbstractContextManager:
    """bf16 products of f32 weights; weights that are bf16 already need no casting."""
    if request["precision"] == "bf16" and request["variant"]["weights"] == "f32":
        return torch.autocast(torch.device(request["device"]).type, dtype=torch.bfloat16)
    return nullcontext()


def example(request: dict, sizes: Sizes) -> tuple[Tensor, Tensor]:
    """One batch in the machine's memory, the same in every step; for a GPU in pages that it can read by itself."""
    images = torch.randn(request["batch"], sizes.channels, sizes.image_size, sizes.image_size)
    labels = torch.randint(sizes.classes, (request["batch"],))
    if request["device"] != "cpu":
        images, labels = images.pin_memory(), labels.pin_memory()
    return images, labels


def uploaded(request: dict, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """The batch where the model is, the pictures in the type of its weights."""
    images, labels = (part.to(request["device"], non_blocking=True) for part in batch)
    return images.bfloat16() if request["variant"]["weights"] == "bf16" else images, labels


def built(request: dict, masked: bool) -> tuple[VisionTransformer, Callable[[Tensor], Tensor], Sizes]:
    """The model, its forward pass, compiled where the variant says so, and its sizes."""
    variant = request["variant"]
    sizes = Sizes(**request["model"])
    torch.manual_seed(1)
    model = VisionTransformer(sizes, fused=variant["attention"] == "sdpa", masked=masked).to(request["device"])
    if variant["weights"] == "bf16":
        model = model.bfloat16()
    if not variant["compile"]:
        return model, model, sizes
    # Frozen weights are packed once for the products, which is for inference alone.
    options = {"freezing": True} if request["what"] == "infer" else {}
    return model, torch.compile(model, options=options), sizes


def inference(request: dict) -> Step:
    """A forward pass."""
    model, forward, sizes = built(request, masked=False)
    model.eval()
    batch = example(request, sizes)

    def step() -> None:
        with torch.no_grad(), autocast(request):
            images, _ = uploaded(request, batch)
            forward(images).float().cpu().numpy()

    return step


def training(request: dict) -> Step:
    """Forward, backward and AdamW; in a search masks scale the weights, and their gradients add up from step to step."""
    model, forward, sizes = built(request, masked=request["what"] == "search")
    batch = example(request, sizes)
    masks = {id(mask) for mask in model.masks()}
    weights = [parameter for parameter in model.parameters() if id(parameter) not in masks]
    is_fused = request["variant"]["optimizer"] == "fused"
    has_masters = request["variant"]["weights"] == "bf16"
    masters = [weight.detach().float() for weight in weights] if has_masters else weights
    optimizer = torch.optim.AdamW(masters, lr=1e-4, weight_decay=0.05, fused=is_fused, foreach=not is_fused)
    if has_masters:
        for master in masters:
            master.grad = torch.empty_like(master)

    def step() -> None:
        images, labels = uploaded(request, batch)
        with autocast(request):
            loss = functional.cross_entropy(forward(images).float(), labels)
        loss.backward()
        if has_masters:
            torch._foreach_copy_([master.grad for master in masters], [weight.grad for weight in weights])
        optimizer.step()
        if has_masters:
            with torch.no_grad():
                torch._foreach_copy_(weights, masters)
        for weight in weights:
            weight.grad = None
        loss.item()

    return step


def finished(device: str) -> None:
    """Waits for what the device has been asked for."""
    if device != "cpu":
        torch.cuda.synchronize(device)


def matrix_product_peak(request: dict) -> float:
    """GFLOP/s of the best of several large products."""
    kind = torch.bfloat16 if request["precision"] == "bf16" else torch.float32
    device = request["device"]
    best = 0.0
    sizes = [(1024, 1024, 1024), (2048, 2048, 2048), (4096, 1024, 4096), (4096, 4096, 4096)]
    for rows, inner, columns in sizes if device == "cpu" else [*sizes, (8192, 8192, 8192)]:
        a = torch.randn(rows, inner, dtype=kind, device=device)
        b = torch.randn(inner, columns, dtype=kind, device=device)
        result = torch.mm(a, b)
        for _ in range(request["steps"]):
            finished(device)
            start = time.perf_counter()
            torch.mm(a, b, out=result)
            finished(device)
            best = max(best, 2e-9 * rows * inner * columns / (time.perf_counter() - start))
    return best
