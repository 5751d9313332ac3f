package dev.jformer.hub;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.CausalLm;

/**
 * Qwen2 and Qwen2.5 in Hugging Face's format: a Llama with biases of queries, keys and values, and
 * a sliding window in its last blocks if that is switched on.
 */
class Qwen2 extends LlamaLike {
  private static final String USED = "use_sliding_window";
  private static final String FIRST = "max_window_layers";

  @Override
  public String modelType() {
    return "qwen2";
  }

  @Override
  public String title() {
    return "Qwen2";
  }

  @Override
  String architecture() {
    return "Qwen2ForCausalLM";
  }

  @Override
  SoftmaxAttention.Config attention(Fields fields, SoftmaxAttention.Config plain) {
    return plain.withQkvBias(true);
  }

  @Override
  int window(Fields fields) {
    return fields.flag(USED, false) ? fields.sizeOrNone("sliding_window", 4096) : 0;
  }

  @Override
  boolean hasLayerTypes() {
    return true;
  }

  @Override
  boolean isWindowed(Fields fields, int layer) {
    return layer >= fields.number(FIRST, 28);
  }

  @Override
  int defaultLength() {
    return 32_768;
  }

  @Override
  void write(CausalLm.Config ours, ObjectNode config) {
    int first = 0;
    while (first < ours.layers()
        && ((SoftmaxAttention.Config) LayerPattern.mixer(ours, first)).window() == 0) {
      first++;
    }
    config.put(USED, first < ours.layers()).put(FIRST, first);
  }
}
