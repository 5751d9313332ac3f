package dev.jformer.app.bench;

import dev.jformer.compress.Compression;
import dev.jformer.config.Configs;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;

/** The shape of a language model that people use; its weights are random. */
public enum DecodingShape {
  GPT2_SMALL(
      "GPT-2 small",
      """
      {"model": "causal-lm", "layers": 12, "width": 768, "vocab": 50257, "length": 1024,
       "mixer": {"heads": 12}, "ffn": {"activation": "gelu-tanh"}}
      """),
  SMOLLM2(
      "SmolLM2-135M",
      """
      {"model": "causal-lm", "layers": 30, "width": 576, "vocab": 49152, "length": 8192,
       "position": {"type": "rope", "base": 100000}, "mixer": {"heads": 9, "keyValueHeads": 3},
       "ffn": {"type": "gated-mlp", "activation": "silu", "hidden": 1536},
       "norm": {"type": "rms"}, "bias": false}
      """),
  QWEN2_5(
      "Qwen2.5-0.5B",
      """
      {"model": "causal-lm", "layers": 24, "width": 896, "vocab": 151936, "length": 32768,
       "position": {"type": "rope", "base": 1000000},
       "mixer": {"heads": 14, "keyValueHeads": 2, "qkvBias": true},
       "ffn": {"type": "gated-mlp", "activation": "silu", "hidden": 4864},
       "norm": {"type": "rms"}, "bias": false}
      """),
  LLAMA3_2(
      "Llama-3.2-1B",
      """
      {"model": "causal-lm", "layers": 16, "width": 2048, "vocab": 128256, "length": 8192,
       "position": {"type": "rope", "base": 500000}, "mixer": {"heads": 32, "keyValueHeads": 8},
       "ffn": {"type": "gated-mlp", "activation": "silu", "hidden": 8192},
       "norm": {"type": "rms"}, "bias": false}
      """);

  private final String label;
  private final String config;

  DecodingShape(String label, String config) {
    this.label = label;
    this.config = config;
  }

  String label() {
    return label;
  }

  /**
   * A model of this shape, in inference mode.
   *
   * @param surgery what is done to its weights, which needs no data; null for nothing
   */
  CausalLm build(Compression surgery) {
    Random.seed(1);
    try (Scope scope = Scope.open()) {
      CausalLm plain = (CausalLm) Configs.parse(config, Model.Config.class).build();
      plain.train(false);
      if (surgery == null) {
        return plain;
      }
      try (plain) {
        return (CausalLm) surgery.apply(plain, null);
      }
    }
  }
}
