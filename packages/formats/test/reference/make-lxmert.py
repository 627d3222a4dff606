"""A small LXMERT with random weights in the layout of transformers, and what it computes with it.

Usage: python make-lxmert.py     writes a folder beside this script
Made with torch 2.13.0, transformers 5.24.0 and safetensors on one CPU.
"""

import os

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
import transformers
from safetensors.torch import save_file

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "lxmert")
TOKENS, PLACES, REGIONS, FEATURES = 30, 14, 5, 7
PADDING, END = 0, 2

config = transformers.LxmertConfig(
    hidden_size=16,
    num_attention_heads=2,
    intermediate_size=20,
    vocab_size=TOKENS,
    max_position_embeddings=PLACES,
    l_layers=2,
    r_layers=1,
    x_layers=2,
    visual_feat_dim=FEATURES,
    num_qa_labels=6,
    sep_token_id=END,
)
model = transformers.LxmertForQuestionAnswering(config)
generator = torch.Generator().manual_seed(7)
with torch.no_grad():
    for parameter in model.parameters():
        centre = parameter.mean() if parameter.ndim < 2 else 0
        parameter.copy_(centre + 0.3 * torch.randn(parameter.shape, generator=generator))
model.eval()
model.save_pretrained(FOLDER)

texts = torch.tensor([[5, 9, 4, END, PADDING, PADDING], [6, 3, 12, 20, 7, END], [8, END] + [PADDING] * 4])
seen = torch.tensor([[1.0] * 5, [1.0] * 3 + [0.0] * 2, [1.0] * 4 + [0.0]])
features = torch.randn((3, REGIONS, FEATURES), generator=torch.Generator().manual_seed(8))
places = torch.rand((3, REGIONS, 4), generator=torch.Generator().manual_seed(9))
with torch.no_grad():
    logits = model(
        input_ids=texts,
        attention_mask=(texts != PADDING).long(),
        visual_feats=features,
        visual_pos=places,
        visual_attention_mask=seen,
    ).question_answering_score
inputs = {"input_ids": texts.to(torch.int32), "features": features, "places": places, "seen": seen}
save_file(inputs, os.path.join(FOLDER, "inputs.safetensors"))
save_file({"logits": logits.contiguous()}, os.path.join(FOLDER, "expected.safetensors"))
