"""What a pipeline of transformers says of pictures: python pipelines.py MODEL TASK LABELS PICTURE… → JSON."""

import json
import sys

from transformers import AutoTokenizer, pipeline

model, task, labels, *pictures = sys.argv[1:]
known = {} if task == "image-classification" else {
    "candidate_labels": json.loads(labels),
    "hypothesis_template": "{}",
}
classify = pipeline(task, model)
answers = {path: classify(path, **known)[0]["label"] for path in pictures}
tokens = None
if task != "image-classification":
    tokenizer = AutoTokenizer.from_pretrained(model)
    long = " ".join(json.loads(labels) * 20)
    tokens = {
        "ids": {label: tokenizer(label).input_ids for label in json.loads(labels)},
        "longest": len(tokenizer(long, truncation=True).input_ids),
    }
print(json.dumps({"answers": answers, "tokens": tokens}))
