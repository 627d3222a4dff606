"""Fetches a model with huggingface_hub, or finds it in the cache (HF_HUB_OFFLINE), and prints where its files are."""

import json
import sys

from huggingface_hub import hf_hub_download

repository, revision, *names = sys.argv[1:]
print(json.dumps([hf_hub_download(repository, name, revision=revision) for name in names]))
