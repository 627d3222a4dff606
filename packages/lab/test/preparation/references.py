"""Pictures as transformers, timm and open_clip prepare them, by the configurations of cases.json.

Usage: references.py fixture                           writes references.json, of generated pictures
       references.py compare CASES OUTPUT PICTURES...  writes of each case and each picture its levels, [S, S, 3] bytes

references.json was made with transformers 5.24, timm 1.0.31, open_clip 3.3.0, torchvision 0.28 and Pillow 13.0.
"""

import base64
import json
import os
import sys
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"

import numpy
from PIL import Image, ImageOps

HERE = os.path.dirname(os.path.abspath(__file__))
PICTURES = {
    "wide": (200, 100),
    "high": (100, 200),
    "odd": (33, 77),
    "grey": (61, 60),
    "small": (16, 12),
}


def generated(name: str) -> Image.Image:
    """Half a gradient, half noise; picture.ts makes the same."""
    width, height = PICTURES[name]
    x = numpy.arange(width, dtype=numpy.uint64)[None, :, None]
    y = numpy.arange(height, dtype=numpy.uint64)[:, None, None]
    c = numpy.arange(3, dtype=numpy.uint64)[None, None, :] * (0 if name == "grey" else 1)
    mask = numpy.uint64(0xFFFFFFFF)
    h = ((x * 73856093) & mask) ^ ((y * 19349663) & mask) ^ ((c * 83492791) & mask)
    h = ((h ^ (h >> numpy.uint64(13))) * numpy.uint64(1274126177)) & mask
    noise = (h >> numpy.uint64(16)) & numpy.uint64(255)
    gradient = (255 * x) // (width - 1)
    levels = ((gradient + noise) >> numpy.uint64(1)).astype(numpy.uint8)
    if name == "grey":
        return Image.fromarray(levels[:, :, 0], "L")
    return Image.fromarray(levels, "RGB")


def processor(case: dict):
    """A function of a picture in RGB to normalised values, [3, S, S]."""
    if case["file"] in ("preprocessor_config.json", "processor_config.json"):
        from transformers import AutoImageProcessor

        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, case["file"]), "w") as file:
                json.dump(case["config"], file)
            found = AutoImageProcessor.from_pretrained(folder)
        return lambda picture: found(picture, return_tensors="np")["pixel_values"][0]
    if case["file"] == "config.json":
        from timm.data import create_transform, resolve_data_config

        config = resolve_data_config(pretrained_cfg=case["config"]["pretrained_cfg"])
        transform = create_transform(**config, is_training=False)
        return lambda picture: transform(picture).numpy()
    from open_clip.transform import PreprocessCfg, image_transform_v2

    transform = image_transform_v2(PreprocessCfg(**case["config"]["preprocess_cfg"]), is_train=False)
    return lambda picture: transform(picture).numpy()


class Reference:
    def __init__(self, case: dict):
        self.process = processor(case)
        # A picture of the size that comes out leaves no pixel that is filled up.
        plain = lambda level: self.process(Image.new("RGB", (64, 64), (level,) * 3))[:, 10, 10]
        self.black, self.white = plain(0), plain(255)

    def levels(self, picture: Image.Image) -> numpy.ndarray:
        values = self.process(picture.convert("RGB")).transpose(1, 2, 0)
        levels = (values - self.black) / (self.white - self.black) * 255
        rounded = numpy.rint(levels)
        assert abs(levels - rounded).max() < 0.01, "expected whole levels"
        return rounded.astype(numpy.uint8)


def fixture() -> None:
    with open(os.path.join(HERE, "cases.json")) as file:
        cases = json.load(file)
    made = {}
    for case in cases:
        reference = Reference(case)
        made[case["name"]] = {
            "black": [float(value) for value in reference.black],
            "white": [float(value) for value in reference.white],
            "levels": {
                name: base64.b64encode(reference.levels(generated(name)).tobytes()).decode()
                for name in PICTURES
            },
        }
    with open(os.path.join(HERE, "references.json"), "w") as file:
        json.dump(made, file, indent=1)
        file.write("\n")


def compare(cases: str, output: str, paths: list[str]) -> None:
    for place, case in enumerate(json.loads(cases)):
        reference = Reference(case)
        with open(os.path.join(output, f"{place}.levels"), "wb") as file:
            for path in paths:
                with Image.open(path) as picture:
                    file.write(reference.levels(ImageOps.exif_transpose(picture)).tobytes())
        with open(os.path.join(output, f"{place}.json"), "w") as file:
            ends = {"black": reference.black.tolist(), "white": reference.white.tolist()}
            json.dump(ends, file)


if __name__ == "__main__":
    if sys.argv[1] == "fixture":
        fixture()
    else:
        compare(sys.argv[2], sys.argv[3], sys.argv[4:])
