"""Small BLIPs with random weights in the layout of transformers, and what it computes and writes with them.

Usage: python make-blip.py       writes one folder for each model beside this script
Made with torch 2.13.0, transformers 5.24.0 and safetensors on one CPU.
"""

import os

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
import transformers
from safetensors.torch import save_file

HERE = os.path.dirname(os.path.abspath(__file__))
TOKENS, PLACES, IMAGE, PATCH = 30, 14, 16, 8
PADDING, START, END = 0, 28, 2


def config(vision_width: int) -> transformers.BlipConfig:
    """A text stack of width 16, beside a vision tower that may be of another."""
    text = {
        **{"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 20},
        **{"vocab_size": TOKENS, "max_position_embeddings": PLACES},
        **{"bos_token_id": START, "sep_token_id": END, "pad_token_id": PADDING, "eos_token_id": END},
    }
    vision = {
        **{"hidden_size": vision_width, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 20},
        **{"image_size": IMAGE, "patch_size": PATCH},
    }
    return transformers.BlipConfig(text_config=text, vision_config=vision, image_text_hidden_size=6)


def randomise(model: torch.nn.Module) -> torch.nn.Module:
    """Values that are far enough from their initial ones that no bias and no norm can be mixed up unseen."""
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for parameter in model.parameters():
            centre = parameter.mean() if parameter.ndim < 2 else 0
            parameter.copy_(centre + 0.3 * torch.randn(parameter.shape, generator=generator))
    return model.eval()


def incline(model: torch.nn.Module, more: float) -> None:
    """Makes the end of a text likelier, so that some texts end early and others do not."""
    with torch.no_grad():
        model.text_decoder.cls.predictions.bias[END] += more


def write(tensors: dict[str, torch.Tensor], folder: str, name: str) -> None:
    """Whole numbers as 32 bits, as all of them are small."""
    kept = {key: value.detach().contiguous() for key, value in tensors.items()}
    kept = {key: value.to(torch.int32) if value.dtype == torch.int64 else value for key, value in kept.items()}
    save_file(kept, os.path.join(folder, f"{name}.safetensors"))


def pictures(count: int) -> torch.Tensor:
    return torch.randn((count, 3, IMAGE, IMAGE), generator=torch.Generator().manual_seed(8))


def texts() -> torch.Tensor:
    """Texts that end, with padding behind."""
    return torch.tensor([[5, 9, 4, END, PADDING, PADDING], [6, 3, 12, 20, 7, END], [8, END] + [PADDING] * 4])


def captions(folder: str) -> None:
    model = randomise(transformers.BlipForConditionalGeneration(config(24)))
    incline(model, 1.7)
    model.save_pretrained(folder)
    given = {"pixel_values": pictures(3), "input_ids": torch.tensor([[START, 5, 9, 4], [START, 3, 12, 7], [START, 8, 1, 6]])}
    begun = torch.tensor([[START, 5, END]] * 3)  # the last token is left off by generate
    found = {"logits": model(**given).logits}
    for beams in (1, 3):
        for shortest in (0, 6):
            written = model.generate(
                pixel_values=given["pixel_values"],
                input_ids=begun.clone(),
                num_beams=beams,
                max_length=10,
                min_length=shortest,
                do_sample=False,
            )
            found[f"written.{beams}.{shortest}"] = written
    write(given, folder, "inputs")
    write(found, folder, "expected")


def questions(folder: str) -> None:
    model = randomise(transformers.BlipForQuestionAnswering(config(16)))
    incline(model, -0.7)
    model.save_pretrained(folder)
    # Whole ones: this version of transformers drops the mask of what is looked at, so padding would be looked at, too.
    whole = torch.tensor([[5, 9, 4, 3, 1, END], [6, 3, 12, 20, 7, END], [8, 1, 13, 21, 9, END]])
    given = {"pixel_values": pictures(3), "input_ids": whole, "decoder_input_ids": torch.tensor([[START, 4, 9]] * 3)}
    outputs = {}
    model.text_decoder.register_forward_hook(lambda _, __, output: outputs.update(logits=output.logits))
    model(**given)
    found = {"logits": outputs["logits"]}
    found["written"] = model.generate(
        pixel_values=given["pixel_values"], input_ids=whole, num_beams=3, max_length=8, do_sample=False
    )
    write(given, folder, "inputs")
    write(found, folder, "expected")


def retrieval(folder: str) -> None:
    model = randomise(transformers.BlipForImageTextRetrieval(config(24)))
    model.save_pretrained(folder)
    given = {"pixel_values": pictures(3), "input_ids": texts()}
    mask = (given["input_ids"] != PADDING).long()
    found = {
        "similarities": model(**given, attention_mask=mask, use_itm_head=False).itm_score,
        "matches": model(**given, attention_mask=mask, use_itm_head=True).itm_score,
    }
    write(given, folder, "inputs")
    write(found, folder, "expected")


for name, make in (("blip-captions", captions), ("blip-questions", questions), ("blip-retrieval", retrieval)):
    folder = os.path.join(HERE, name)
    os.makedirs(folder, exist_ok=True)
    make(folder)
    for extra in ("generation_config.json",):
        path = os.path.join(folder, extra)
        if os.path.exists(path):
            os.remove(path)
