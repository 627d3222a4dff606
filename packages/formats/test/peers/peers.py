"""Tiny CLIPs and ViTs with random weights by their own authors' code, and what they answer.

Usage: peers.py make transformers|open_clip|timm FOLDER JSON-OPTIONS   writes a checkpoint, inputs.safetensors, expected.safetensors
       peers.py run CLASS FOLDER INPUTS OUTPUTS                          answers of a checkpoint that transformers loads
"""

import json
import os
import sys

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
import transformers
from safetensors.torch import load_file, save_file

VOCABULARY, CONTEXT, IMAGE, PATCH = 60, 9, 12, 4


def randomise(model: torch.nn.Module) -> torch.nn.Module:
    """Values that are far enough from their initial ones that no bias and no norm can be mixed up unseen."""
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for parameter in model.parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            centre = parameter.mean() if parameter.ndim < 2 else 0
            parameter.copy_(centre + 0.2 * noise)
    return model.eval()


def inputs(greatest: int, sides: list[int] = [IMAGE, IMAGE]) -> dict[str, torch.Tensor]:
    """Texts that end at different places, one of them followed by a second end; and pictures."""
    generator = torch.Generator().manual_seed(8)
    tokens = torch.randint(3, greatest - 1, (4, CONTEXT), generator=generator)
    for row, end in enumerate([2, 5, CONTEXT - 1, 4]):
        tokens[row, end] = greatest
        tokens[row, end + 1 :] = 0
    return {
        "input_ids": tokens,
        "pixel_values": torch.randn((3, 3, *sides), generator=generator),
    }


def save(folder: str, given: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    write(given, os.path.join(folder, "inputs.safetensors"))
    write(expected, os.path.join(folder, "expected.safetensors"))


def write(tensors: dict[str, torch.Tensor], file: str) -> None:
    save_file({name: value.contiguous() for name, value in tensors.items()}, file)


def make_transformers(folder: str, options: dict) -> None:
    tower = {"num_hidden_layers": 2, "hidden_act": options.get("hidden_act", "quick_gelu")}
    config = transformers.CLIPConfig(
        text_config={
            **tower,
            "hidden_size": 24,
            "intermediate_size": 40,
            "num_attention_heads": 3,
            "vocab_size": VOCABULARY,
            "max_position_embeddings": CONTEXT,
            "projection_dim": 20,
            "bos_token_id": 1,
            "pad_token_id": 0,
            "eos_token_id": options.get("eos_token_id", VOCABULARY - 1),
        },
        vision_config={
            **tower,
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_attention_heads": 4,
            "image_size": IMAGE,
            "patch_size": PATCH,
            "projection_dim": 20,
        },
        projection_dim=20,
    )
    model = randomise(getattr(transformers, options.get("class", "CLIPModel"))._from_config(config_for(config, options)))
    model = model.to(getattr(torch, options.get("dtype", "float32")))
    extra = {"max_shard_size": options["max_shard_size"]} if "max_shard_size" in options else {}
    model.save_pretrained(folder, **extra)
    given = inputs(VOCABULARY - 1)
    save(folder, given, answers(model.float(), given))


def config_for(config: transformers.CLIPConfig, options: dict):
    return config.text_config if options.get("class", "CLIPModel").startswith("CLIPText") else config


def answers(model: torch.nn.Module, given: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    with torch.no_grad():
        if isinstance(model, (transformers.CLIPModel, transformers.SiglipModel)):
            out = model(**given)
            return {name: out[name] for name in ("logits_per_image", "image_embeds", "text_embeds")}
        if isinstance(model, transformers.CLIPTextModelWithProjection):
            return {"text_embeds": model(input_ids=given["input_ids"]).text_embeds}
        if isinstance(model, transformers.CLIPTextModel):
            return {"pooler_output": model(input_ids=given["input_ids"]).pooler_output}
        return {"logits": model(pixel_values=given["pixel_values"]).logits}


def make_open_clip(folder: str, options: dict) -> None:
    import open_clip

    sides = options.get("image_size", [IMAGE, IMAGE])
    vision = {"image_size": sides, "layers": 2, "width": 128, "patch_size": PATCH, "head_width": 64}
    text = {"context_length": CONTEXT, "vocab_size": VOCABULARY, "width": 64, "heads": 1, "layers": 2, **options.get("text", {})}
    cfg = {"embed_dim": 20, "vision_cfg": vision, "text_cfg": text, "quick_gelu": options.get("quick_gelu", False)}
    model = randomise(open_clip.model.CLIP(**cfg, output_dict=True))
    state = dict(model.state_dict())
    os.makedirs(folder, exist_ok=True)
    if options.get("openai"):
        # As in OpenAI's own files, which come without a configuration.
        state |= {"input_resolution": torch.tensor(IMAGE), "context_length": torch.tensor(CONTEXT), "vocab_size": torch.tensor(VOCABULARY)}
    else:
        with open(os.path.join(folder, "open_clip_config.json"), "w") as file:
            json.dump({"model_cfg": cfg, "preprocess_cfg": {}}, file)
    write(state, os.path.join(folder, "open_clip_model.safetensors"))
    given = inputs(VOCABULARY - 1, sides)
    with torch.no_grad():
        out = model(given["pixel_values"], given["input_ids"])
    images, texts = out["image_features"], out["text_features"]
    save(folder, given, {"logits_per_image": out["logit_scale"] * images @ texts.T, "image_embeds": images, "text_embeds": texts})


def make_timm(folder: str, options: dict) -> None:
    import timm
    from timm.models import save_for_hf

    architecture = options.pop("architecture", "vit_tiny_patch16_224")
    size = {"img_size": IMAGE, "patch_size": PATCH, "depth": 2, "num_classes": 5}
    model = randomise(timm.create_model(architecture, **{**size, **options}))
    save_for_hf(model, folder, safe_serialization=True)
    generator = torch.Generator().manual_seed(8)
    given = {"pixel_values": torch.randn((2, 3, *model.patch_embed.img_size), generator=generator)}
    with torch.no_grad():
        save(folder, given, {"logits": model(given["pixel_values"])})


def run(kind: str, folder: str, given: str, outputs: str) -> None:
    model, info = getattr(transformers, kind).from_pretrained(folder, output_loading_info=True)
    wrong = {name: sorted(map(str, keys)) for name, keys in info.items() if keys}
    if wrong:
        sys.exit(f"{kind} does not take the checkpoint as it is: {wrong}")
    write(answers(model.eval(), load_file(given)), outputs)


if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    if command == "run":
        run(*arguments)
    else:
        source, folder, options = arguments
        {"transformers": make_transformers, "open_clip": make_open_clip, "timm": make_timm}[source](folder, json.loads(options))
