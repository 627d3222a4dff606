"""Answers of a model.py: for each line of a file, a function's name and its argument as JSON; prints the answers as JSON."""
import importlib.util
import json
import sys

import torch

folder, questions = sys.argv[1:]
spec = importlib.util.spec_from_file_location("exported", f"{folder}/model.py")
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
model = module.load()
answers = []
with torch.no_grad():
    for name, shape, values in json.load(open(questions)):
        kind = torch.long if name == "embed_texts" or len(shape) == 2 else torch.float32
        given = torch.tensor(values, dtype=kind).reshape(shape)
        answers.append(getattr(model, name)(given).flatten().tolist())
print(json.dumps(answers))
