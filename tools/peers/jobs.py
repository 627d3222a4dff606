"""What a peer can be asked to do: training steps, search steps, forward passes, and large matrix products."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor
from torch.nn import functional

from dual_encoder import DualEncoder, TextSizes
from vision_transformer import Sizes, VisionTransformer

Step = Callable[[], None]


def autocast(request: dict) -> AbstractContextManager:
    """bf16 products of f32 weights; weights that are bf16 already need no casting."""
    if request["precision"] == "bf16" and request["variant"]["weights"] == "f32":
        return torch.autocast(torch.device(request["device"]).type, dtype=torch.bfloat16)
    return nullcontext()


def example(request: dict) -> tuple[Tensor, Tensor]:
    """One batch in the machine's memory, the same in every step: pictures with labels, or with texts; for a GPU in pages that it can read by itself."""
    sizes, text = sizes_of(request)
    count = request["batch"]
    images = torch.randn(count, sizes.channels, sizes.image_size, sizes.image_size)
    if text is None:
        others = torch.randint(sizes.classes, (count,))
    else:
        others = torch.randint(text.vocabulary - 2, (count, text.context))
        others[:, -1] = text.vocabulary - 1
    if request["device"] != "cpu":
        images, others = images.pin_memory(), others.pin_memory()
    return images, others


def uploaded(request: dict, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """The batch where the model is, the pictures in the type of its weights."""
    images, others = (part.to(request["device"], non_blocking=True) for part in batch)
    return images.bfloat16() if request["variant"]["weights"] == "bf16" else images, others


def sizes_of(request: dict) -> tuple[Sizes, TextSizes | None]:
    """What the model measures: its vision tower, and its text tower where it has one."""
    text = request["model"].get("text")
    vision = {key: value for key, value in request["model"].items() if key != "text"}
    return Sizes(**vision), None if text is None else TextSizes(**text)


def built(request: dict, masked: bool) -> tuple[VisionTransformer | DualEncoder, Callable[..., Tensor]]:
    """The model and its forward pass, compiled where the variant says so."""
    variant = request["variant"]
    sizes, text = sizes_of(request)
    torch.manual_seed(1)
    fused = variant["attention"] == "sdpa"
    model = VisionTransformer(sizes, fused, masked) if text is None else DualEncoder(sizes, text, fused)
    model = model.to(request["device"])
    if variant["weights"] == "bf16":
        model = model.bfloat16()
    if not variant["compile"]:
        return model, model
    # Frozen weights are packed once for the products, which is for inference alone.
    options = {"freezing": True} if request["what"] == "infer" else {}
    return model, torch.compile(model, options=options)


def loss_of(request: dict, forward: Callable[..., Tensor], batch: tuple[Tensor, Tensor]) -> Tensor:
    """Cross-entropy of the classes; of pictures and texts that of either among the others."""
    images, others = batch
    if "text" not in request["model"]:
        return functional.cross_entropy(forward(images).float(), others)
    logits = forward(images, others).float()
    right = torch.arange(len(images), device=logits.device)
    return (functional.cross_entropy(logits, right) + functional.cross_entropy(logits.T, right)) / 2


def inference(request: dict) -> Step:
    """A forward pass."""
    model, forward = built(request, masked=False)
    model.eval()
    batch = example(request)
    inputs = 2 if "text" in request["model"] else 1

    def step() -> None:
        with torch.no_grad(), autocast(request):
            forward(*uploaded(request, batch)[:inputs]).float().cpu().numpy()

    return step


def training(request: dict) -> Step:
    """Forward, backward and AdamW; in a search masks scale the weights, and their gradients add up from step to step."""
    model, forward = built(request, masked=request["what"] == "search")
    batch = example(request)
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
        arrived = uploaded(request, batch)
        with autocast(request):
            loss = loss_of(request, forward, arrived)
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
