package dev.jformer.app.bench;

import dev.jformer.compress.Compression;
import dev.jformer.config.Configs;
import dev.jformer.model.Encoder;
import dev.jformer.model.Model;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;

/**
 * An encoder of the shape of all-MiniLM-L6-v2 (22 M parameters, random) on 32 texts of 128 tokens.
 */
final class OurEncoding implements Workload {
  private static final int BATCH = 32;
  private static final int LENGTH = 128;
  static final int TOKENS = BATCH * LENGTH;
  private static final String CONFIG =
      "{\"model\":\"encoder\",\"layers\":6,\"width\":384,\"vocab\":30522,\"length\":512,"
          + "\"placement\":\"post\",\"dropout\":0,\"mixer\":{\"heads\":12},\"ffn\":{\"expand\":4}}";

  private final String name;
  private final Encoder model;
  private final Tensor ids;

  /** After surgery that needs no data; none if it is null. */
  OurEncoding(String name, Compression surgery) {
    this.name = name;
    Random.seed(1);
    try (Scope scope = Scope.open()) {
      Encoder plain = (Encoder) Configs.parse(CONFIG, Model.Config.class).build();
      this.ids = Tensor.randint(0, 30_520, BATCH, LENGTH).keep();
      plain.train(false);
      this.model = surgery == null ? plain : (Encoder) surgery.apply(plain, null);
      if (surgery != null) {
        plain.close();
      }
    }
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public double run() {
    long start = System.nanoTime();
    try (Scope scope = Scope.open();
        Mode mode = Autograd.inference()) {
      model.hidden(ids, null);
    }
    return (System.nanoTime() - start) / 1e6;
  }

  @Override
  public void close() {
    model.close();
    ids.close();
  }
}
