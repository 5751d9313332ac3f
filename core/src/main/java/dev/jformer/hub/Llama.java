package dev.jformer.hub;

import com.fasterxml.jackson.databind.node.ObjectNode;
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
    fields.supports("attention_bias", fields.flag("attention_bias", false), false);
    fields.supports("mlp_bias", fields.flag("mlp_bias", false), false);
  }

  @Override
  void write(CausalLm.Config ours, ObjectNode config) {
    config.put("attention_bias", false).put("mlp_bias", false);
  }
}
