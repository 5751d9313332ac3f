package dev.jformer.run;

import dev.jformer.data.Epochs;
import dev.jformer.data.text.TextPairs;
import dev.jformer.hub.SentenceEncoder;
import dev.jformer.metrics.Metric;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.Encoder;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.Classifying;
import dev.jformer.train.Passes;
import java.util.ArrayList;
import java.util.List;

/**
 * The task of training a sentence encoder by contrast (<a
 * href="https://arxiv.org/abs/1705.00652">Efficient Natural Language Response Suggestion for Smart
 * Reply</a>): of all second and third texts in a batch, the second one of a pair is to be the
 * nearest to the first. Texts that equal one of the pair are not held against it.
 */
final class ContrastiveLearning implements Classifying {
  private static final double HIDDEN = -1e9;

  private final SentenceEncoder encoder;
  private final List<TextPairs.Pair> training;
  private final List<TextPairs.Pair> heldOut;
  private final double scale;
  private final Epochs epochs;

  ContrastiveLearning(
      SentenceEncoder encoder,
      List<TextPairs.Pair> training,
      List<TextPairs.Pair> heldOut,
      double scale,
      int batch,
      long seed) {
    this.encoder = encoder;
    this.training = training;
    this.heldOut = heldOut;
    this.scale = scale;
    this.epochs = new Epochs(training.size(), batch, seed);
  }

  int trainingPairs() {
    return training.size();
  }

  int heldOutPairs() {
    return heldOut.size();
  }

  /** A batch: the first texts, the candidates that they may be near to, and which are left out. */
  private record Contrast(List<int[]> anchors, List<int[]> candidates, Tensor hidden) {}

  private Contrast contrast(List<TextPairs.Pair> pairs) {
    List<String> others = new ArrayList<>();
    pairs.forEach(pair -> others.add(pair.positive()));
    pairs.stream().filter(p -> p.negative() != null).forEach(p -> others.add(p.negative()));
    boolean[] hidden = new boolean[pairs.size() * others.size()];
    for (int i = 0; i < pairs.size(); i++) {
      TextPairs.Pair pair = pairs.get(i);
      for (int j = 0; j < others.size(); j++) {
        String other = others.get(j);
        boolean same =
            other.equals(pair.positive())
                || other.equals(pair.anchor())
                || (j < pairs.size() && pairs.get(j).anchor().equals(pair.anchor()));
        hidden[i * others.size() + j] = same && i != j;
      }
    }
    return new Contrast(
        pairs.stream().map(pair -> encoder.encode(pair.anchor())).toList(),
        others.stream().map(encoder::encode).toList(),
        Tensor.of(hidden, pairs.size(), others.size()));
  }

  @Override
  public Passes<Encoder> passes(long index) {
    List<TextPairs.Pair> pairs = new ArrayList<>();
    for (int i : epochs.chosen(index)) {
      pairs.add(training.get(i));
    }
    return passes(contrast(pairs));
  }

  private Passes<Encoder> passes(Contrast contrast) {
    Tensor targets = Tensor.arange(0, contrast.anchors().size());
    return new Passes<>(
        Encoder.class,
        encoder.model(),
        model -> logits(contrast, encoder.with(model)),
        logits -> Functional.crossEntropy(logits, targets, -1, 0));
  }

  private Tensor logits(Contrast contrast, SentenceEncoder embedding) {
    Tensor anchors = unit(embedding.vectors(contrast.anchors()));
    Tensor candidates = unit(embedding.vectors(contrast.candidates()));
    return anchors.matmul(candidates.t()).mul(scale).maskedFill(contrast.hidden(), HIDDEN);
  }

  private static Tensor unit(Tensor vectors) {
    Tensor x = vectors.to(DType.FLOAT32);
    return x.div(x.square().sum(1, true).clamp(1e-24, Double.POSITIVE_INFINITY).sqrt());
  }

  @Override
  public long unitsPerBatch() {
    return epochs.batch();
  }

  @Override
  public String unit() {
    return "pairs";
  }

  /**
   * Measures the loss on held-out pairs, in batches as large as those of training, and the share of
   * pairs whose second text is the nearest of its batch.
   */
  @Override
  public Metrics evaluate() {
    double loss = 0;
    double nearest = 0;
    for (int from = 0; from < heldOut.size(); from += epochs.batch()) {
      List<TextPairs.Pair> some =
          heldOut.subList(from, Math.min(heldOut.size(), from + epochs.batch()));
      try (Scope scope = Scope.open()) {
        Prediction prediction = passes(contrast(some)).get();
        loss += prediction.loss().item() * some.size();
        long[] best = prediction.logits().argmax(1).toLongs();
        for (int i = 0; i < best.length; i++) {
          nearest += best[i] == i ? 1 : 0;
        }
      }
    }
    return Metrics.ofLoss(loss / heldOut.size(), "nats per pair")
        .with(Metric.higher("nearest", nearest / heldOut.size(), ""));
  }
}
