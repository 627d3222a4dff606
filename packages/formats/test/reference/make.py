"""Small models with random weights in the layout of their own libraries, and what these libraries compute with them.

Usage: python make.py            writes one folder for each model beside this script
       python make.py NAME ...   only these
Made with torch 2.13.0, transformers 5.24.0, timm 1.0.31, open_clip 3.3.0 and safetensors on one CPU.
"""

import json
import os
import sys

os.environ["HF_HUB_OFFLINE"] = "1"

import open_clip
import timm
import torch
import transformers
from safetensors.torch import save_file
from timm.models import save_for_hf

HERE = os.path.dirname(os.path.abspath(__file__))
TOKENS, CONTEXT, IMAGE, PATCH = 20, 6, 16, 4
SIZE = {"img_size": IMAGE, "patch_size": PATCH, "embed_dim": 24, "num_heads": 3, "depth": 2, "num_classes": 5}

# Each in its folder: an architecture of timm, and how it is made smaller.
TIMM = {
    "deit3": ("deit3_small_patch16_224", {"init_values": 0.1}),
    "registers": ("vit_small_patch14_reg4_dinov2", {"init_values": 0.1}),
    "class-free": ("vit_medium_patch16_gap_240", {"init_values": 0.1}),
    "attention-pooled": ("vit_base_patch32_siglip_256", {}),
}


def randomise(model: torch.nn.Module) -> torch.nn.Module:
    """Values that are far enough from their initial ones that no bias and no norm can be mixed up unseen."""
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for parameter in model.parameters():
            centre = parameter.mean() if parameter.ndim < 2 else 0
            parameter.copy_(centre + 0.2 * torch.randn(parameter.shape, generator=generator))
    return model.eval()


def write(tensors: dict[str, torch.Tensor], folder: str, name: str) -> None:
    contiguous = {key: value.detach().contiguous() for key, value in tensors.items()}
    save_file(contiguous, os.path.join(folder, f"{name}.safetensors"))


def siglip_config() -> transformers.SiglipConfig:
    """Towers that differ in width, depth and heads. The vocabulary has no tokens that texts begin or end with."""
    absent = {"bos_token_id": None, "eos_token_id": None, "pad_token_id": None}
    text = {"hidden_size": 24, "num_hidden_layers": 1, "num_attention_heads": 3, "intermediate_size": 32}
    vision = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 20}
    return transformers.SiglipConfig(
        text_config={**text, **absent, "vocab_size": TOKENS, "max_position_embeddings": CONTEXT, "projection_size": 16},
        vision_config={**vision, "image_size": IMAGE, "patch_size": PATCH},
        num_labels=3,
    )


def pictures(count: int, height: int = IMAGE, width: int = IMAGE) -> torch.Tensor:
    return torch.randn((count, 3, height, width), generator=torch.Generator().manual_seed(8))


def make_siglip(folder: str) -> None:
    model = randomise(transformers.SiglipModel(siglip_config()))
    with torch.no_grad():
        model.logit_scale.fill_(1.3)
        model.logit_bias.fill_(-0.7)
    model.save_pretrained(folder)
    texts = torch.randint(0, TOKENS, (3, CONTEXT), generator=torch.Generator().manual_seed(9))
    given = {"input_ids": texts, "pixel_values": pictures(3)}
    out = model(**given, return_loss=True)
    out.loss.backward()
    gradients = {f"grad.{name}": parameter.grad for name, parameter in model.named_parameters()}
    write(given, folder, "inputs")
    names = ["loss", "logits_per_image", "image_embeds", "text_embeds"]
    write({**{name: out[name] for name in names}, **gradients}, folder, "expected")


def make_open_clip_siglip(folder: str) -> None:
    """The towers of an architecture of timm and of open_clip, made smaller than their names say."""
    vision = {"image_size": IMAGE, "timm_model_name": "vit_base_patch32_siglip_256", "timm_pool": "map", "timm_proj": "none"}
    text = {"context_length": CONTEXT, "vocab_size": TOKENS, "width": 18, "heads": 3, "layers": 2, "mlp_ratio": 1.7}
    text |= {"no_causal_mask": True, "proj_bias": True, "pool_type": "last", "norm_kwargs": {"eps": 1e-6}}
    text |= {"act_kwargs": {"approximate": "tanh"}, "tokenizer_kwargs": {"clean": "canonicalize"}}
    towers = {"embed_dim": SIZE["embed_dim"], "vision_cfg": vision, "text_cfg": text, "init_logit_bias": -10}
    create = timm.create_model
    timm.create_model = lambda name, **given: create(name, **{**SIZE, **given})
    model = randomise(open_clip.model.CustomTextCLIP(**towers, output_dict=True))
    timm.create_model = create
    with torch.no_grad():
        model.logit_scale.fill_(1.3)
        model.logit_bias.fill_(-0.7)
    os.makedirs(folder, exist_ok=True)
    statistics = {"mean": [0.5] * 3, "std": [0.5] * 3, "interpolation": "bicubic", "resize_mode": "squash"}
    with open(os.path.join(folder, "open_clip_config.json"), "w") as file:
        json.dump({"model_cfg": {**towers, "custom_text": True}, "preprocess_cfg": statistics}, file, indent=2)
    write(model.state_dict(), folder, "open_clip_model")
    texts = torch.randint(0, TOKENS, (3, CONTEXT), generator=torch.Generator().manual_seed(9))
    given = {"input_ids": texts, "pixel_values": pictures(3)}
    out = model(given["pixel_values"], texts)
    images, texts, scale, bias = (out[name] for name in ("image_features", "text_features", "logit_scale", "logit_bias"))
    loss = open_clip.loss.SigLipLoss()(images, texts, scale, bias)
    loss.backward()
    gradients = {f"grad.{name}": parameter.grad for name, parameter in model.named_parameters()}
    write(given, folder, "inputs")
    answers = {"loss": loss, "logits_per_image": scale * images @ texts.T + bias, "image_embeds": images, "text_embeds": texts}
    write({**answers, **gradients}, folder, "expected")


def make_siglip_classifier(folder: str) -> None:
    model = randomise(transformers.SiglipForImageClassification(siglip_config()))
    model.save_pretrained(folder)
    given = {"pixel_values": pictures(2)}
    write(given, folder, "inputs")
    write({"logits": model(**given).logits}, folder, "expected")


def make_timm(folder: str, architecture: str, options: dict) -> None:
    model = randomise(timm.create_model(architecture, **{**SIZE, **options}))
    save_for_hf(model, folder, safe_serialization=True)
    given = {"pixel_values": pictures(2)}
    write(given, folder, "inputs")
    write({"logits": model(given["pixel_values"])}, folder, "expected")


def make_rectangular_timm(folder: str) -> None:
    """A model of rectangles, and what it makes of others: timm resamples its positions."""
    options = {**SIZE, "img_size": (64, 32), "patch_size": 8, "dynamic_img_size": True}
    model = randomise(timm.create_model("vit_tiny_patch16_224", **options))
    save_for_hf(model, folder, safe_serialization=True)
    given = {"pixel_values": pictures(2, 64, 32), "resized": pictures(2, 32, 48)}
    write(given, folder, "inputs")
    write({"logits": model(given["pixel_values"]), "resized": model(given["resized"])}, folder, "expected")


def vit_of(image_size) -> transformers.ViTForImageClassification:
    sizes = {"hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 3, "intermediate_size": 32}
    config = transformers.ViTConfig(**sizes, image_size=image_size, patch_size=8, num_labels=5)
    return randomise(transformers.ViTForImageClassification(config))


def make_rectangular_vit(folder: str) -> None:
    model = vit_of([64, 32])
    model.save_pretrained(folder)
    given = {"pixel_values": pictures(2, 64, 32)}
    write(given, folder, "inputs")
    write({"logits": model(**given).logits}, folder, "expected")


def make_interpolated_vit(folder: str) -> None:
    """A model of squares, and what it makes of rectangles: transformers interpolates its positions, those of squares alone."""
    model = vit_of(32)
    model.save_pretrained(folder)
    given = {"pixel_values": pictures(2, 32, 32), "resized": pictures(2, 64, 24)}
    write(given, folder, "inputs")
    resized = model(pixel_values=given["resized"], interpolate_pos_encoding=True).logits
    write({"logits": model(pixel_values=given["pixel_values"]).logits, "resized": resized}, folder, "expected")


def folder_of(name: str) -> str:
    folder = os.path.join(HERE, name)
    os.makedirs(folder, exist_ok=True)
    return folder


if __name__ == "__main__":
    makers = {
        "siglip": make_siglip,
        "siglip-open-clip": make_open_clip_siglip,
        "siglip-classifier": make_siglip_classifier,
        **{name: lambda folder, made=made: make_timm(folder, *made) for name, made in TIMM.items()},
        "rectangular-timm": make_rectangular_timm,
        "rectangular-vit": make_rectangular_vit,
        "interpolated-vit": make_interpolated_vit,
    }
    for name in sys.argv[1:] or makers:
        makers[name](folder_of(name))
