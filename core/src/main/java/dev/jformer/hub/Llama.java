package dev.jformer.hub;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.CausalLm;

/** Llama in Hugging Face's format, of all versions with plain text. */
final class Llama extends LlamaLike {
  @Override
  public String modelType() {
    return "llama";
  }

  @Override
  public String title() {
    return "Llama";
  }

  @Override
  String architecture() {
    return "LlamaForCausalLM";
  }

  @Override
  void check(Fields fields) {
    if (!fields.flag("attention_bias", false)) {
      fields.supports("mlp_bias", hasBias(fields), false);
    }
  }

  @Override
  boolean hasBias(Fields fields) {
    return fields.flag("mlp_bias", false);
  }

  @Override
  SoftmaxAttention.Config attention(Fields fields, SoftmaxAttention.Config plain) {
    boolean bias = fields.flag("attention_bias", false);
    return plain.withQkvBias(bias).withOutBias(bias);
  }

  @Override
  void write(CausalLm.Config ours, ObjectNode config) {
    config.put("attention_bias", hasAttentionBias(ours)).put("mlp_bias", ours.bias());
  }
}
