package dev.jformer.train;

import dev.jformer.data.DataException;
import dev.jformer.data.Epochs;
import dev.jformer.data.text.TextBatch;
import dev.jformer.metrics.ClassificationScores;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.Encoder;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** The task of training an encoder to classify texts. The same share of every class is held out. */
public final class TextClassification implements Classifying {
  private static final long SPLIT_SEED = 20;
  private static final int EVALUATED_TOGETHER = 64;

  private final Encoder model;
  private final List<Example> training = new ArrayList<>();
  private final List<Example> heldOut = new ArrayList<>();
  private final Epochs epochs;

  /** A tokenized text and its class. */
  public static final class Example {
    private final int[] ids;
    private final int label;

    /**
     * Creates an example.
     *
     * @param ids its tokens, at least one
     * @param label the number of its class
     */
    public Example(int[] ids, int label) {
      this.ids = ids;
      this.label = label;
    }
  }

  /**
   * Creates a task.
   *
   * @param validation share of each class that is held out
   * @throws DataException if nothing is left to learn from, or nothing is held out
   */
  public TextClassification(
      Encoder model, List<Example> examples, double validation, int batch, long seed) {
    this.model = model;
    java.util.Random random = new java.util.Random(SPLIT_SEED);
    for (int label = 0; label < model.config().labels(); label++) {
      int wanted = label;
      List<Example> one =
          new ArrayList<>(examples.stream().filter(e -> e.label == wanted).toList());
      Collections.shuffle(one, random);
      int count = (int) Math.round(validation * one.size());
      heldOut.addAll(one.subList(0, count));
      training.addAll(one.subList(count, one.size()));
    }
    if (training.isEmpty() || heldOut.isEmpty()) {
      throw new DataException(
          examples.size()
              + " texts, of which a share of "
              + validation
              + " is held out, leave "
              + training.size()
              + " to learn from and "
              + heldOut.size()
              + " to validate on: both need some (data.validation says how many)");
    }
    this.epochs = new Epochs(training.size(), batch, seed);
  }

  /** The number of training texts. */
  public int trainingTexts() {
    return training.size();
  }

  /** The number of held-out texts. */
  public int heldOutTexts() {
    return heldOut.size();
  }

  private List<Example> chosen(long index) {
    List<Example> chosen = new ArrayList<>();
    for (int i : epochs.chosen(index)) {
      chosen.add(training.get(i));
    }
    return chosen;
  }

  /** Padding does not count. */
  @Override
  public Tensor counted(long index) {
    return batch(model, chosen(index)).paddingMask();
  }

  @Override
  public Passes<Encoder> passes(long index) {
    List<Example> chosen = chosen(index);
    TextBatch batch = batch(model, chosen);
    Tensor labels = labels(chosen);
    return new Passes<>(
        Encoder.class,
        model,
        encoder -> encoder.logits(batch.ids(), batch.paddingMask()).to(DType.FLOAT32),
        logits -> Functional.crossEntropy(logits, labels, -1, 0));
  }

  /** Builds a batch of texts, truncated to the model's length. */
  private static TextBatch batch(Encoder model, List<Example> examples) {
    int longest = model.config().length();
    List<int[]> texts =
        examples.stream()
            .map(e -> java.util.Arrays.copyOf(e.ids, Math.min(longest, e.ids.length)))
            .toList();
    return TextBatch.of(texts, model.padding());
  }

  private static Tensor labels(List<Example> examples) {
    return Tensor.of(examples.stream().mapToLong(e -> e.label).toArray());
  }

  @Override
  public long unitsPerBatch() {
    return epochs.batch();
  }

  @Override
  public String unit() {
    return "texts";
  }

  /** Measures mean cross-entropy and accuracy on the held-out texts. */
  @Override
  public Metrics evaluate() {
    return evaluate(model, heldOut).metrics();
  }

  /** Measures a model on texts. */
  public static ClassificationScores evaluate(Encoder model, List<Example> examples) {
    ClassificationScores scores = new ClassificationScores();
    boolean learning = model.isTraining();
    model.train(false);
    try (Mode mode = Autograd.noGrad()) {
      for (int from = 0; from < examples.size(); from += EVALUATED_TOGETHER) {
        List<Example> some =
            examples.subList(from, Math.min(examples.size(), from + EVALUATED_TOGETHER));
        try (Scope scope = Scope.open()) {
          TextBatch batch = batch(model, some);
          scores.add(model.logits(batch.ids(), batch.paddingMask()), labels(some));
        }
      }
    } finally {
      model.train(learning);
    }
    return scores;
  }

  /** Computes the probabilities of the classes of a text, truncated to the model's length. */
  public static double[] probabilities(Encoder model, int[] ids) {
    model.train(false);
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      TextBatch batch = batch(model, List.of(new Example(ids, 0)));
      return model
          .logits(batch.ids(), batch.paddingMask())
          .to(DType.FLOAT32)
          .softmax(1)
          .toDoubles();
    }
  }
}
