package dev.jformer.studies.trial;

import dev.jformer.data.image.ImageSampler;
import dev.jformer.metrics.ClassificationScores;
import dev.jformer.metrics.Metric;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.Model;
import dev.jformer.model.vision.ImageModel;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.ImageClassification;

/** An image classifier to compress; see {@link Subject#images}. */
record ImageSubject(
    ImageModel model, ImageSampler calibration, long first, int batches, ImageSampler heldOut)
    implements Subject {
  @Override
  public Metrics evaluate(Model other) {
    ClassificationScores scores = new ClassificationScores();
    heldOut.heldOut((images, labels) -> scores.add(forward(other, images), labels));
    return Metrics.ofLoss(scores.loss(), "nats")
        .with(Metric.higher("right", 100 * scores.accuracy(), "%"));
  }

  @Override
  public void run(Model other) {
    for (int i = 0; i < batches; i++) {
      try (Scope scope = Scope.open();
          Mode mode = Autograd.noGrad()) {
        forward(other, calibration.batch(first + i).images());
      }
    }
  }

  @Override
  public Tensor loss(Model other) {
    return new ImageClassification((ImageModel) other, calibration, 0).loss(first);
  }

  @Override
  public Tensor outputs(Model other) {
    return forward(other, calibration.batch(first + batches).images());
  }

  @Override
  public Tensor inputs(int count) {
    int size = model.config().size();
    return Tensor.rand(count, ImageModel.CHANNELS, size, size);
  }

  @Override
  public Tensor forward(Model other, Tensor inputs) {
    return ((ImageModel) other).logits(inputs);
  }
}
