package dev.jformer.hub;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.model.CausalLm;

/** Mistral in Hugging Face's format: a Llama with a sliding window. */
final class Mistral extends LlamaLike {
  @Override
  public String modelType() {
    return "mistral";
  }

  @Override
  public String title() {
    return "Mistral";
  }

  @Override
  String architecture() {
    return "MistralForCausalLM";
  }

  @Override
  int window(Fields fields) {
    return fields.sizeOrNone("sliding_window", 4096);
  }

  @Override
  int defaultLength() {
    return 131_072;
  }

  @Override
  void write(CausalLm.Config ours, ObjectNode config) {
    config.putNull("sliding_window"); // which has a default
  }
}
