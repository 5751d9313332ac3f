"""Checks that transformers computes the same with what `jformer export` writes of its own models.

Run from the repository's root, with transformers and torch:
  python tools/check_families.py [LAUNCHER...]       (default: ./jformer)
Exports each model of tools/fixtures/make_families.py, loads the copy in transformers, and compares logits with
those in expected.safetensors. Ends with 0 if all are within 1e-4.
"""

import pathlib
import subprocess
import sys
import tempfile

import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

LAUNCHER = sys.argv[1:] or ["./jformer"]
MODELS = pathlib.Path("core/src/test/resources/dev/jformer/hub/families")
wrong = 0
with tempfile.TemporaryDirectory() as folder:
    for original in sorted(MODELS.iterdir()):
        copy = pathlib.Path(folder) / original.name
        done = subprocess.run([*LAUNCHER, "export", original, "--out", copy], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        model = AutoModelForCausalLM.from_pretrained(copy, attn_implementation="eager").eval()
        expected = load_file(original / "expected.safetensors")
        with torch.no_grad():
            found = model(expected["input_ids"], use_cache=False).logits
        worst = (found - expected["logits"]).abs().max().item()
        wrong += worst > 1e-4
        print(f"{original.name}: as {type(model).__name__}, logits differ by at most {worst:.1e}", flush=True)
sys.exit(wrong > 0)
