package dev.jformer.hub;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.model.CausalLm;

/**
 * Phi-3 and Phi-4 in Hugging Face's format: a Llama whose matrices of queries, keys and values, and
 * of gate and up, are joined, with LongRoPE, rotated parts of heads, and a sliding window.
 */
final class Phi3 extends LlamaLike {
  @Override
  public String modelType() {
    return "phi3";
  }

  @Override
  public String title() {
    return "Phi-3";
  }

  @Override
  String architecture() {
    return "Phi3ForCausalLM";
  }

  @Override
  int window(Fields fields) {
    return fields.sizeOrNone("sliding_window", 0);
  }

  @Override
  boolean rotatesParts() {
    return true;
  }

  @Override
  int defaultLength() {
    return 4096;
  }

  @Override
  void write(CausalLm.Config ours, ObjectNode config) {
    config.putNull("pad_token_id"); // whose default is beyond small vocabularies
  }

  @Override
  void attentionWeights(CausalLm.Config config, Names names) {
    names.same("mixer.qkv.weight", "self_attn.qkv_proj.weight");
    names.same("mixer.out.weight", "self_attn.o_proj.weight");
  }

  @Override
  void mlpWeights(CausalLm.Config config, Names names) {
    names.same("ffn.gateUp.weight", "mlp.gate_up_proj.weight");
    names.same("ffn.down.weight", "mlp.down_proj.weight");
  }
}
