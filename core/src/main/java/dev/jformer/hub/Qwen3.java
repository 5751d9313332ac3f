package dev.jformer.hub;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.CausalLm;
import dev.jformer.nn.Norm;

/**
 * Qwen3 in Hugging Face's format: Qwen2 with normalised queries and keys, usually without biases.
 */
final class Qwen3 extends Qwen2 {
  @Override
  public String modelType() {
    return "qwen3";
  }

  @Override
  public String title() {
    return "Qwen3";
  }

  @Override
  String architecture() {
    return "Qwen3ForCausalLM";
  }

  @Override
  SoftmaxAttention.Config attention(Fields fields, SoftmaxAttention.Config plain) {
    double epsilon = fields.positive("rms_norm_eps", 1e-6);
    boolean bias = fields.flag("attention_bias", false);
    return plain
        .withQkvBias(bias)
        .withOutBias(bias)
        .withQueryKeyNorm(new Norm.RmsNormConfig(epsilon));
  }

  @Override
  void write(CausalLm.Config ours, ObjectNode config) {
    super.write(ours, config);
    config.put("attention_bias", hasAttentionBias(ours));
  }
}
