package dev.jformer.hub;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.CausalLm;
import dev.jformer.nn.Norm;
import dev.jformer.position.Rope;

/**
 * Gemma 3 for text in Hugging Face's format: Gemma 2 with normalised queries and keys instead of
 * caps. Five of six blocks have a sliding window, and another base of the rotary angles.
 */
final class Gemma3 extends Gemma2 {
  private static final String LOCAL_BASE = "rope_local_base_freq";

  @Override
  public String modelType() {
    return "gemma3_text";
  }

  @Override
  public String title() {
    return "Gemma 3";
  }

  @Override
  String architecture() {
    return "Gemma3ForCausalLM";
  }

  @Override
  void check(Fields fields) {
    super.check(fields);
    String bidirectional = "use_bidirectional_attention";
    fields.supports(bidirectional, fields.flag(bidirectional, false), false);
    for (String cap : new String[] {"attn_logit_softcapping", "final_logit_softcapping"}) {
      fields.supports(cap, fields.numberOrNone(cap, 0), 0.0);
    }
  }

  @Override
  SoftmaxAttention.Config attention(Fields fields, SoftmaxAttention.Config plain) {
    double epsilon = fields.positive("rms_norm_eps", 1e-6);
    return super.attention(fields, plain)
        .withLogitCap(0)
        .withQueryKeyNorm(new Norm.RmsNormConfig(epsilon, true));
  }

  @Override
  boolean isWindowed(Fields fields, int layer) {
    int pattern = fields.size("sliding_window_pattern", fields.size("_sliding_window_pattern", 6));
    return (layer + 1) % pattern != 0;
  }

  /** Older configurations have one object, for blocks without a window. */
  @Override
  Rope.Config position(Fields fields, boolean windowed) {
    Fields each = fields.object("rope_parameters");
    if (each != null) {
      Fields rope = each.object(windowed ? "sliding_attention" : "full_attention");
      double base = windowed ? 10_000 : 1_000_000;
      return rope == null ? new Rope.Config(base) : new RotaryFields(fields, base).read(rope);
    }
    return windowed
        ? new Rope.Config(fields.positive(LOCAL_BASE, 10_000))
        : new RotaryFields(fields, 1_000_000).read();
  }

  @Override
  int defaultLength() {
    return 131_072;
  }

  @Override
  CausalLm.Config model(Fields fields, CausalLm.Config plain) {
    return super.model(fields, plain).withLogitCap(0);
  }

  @Override
  void write(CausalLm.Config ours, ObjectNode config) {
    super.write(ours, config);
    for (int i = 0; i < ours.layers(); i++) {
      boolean windowed = ((SoftmaxAttention.Config) LayerPattern.mixer(ours, i)).window() > 0;
      if (windowed && LayerPattern.position(ours, i) instanceof Rope.Config rope) {
        config.put(LOCAL_BASE, rope.base());
      }
    }
  }
}
