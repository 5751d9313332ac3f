package dev.jformer.hub;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.CausalLm;
import dev.jformer.model.NormPlacement;
import dev.jformer.nn.Activation;
import dev.jformer.nn.Norm;

/**
 * Gemma 2 in Hugging Face's format: norms before and after each part, whose weights are differences
 * from 1; scaled embeddings; caps on logits; GeGLU; a sliding window in every other block.
 */
class Gemma2 extends LlamaLike {
  private static final String SCALE = "query_pre_attn_scalar";
  private static final String ATTENTION_CAP = "attn_logit_softcapping";
  private static final String FINAL_CAP = "final_logit_softcapping";

  @Override
  public String modelType() {
    return "gemma2";
  }

  @Override
  public String title() {
    return "Gemma 2";
  }

  @Override
  String architecture() {
    return "Gemma2ForCausalLM";
  }

  @Override
  void check(Fields fields) {
    fields.supports("attention_bias", fields.flag("attention_bias", false), false);
  }

  @Override
  SoftmaxAttention.Config attention(Fields fields, SoftmaxAttention.Config plain) {
    return plain
        .withScale(1 / Math.sqrt(fields.positive(SCALE, 256)))
        .withLogitCap(fields.numberOrNone(ATTENTION_CAP, 50));
  }

  @Override
  int window(Fields fields) {
    return fields.sizeOrNone("sliding_window", 4096);
  }

  @Override
  boolean hasLayerTypes() {
    return true;
  }

  @Override
  boolean isWindowed(Fields fields, int layer) {
    return layer % 2 == 0;
  }

  @Override
  int defaultLength() {
    return 8192;
  }

  @Override
  boolean isTiedByDefault() {
    return true;
  }

  @Override
  String activationField() {
    return "hidden_activation";
  }

  @Override
  Activation activation() {
    return Activation.GELU_TANH;
  }

  @Override
  String activationName() {
    return "gelu_pytorch_tanh";
  }

  @Override
  Norm.RmsNormConfig norm(double epsilon) {
    return new Norm.RmsNormConfig(epsilon, true);
  }

  @Override
  CausalLm.Config model(Fields fields, CausalLm.Config plain) {
    return plain
        .withEmbeddingScale(Math.sqrt(plain.width()))
        .withLogitCap(fields.numberOrNone(FINAL_CAP, 30))
        .withBlock(b -> b.placement(NormPlacement.SANDWICH));
  }

  @Override
  void write(CausalLm.Config ours, ObjectNode config) {
    SoftmaxAttention.Config mixer = attention(ours);
    double width =
        mixer.scale() == 0 ? mixer.headDim(ours.width()) : 1 / (mixer.scale() * mixer.scale());
    boolean whole = Math.abs(width - Math.rint(width)) < 1e-9 * width;
    if (whole) { // transformers wants an integer
      config.put(SCALE, Math.round(width));
    } else {
      config.put(SCALE, width);
    }
    config.put(ATTENTION_CAP, cap(mixer.logitCap()));
    config.put(FINAL_CAP, cap(ours.logitCap()));
    config.put("attention_bias", false);
    config.putNull("sliding_window"); // which has a default
  }

  private static Double cap(double cap) {
    return cap == 0 ? null : cap;
  }

  @Override
  void blockNorms(Names names) {
    names.same("mixerOutputNorm.weight", "post_attention_layernorm.weight");
    names.same("ffnNorm.weight", "pre_feedforward_layernorm.weight");
    names.same("ffnOutputNorm.weight", "post_feedforward_layernorm.weight");
  }
}
