package dev.jformer.app.bench;

import dev.jformer.config.Configs;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import java.util.Locale;

/**
 * The size of a GPT's training step.
 *
 * @param layers L
 * @param width D
 * @param heads H
 * @param batch B
 * @param length T
 */
record GptShape(int layers, int width, int heads, int batch, int length) {
  static final int VOCAB = 256;
  static final GptShape SMALL = new GptShape(4, 256, 4, 8, 256);
  static final GptShape LARGE = new GptShape(6, 512, 8, 8, 256);

  CausalLm build() {
    String json =
        String.format(
            Locale.ROOT,
            "{\"model\":\"causal-lm\",\"layers\":%d,\"width\":%d,\"vocab\":%d,\"length\":%d,"
                + "\"mixer\":{\"type\":\"softmax\",\"heads\":%d}}",
            layers,
            width,
            VOCAB,
            length,
            heads);
    return (CausalLm) Configs.parse(json, Model.Config.class).build();
  }

  long tokens() {
    return (long) batch * length;
  }

  /**
   * Floating-point operations of the matrix products of one training step: three times those of a
   * forward pass.
   */
  double flops() {
    double weights = 12.0 * layers * width * width + (double) VOCAB * width;
    double attention = 2.0 * layers * length * width / 2; // causal: half of all pairs
    return 3 * 2 * (weights + attention) * tokens();
  }

  /** For example {@code 4x256}. */
  String label() {
    return layers + "x" + width;
  }
}
