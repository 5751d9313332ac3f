"""Reads GGUF files that `jformer export` wrote with Python's gguf, and compares their weights with
those of the same model exported for transformers.

    pip install gguf==0.19.0 numpy safetensors
    python tools/check_gguf.py HF_FOLDER MODEL.gguf ...

F32 must be equal, F16 and Q8_0 as near as their rounding. Ends with 0 if all are.
"""

import json
import pathlib
import re
import sys

import gguf
import numpy as np
from safetensors.numpy import load_file

folder = pathlib.Path(sys.argv[1])
config = json.loads((folder / "config.json").read_text())
theirs = load_file(folder / "model.safetensors")
llama = config["model_type"] == "llama"
BLOCK = {
    "attn_norm": ("input_layernorm", "ln_1"), "ffn_norm": ("post_attention_layernorm", "ln_2"),
    "attn_q": ("self_attn.q_proj", ""), "attn_k": ("self_attn.k_proj", ""), "attn_v": ("self_attn.v_proj", ""),
    "attn_qkv": ("", "attn.c_attn"), "attn_output": ("self_attn.o_proj", "attn.c_proj"),
    "ffn_gate": ("mlp.gate_proj", ""), "ffn_up": ("mlp.up_proj", "mlp.c_fc"), "ffn_down": ("mlp.down_proj", "mlp.c_proj"),
}
OTHER = {
    "token_embd": ("model.embed_tokens", "transformer.wte"), "position_embd": ("", "transformer.wpe"),
    "output_norm": ("model.norm", "transformer.ln_f"), "output": ("lm_head", "lm_head"),
}
NEAR = {"F32": 0, "F16": 2**-11, "Q8_0": 1 / 254 + 2**-11}


def expected(name):
    match = re.fullmatch(r"blk\.(\d+)\.(\w+)\.(weight|bias)", name)
    if match:
        prefix = "model.layers." if llama else "transformer.h."
        values = theirs[f"{prefix}{match[1]}.{BLOCK[match[2]][0 if llama else 1]}.{match[3]}"]
        if match[2] in ("attn_q", "attn_k"):  # pairs of rows, as llama.cpp rotates them
            heads = config["num_attention_heads" if match[2] == "attn_q" else "num_key_value_heads"]
            rows = values.reshape(heads, 2, -1, values.shape[-1])
            return rows.swapaxes(1, 2).reshape(values.shape)
        linear = not llama and values.ndim == 2
        return values.T if linear else values
    module, kind = name.rsplit(".", 1)
    return theirs[f"{OTHER[module][0 if llama else 1]}.{kind}"]


for path in sys.argv[2:]:
    reader = gguf.GGUFReader(path)
    worst = {}
    for tensor in reader.tensors:
        type = tensor.tensor_type
        values = gguf.quants.dequantize(tensor.data, type).astype(np.float32)
        wanted = expected(tensor.name)
        assert values.shape == wanted.shape, (tensor.name, values.shape, wanted.shape)
        error = float(np.abs(values - wanted).max() / max(np.abs(wanted).max(), 1e-9))
        worst[type.name] = max(worst.get(type.name, 0), error)
    assert len(reader.tensors) == len(theirs), (len(reader.tensors), len(theirs))
    assert all(error <= NEAR[name] for name, error in worst.items()), worst
    tokens = reader.fields.get("tokenizer.ggml.tokens")
    print(path, {name: f"{error:.2g}" for name, error in worst.items()}, len(tokens.data) if tokens else 0, "tokens")
