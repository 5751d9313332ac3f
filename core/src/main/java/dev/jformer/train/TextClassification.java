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
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.LongFunction;

/** The task of training an encoder to classify texts, or other sequences of tokens. */
public final class TextClassification implements Classifying, TextReading {
  private static final long SPLIT_SEED = 20;
  private static final int EVALUATED_TOGETHER = 64;

  private final Encoder model;
  private final long count;
  private final LongFunction<List<Example>> batches;
  private final int batch;
  private final List<Example> heldOut;
  private final String unit;

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
   * Creates a task on texts, of which the same share of every class is held out.
   *
   * @param validation share of each class that is held out
   * @throws DataException if nothing is left to learn from, or nothing is held out
   */
  public TextClassification(
      Encoder model, List<Example> examples, double validation, int batch, long seed) {
    this.model = model;
    this.unit = "texts";
    List<Example> training = new ArrayList<>();
    this.heldOut = new ArrayList<>();
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
    Epochs epochs = new Epochs(training.size(), batch, seed);
    this.count = training.size();
    this.batch = epochs.batch();
    this.batches = index -> Arrays.stream(epochs.chosen(index)).mapToObj(training::get).toList();
  }

  /**
   * Creates a task on sequences that are drawn elsewhere.
   *
   * @param count number of sequences to learn from; 0 for new ones always
   * @param batches gives the sequences of a batch by its number
   * @param batch sequences in a batch
   * @param heldOut sequences to evaluate on
   * @param unit what a sequence is called, in the plural
   */
  public TextClassification(
      Encoder model,
      long count,
      LongFunction<List<Example>> batches,
      int batch,
      List<Example> heldOut,
      String unit) {
    this.model = model;
    this.count = count;
    this.batches = batches;
    this.batch = batch;
    this.heldOut = List.copyOf(heldOut);
    this.unit = unit;
  }

  /** The number of training texts; 0 for new ones always. */
  public long trainingTexts() {
    return count;
  }

  /** The number of held-out texts. */
  public int heldOutTexts() {
    return heldOut.size();
  }

  @Override
  public Encoder model() {
    return model;
  }

  @Override
  public TextBatch texts(long index) {
    return batch(model, batches.apply(index));
  }

  @Override
  public void heldOutTexts(Consumer<TextBatch> consumer) {
    for (int from = 0; from < heldOut.size(); from += EVALUATED_TOGETHER) {
      try (Scope scope = Scope.open()) {
        int to = Math.min(heldOut.size(), from + EVALUATED_TOGETHER);
        consumer.accept(batch(model, heldOut.subList(from, to)));
      }
    }
  }

  /** Padding does not count. */
  @Override
  public Tensor counted(long index) {
    return texts(index).paddingMask();
  }

  @Override
  public Passes<Encoder> passes(long index) {
    List<Example> chosen = batches.apply(index);
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
        examples.stream().map(e -> Arrays.copyOf(e.ids, Math.min(longest, e.ids.length))).toList();
    return TextBatch.of(texts, model.padding());
  }

  private static Tensor labels(List<Example> examples) {
    return Tensor.of(examples.stream().mapToLong(e -> e.label).toArray());
  }

  @Override
  public long unitsPerBatch() {
    return batch;
  }

  @Override
  public String unit() {
    return unit;
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
