package dev.jformer.app.bench;

import dev.jformer.compress.Compression;
import dev.jformer.config.Configs;
import dev.jformer.decode.Generator;
import dev.jformer.decode.Sampling;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.List;

/**
 * Greedy decoding, one sequence; of a model of the shape of GPT-2 small, 124 M parameters, random,
 * unless another is given.
 */
final class OurDecoding implements Workload {
  static final int PROMPT = 32;
  static final int NEW_TOKENS = 64;
  private static final String CONFIG =
      "{\"model\":\"causal-lm\",\"layers\":12,\"width\":768,\"vocab\":50257,\"length\":1024,"
          + "\"mixer\":{\"heads\":12},\"ffn\":{\"activation\":\"gelu-tanh\"}}";

  private final CausalLm model;
  private final int[] prompt;
  private final String name;

  OurDecoding() {
    this("greedy decoding, GPT-2 small", null);
  }

  /** After surgery that needs no data; none if it is null. */
  OurDecoding(String name, Compression surgery) {
    this.name = name;
    Random.seed(1);
    try (Scope scope = Scope.open()) {
      CausalLm plain = (CausalLm) Configs.parse(CONFIG, Model.Config.class).build();
      this.prompt = Tensor.randint(0, 50257, PROMPT).toInts();
      plain.train(false);
      this.model = surgery == null ? plain : (CausalLm) surgery.apply(plain, null);
      if (surgery != null) {
        plain.close();
      }
    }
  }

  /** Of a model that is loaded already, and then belongs to this. */
  OurDecoding(CausalLm model, String name) {
    this.name = name;
    this.model = model;
    Random.seed(1);
    try (Scope scope = Scope.open()) {
      this.prompt = Tensor.randint(0, model.config().vocab(), PROMPT).toInts();
    }
  }

  @Override
  public String name() {
    return name;
  }

  CausalLm model() {
    return model;
  }

  /**
   * Bytes of weights that one token's computation reads: all but the embeddings of other tokens and
   * positions.
   */
  double weightBytes() {
    long positions = model.parameters().get("position.weight").value().elements();
    return 4.0 * (model.parameterCount() - positions);
  }

  @Override
  public double run() {
    long start = System.nanoTime();
    new Generator(model)
        .generate(
            List.of(prompt), new Generator.Request(NEW_TOKENS, Sampling.GREEDY), ids -> "", null);
    return (System.nanoTime() - start) / 1e6;
  }

  @Override
  public void close() {
    model.close();
  }
}
