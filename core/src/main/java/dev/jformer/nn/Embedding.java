package dev.jformer.nn;

import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;

/** A table of vectors: int64 ids [...] to [..., D]. */
public final class Embedding extends TokenEmbedding {
  private final Parameter weight;

  /** Creates a table [count, width]. */
  public Embedding(long count, long width, Initializer initializer) {
    this.weight = parameter("weight", initializer.create(count, width));
  }

  @Override
  public Tensor forward(Tensor ids) {
    return Functional.embedding(ids, weight.value());
  }

  @Override
  public Linear output() {
    return new Linear(weight);
  }

  /** The table [count, D]. */
  public Parameter weight() {
    return weight;
  }
}
