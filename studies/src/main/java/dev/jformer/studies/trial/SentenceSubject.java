package dev.jformer.studies.trial;

import dev.jformer.metrics.Metric;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.Encoder;
import dev.jformer.model.Model;
import dev.jformer.tensor.Tensor;
import java.util.Arrays;

/** A sentence encoder to compress; see {@link Subject#sentences}. */
record SentenceSubject(TextPairs pairs, int texts) implements Subject {
  private static final int LONGEST = 128;

  @Override
  public Encoder model() {
    return pairs.model();
  }

  @Override
  public Metrics evaluate(Model other) {
    return Metrics.of(Metric.higher("STS", pairs.score((Encoder) other), "Spearman x 100"));
  }

  @Override
  public void run(Model other) {
    pairs.embed((Encoder) other, texts);
  }

  /** Returns the embeddings of the calibration texts. */
  @Override
  public Tensor outputs(Model other) {
    float[][] rows = pairs.embed((Encoder) other, texts);
    return Tensor.stack(0, Arrays.stream(rows).map(Tensor::of).toArray(Tensor[]::new));
  }

  @Override
  public Tensor inputs(int count) {
    Encoder.Config config = model().config();
    return Tensor.randint(0, config.tokens(), count, Math.min(LONGEST, config.length()));
  }

  @Override
  public Tensor forward(Model other, Tensor inputs) {
    return ((Encoder) other).hidden(inputs, null);
  }
}
