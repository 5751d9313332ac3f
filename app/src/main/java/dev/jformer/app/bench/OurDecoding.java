package dev.jformer.app.bench;

import dev.jformer.decode.Generator;
import dev.jformer.decode.Sampling;
import dev.jformer.model.CausalLm;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/** Greedy decoding of random prompts by a model that belongs to another. */
final class OurDecoding implements Workload {
  static final int PROMPT = 32;
  static final int NEW_TOKENS = 64;

  private final CausalLm model;
  private final List<int[]> prompts = new ArrayList<>();
  private final String name;

  OurDecoding(String name, CausalLm model, int batch) {
    this.name = name;
    this.model = model;
    Random.seed(1);
    try (Scope scope = Scope.open()) {
      for (int i = 0; i < batch; i++) {
        prompts.add(Tensor.randint(0, model.config().vocab(), PROMPT).toInts());
      }
    }
  }

  @Override
  public String name() {
    return name;
  }

  /** The tokens that a run makes. */
  int tokens() {
    return prompts.size() * NEW_TOKENS;
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
        .generate(prompts, new Generator.Request(NEW_TOKENS, Sampling.GREEDY), ids -> "", null);
    return (System.nanoTime() - start) / 1e6;
  }
}
