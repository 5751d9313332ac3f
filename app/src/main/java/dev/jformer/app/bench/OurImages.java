package dev.jformer.app.bench;

import dev.jformer.model.vision.ImageModel;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;

/** Forward passes of a classifier of images. */
final class OurImages implements Workload {
  private final String name;
  private final ImageModel model;
  private final Tensor images;
  private final int steps;

  OurImages(String name, ImageModel.Config config, int batch, int steps) {
    this.name = name;
    this.steps = steps;
    Random.seed(1);
    try (Scope scope = Scope.open()) {
      this.model = config.build();
      this.model.train(false);
      this.images = Tensor.rand(batch, ImageModel.CHANNELS, config.size(), config.size()).keep();
    }
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public double run() {
    long start = System.nanoTime();
    for (int i = 0; i < steps; i++) {
      try (Scope scope = Scope.open();
          Mode mode = Autograd.noGrad()) {
        model.logits(images);
      }
    }
    return (System.nanoTime() - start) / 1e6 / steps;
  }

  @Override
  public void close() {
    model.close();
    images.close();
  }
}
