"""Small ViLTs with random weights in the layout of transformers, and what it computes with them.

Usage: python make-vilt.py       writes one folder for each model beside this script
Made with torch 2.13.0, transformers 5.24.0 and safetensors on one CPU.
"""

import os

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
import transformers
from safetensors.torch import save_file

HERE = os.path.dirname(os.path.abspath(__file__))
TOKENS, PLACES, IMAGE, PATCH = 30, 14, 16, 8
PADDING, END = 0, 2


def config(**more) -> transformers.ViltConfig:
    return transformers.ViltConfig(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=20,
        vocab_size=TOKENS,
        max_position_embeddings=PLACES,
        image_size=IMAGE,
        patch_size=PATCH,
        sep_token_id=END,
        **more,
    )


def randomise(model: torch.nn.Module) -> torch.nn.Module:
    """Values that are far enough from their initial ones that no bias and no norm can be mixed up unseen."""
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for parameter in model.parameters():
            centre = parameter.mean() if parameter.ndim < 2 else 0
            parameter.copy_(centre + 0.3 * torch.randn(parameter.shape, generator=generator))
    return model.eval()


def write(tensors: dict[str, torch.Tensor], folder: str, name: str) -> None:
    """Whole numbers as 32 bits, as all of them are small."""
    kept = {key: value.detach().contiguous() for key, value in tensors.items()}
    kept = {key: value.to(torch.int32) if value.dtype == torch.int64 else value for key, value in kept.items()}
    save_file(kept, os.path.join(folder, f"{name}.safetensors"))


def make(name: str, model: torch.nn.Module, pictures: int) -> None:
    folder = os.path.join(HERE, name)
    os.makedirs(folder, exist_ok=True)
    randomise(model).save_pretrained(folder)
    texts = torch.tensor([[5, 9, 4, END, PADDING, PADDING], [6, 3, 12, 20, 7, END], [8, END] + [PADDING] * 4])
    shape = (3, 3, IMAGE, IMAGE) if pictures == 1 else (3, pictures, 3, IMAGE, IMAGE)
    pixels = torch.randn(shape, generator=torch.Generator().manual_seed(8))
    with torch.no_grad():
        logits = model(input_ids=texts, attention_mask=(texts != PADDING).long(), pixel_values=pixels).logits
    write({"pixel_values": pixels.reshape(3 * pictures, 3, IMAGE, IMAGE), "input_ids": texts}, folder, "inputs")
    write({"logits": logits}, folder, "expected")


answers = {index: name for index, name in enumerate(["yes", "no", "red", "two", "cat"])}
make("vilt-answers", transformers.ViltForQuestionAnswering(config(id2label=answers, num_labels=5)), 1)
make(
    "vilt-statements",
    transformers.ViltForImagesAndTextClassification(config(num_images=2, modality_type_vocab_size=3)),
    2,
)
