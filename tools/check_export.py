"""Checks that transformers continues texts with exported models as `jformer generate` does.

Run from the repository's root, with transformers and torch:
  python tools/check_export.py [LAUNCHER]       (default: ./jformer)
Trains a tiny Llama and a tiny GPT-2 for a few steps on README.md, with subwords and with bytes,
exports them, and compares `generate --greedy` with what the printed lines of Python make of the
same prompts. Ends with 0 if all texts are equal.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

from transformers import AutoTokenizer, pipeline

LAUNCHER = sys.argv[1:] or ["./jformer"]
PROMPTS = ["The model", "a", "  jformer 123\n", "naïve 🙂 café"]
LLAMA = {"position": {"type": "rope"}, "norm": {"type": "rms"}, "bias": False, "tied": False}
LLAMA |= {"ffn": {"type": "gated-mlp"}}
TRAINING = {"steps": 40, "batch": 8, "learningRate": 3e-3, "evaluateEvery": 40}


def run(*args):
    done = subprocess.run([*LAUNCHER, *map(str, args)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def check(name, model, tokenizer, folder):
    model = {"model": "causal-lm", "layers": 2, "width": 32, "length": 64, **model}
    model |= {"mixer": {"type": "softmax", "heads": 4}}
    data = {"type": "text", "tokenizer": tokenizer, "vocabulary": 400}
    recipe = folder / f"{name}.json"
    recipe.write_text(json.dumps({"model": model, "data": data, "training": TRAINING}))
    trained, exported = folder / name, folder / f"{name}-hf"
    run("train", "--recipe", recipe, "--data", "README.md", "--out", trained, "--quiet")
    lines = run("export", trained, "--out", exported).strip().split("\n")
    assert len(lines) == 3, lines
    print("\n".join(lines))
    exec("\n".join(lines[:2]), globals())  # defines generate, as a user would
    prompts = [option for prompt in PROMPTS for option in ("-p", prompt)]
    texts = json.loads(run("generate", trained, "--greedy", "--json", "-n", 20, *prompts))
    tokens = AutoTokenizer.from_pretrained(exported)
    wrong = 0
    for prompt, ours in zip(PROMPTS, texts):
        made = globals()["generate"](
            prompt, max_new_tokens=20, do_sample=False, return_tensors=True
        )[0]["generated_token_ids"]
        theirs = made[len(tokens(prompt)["input_ids"]) :]
        end = tokens.eos_token_id
        theirs = theirs[: theirs.index(end)] if end in theirs else theirs
        same = theirs == ours["ids"] and tokens.decode(theirs) == ours["text"]
        wrong += not same
        if not same:
            print(f"{name}: {prompt!r} continues as {theirs}, ours as {ours['ids']}")
    return wrong


def main():
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        for tokenizer in ("bpe", "byte"):
            wrong += check(f"llama-{tokenizer}", LLAMA, tokenizer, pathlib.Path(folder))
            wrong += check(f"gpt2-{tokenizer}", {}, tokenizer, pathlib.Path(folder))
    print("all equal" if not wrong else f"{wrong} texts differ")
    sys.exit(wrong > 0)


main()
