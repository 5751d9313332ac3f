"""Checks that Python's peft loads the adapters that jformer trains, with equal logits.

Run from the repository's root, with torch, transformers and peft:
  python tools/check_peft.py [LAUNCHER]       (default: ./jformer)
Trains a tiny Llama and a tiny GPT-2 on README.md, exports them, and trains an adapter of each kind beside them on another
text. The logits of peft with the adapter are compared with those of the model that `export --merge` writes, and its greedy
text with that of `jformer generate` on the adapter's folder. Ends with 0 if all logits agree to 1e-4 and all texts are
equal.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

LAUNCHER = sys.argv[1:] or ["./jformer"]
PROMPT = "The model is trained on"
OTHER = "docs/guide/training.md"  # another text, so that there is something to learn
LLAMA = {"position": {"type": "rope"}, "norm": {"type": "rms"}, "bias": False, "tied": False}
LLAMA |= {"ffn": {"type": "gated-mlp"}, "mixer": {"type": "softmax", "heads": 4, "keyValueHeads": 2}}
TRAINING = {"steps": 60, "batch": 8, "learningRate": 3e-3, "evaluateEvery": 60}
KINDS = ["lora", "rslora", "dora", "pissa", "eva"]


def run(*args):
    done = subprocess.run([*LAUNCHER, *map(str, args)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def recipe(folder, name, **fields):
    file = folder / f"{name}.json"
    file.write_text(json.dumps({"training": TRAINING, **fields}))
    return file


def check(name, shape, folder):
    model = {"model": "causal-lm", "layers": 2, "width": 32, "length": 64, "mixer": {"type": "softmax", "heads": 4}}
    data = {"type": "text", "tokenizer": "bpe", "vocabulary": 400}
    file = recipe(folder, name, model={**model, **shape}, data=data)
    trained, base = folder / name, folder / f"{name}-hf"
    run("train", "--recipe", file, "--data", "README.md", "--out", trained, "--quiet")
    run("export", trained, "--out", base)
    ids = AutoTokenizer.from_pretrained(base)(PROMPT, return_tensors="pt")["input_ids"]
    wrong = 0
    for kind in KINDS:
        file = recipe(folder, f"{name}-{kind}", data=data, adapter={"type": kind, "rank": 4})
        adapter, merged = folder / f"{name}-{kind}", folder / f"{name}-{kind}-merged"
        run("train", "--recipe", file, "--from", base, "--data", OTHER, "--out", adapter, "--quiet")
        run("export", adapter, "--merge", "--out", merged)
        bare = AutoModelForCausalLM.from_pretrained(base)
        with torch.no_grad():
            before = bare(input_ids=ids).logits
            peft = PeftModel.from_pretrained(bare, adapter).eval()
            theirs = peft(input_ids=ids).logits
            ours = AutoModelForCausalLM.from_pretrained(merged)(input_ids=ids).logits
        worst, moved = (theirs - ours).abs().max().item(), (theirs - before).abs().max().item()
        made = peft.generate(input_ids=ids, max_new_tokens=20, do_sample=False)[0, ids.shape[1] :].tolist()
        text = json.loads(run("generate", adapter, "--greedy", "--json", "-n", 20, "-p", PROMPT))[0]["ids"]
        made = made[: len(text)]
        print(f"{name} {kind}: logits differ by {worst:.1e}, moved by {moved:.2f}, same text: {made == text}")
        wrong += worst > 1e-4 or moved < 1e-2 or made != text
    return wrong


with tempfile.TemporaryDirectory() as temporary:
    folder = pathlib.Path(temporary)
    sys.exit(check("llama", LLAMA, folder) + check("gpt2", {}, folder))
