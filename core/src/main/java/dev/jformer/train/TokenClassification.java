package dev.jformer.train;

import dev.jformer.data.DataException;
import dev.jformer.data.Epochs;
import dev.jformer.data.text.TaggedTexts;
import dev.jformer.data.text.TextBatch;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.data.tokenizer.WordWindows;
import dev.jformer.metrics.EntityScores;
import dev.jformer.metrics.Metric;
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
import java.util.Comparator;
import java.util.List;
import java.util.stream.LongStream;

/**
 * The task of training an encoder to label the words of sentences, such as named-entity
 * recognition. The first token of a word carries its label; the others, and special tokens, do not
 * count. A sentence that is longer than the model is read in overlapping windows.
 */
public final class TokenClassification implements Classifying {
  private static final int EVALUATED_TOGETHER = 64;

  private final Encoder model;
  private final List<String> labels;
  private final List<Labelled> training = new ArrayList<>();
  private final List<Example> heldOut;
  private final Epochs epochs;

  /**
   * A sentence as a model reads it.
   *
   * @param sentence its words and tags
   * @param encoding its tokens
   * @param targets the index of each word's label
   */
  public record Example(
      TaggedTexts.Sentence sentence, WordWindows encoding, List<Integer> targets) {
    /** The target of each token of a window; -1 for those that have none. */
    public long[] targets(WordWindows.Window window) {
      long[] each = new long[window.length()];
      Arrays.fill(each, -1);
      for (int word = window.firstWord(); word < window.firstWord() + window.words(); word++) {
        if (window.place(word) >= 0) {
          each[window.place(word)] = targets.get(word);
        }
      }
      return each;
    }
  }

  /** A window and the target of each of its tokens, -1 for none. */
  private static final class Labelled {
    private final int[] ids;
    private final long[] targets;

    Labelled(int[] ids, long[] targets) {
      this.ids = ids;
      this.targets = targets;
    }
  }

  /**
   * The label that a model gives to a word.
   *
   * @param label its index
   * @param probability its probability
   */
  public record WordLabel(int label, double probability) {}

  /**
   * Creates a task.
   *
   * @param labels the names of the model's labels
   * @param examples the sentences to learn from
   * @param heldOut the sentences to validate on
   * @throws DataException if there is nothing to learn from or to validate on
   */
  public TokenClassification(
      Encoder model,
      List<String> labels,
      List<Example> examples,
      List<Example> heldOut,
      int batch,
      long seed) {
    this.model = model;
    this.labels = labels;
    this.heldOut = heldOut;
    for (Example example : examples) {
      for (WordWindows.Window window : example.encoding().windows()) {
        long[] targets = example.targets(window);
        if (Arrays.stream(targets).anyMatch(target -> target >= 0)) {
          training.add(new Labelled(window.ids(), targets));
        }
      }
    }
    if (training.isEmpty() || heldOut.isEmpty()) {
      throw new DataException(
          "there are "
              + training.size()
              + " sentences to learn from and "
              + heldOut.size()
              + " to validate on: both need some (data.validation says how many are held out)");
    }
    this.epochs = new Epochs(training.size(), batch, seed);
  }

  /**
   * Encodes sentences for a model.
   *
   * @param longest the most tokens that it reads at once
   * @param numbers the index in the model of each of the texts' {@link TaggedTexts#tags tags}
   */
  public static List<Example> encode(
      TaggedTexts texts, Tokenizer tokenizer, int longest, int[] numbers) {
    List<Example> examples = new ArrayList<>();
    for (TaggedTexts.Sentence sentence : texts.sentences()) {
      List<Integer> targets =
          sentence.tags().stream().map(tag -> numbers[texts.tags().indexOf(tag)]).toList();
      examples.add(
          new Example(sentence, WordWindows.of(tokenizer, sentence.words(), longest), targets));
    }
    return examples;
  }

  /** The number of training sentences, or of windows if sentences are long. */
  public int trainingTexts() {
    return training.size();
  }

  /** The number of held-out sentences. */
  public int heldOutTexts() {
    return heldOut.size();
  }

  private List<Labelled> chosen(long index) {
    List<Labelled> chosen = new ArrayList<>();
    for (int i : epochs.chosen(index)) {
      chosen.add(training.get(i));
    }
    return chosen;
  }

  private TextBatch batch(List<Labelled> rows) {
    return TextBatch.of(rows.stream().map(row -> row.ids).toList(), model.padding());
  }

  /** Padding does not count. */
  @Override
  public Tensor counted(long index) {
    return batch(chosen(index)).paddingMask();
  }

  @Override
  public Passes<Encoder> passes(long index) {
    List<Labelled> chosen = chosen(index);
    TextBatch batch = batch(chosen);
    Tensor places = labelled(chosen, batch.ids().size(1));
    Tensor targets =
        Tensor.of(
            chosen.stream()
                .flatMapToLong(l -> Arrays.stream(l.targets).filter(target -> target >= 0))
                .toArray());
    return new Passes<>(
        Encoder.class,
        model,
        encoder -> {
          Tensor all = encoder.logits(batch.ids(), batch.paddingMask()).flatten(0, 1);
          return all.indexSelect(0, places).to(DType.FLOAT32);
        },
        logits -> Functional.crossEntropy(logits, targets, -1, 0));
  }

  /** The indices of labelled tokens among all tokens of a batch of rows of a length. */
  private static Tensor labelled(List<Labelled> rows, long length) {
    LongStream.Builder places = LongStream.builder();
    for (int row = 0; row < rows.size(); row++) {
      long[] targets = rows.get(row).targets;
      for (int t = 0; t < targets.length; t++) {
        if (targets[t] >= 0) {
          places.add(row * length + t);
        }
      }
    }
    return Tensor.of(places.build().toArray());
  }

  @Override
  public long unitsPerBatch() {
    return epochs.batch();
  }

  @Override
  public String unit() {
    return "sentences";
  }

  /** Measures F1 of entities, and the mean cross-entropy of labels, on the held-out sentences. */
  @Override
  public Metrics evaluate() {
    return evaluate(model, labels, heldOut, new EntityScores());
  }

  /**
   * Measures a model on sentences.
   *
   * @param labels the names of its labels
   * @param scores receives the scores of each type
   */
  public static Metrics evaluate(
      Encoder model, List<String> labels, List<Example> examples, EntityScores scores) {
    Predictor predictor = new Predictor(model, labels.indexOf("O"));
    List<WordWindows> encodings = examples.stream().map(Example::encoding).toList();
    List<List<Integer>> targets = examples.stream().map(Example::targets).toList();
    List<List<WordLabel>> found = predictor.predict(encodings, targets);
    for (int i = 0; i < examples.size(); i++) {
      scores.add(
          examples.get(i).sentence().tags(),
          found.get(i).stream().map(word -> labels.get(word.label())).toList());
    }
    return scores.metrics().with(Metric.lower(Metric.LOSS, predictor.loss(), "nats per word"));
  }

  /**
   * Labels the words of sentences.
   *
   * @param outside the index of the label of words without a token
   * @param words the number of words of each sentence
   * @return a label for each word of each sentence
   */
  public static List<List<WordLabel>> predict(
      Encoder model, List<WordWindows> encodings, List<Integer> words, int outside) {
    List<List<Integer>> none = words.stream().map(count -> Collections.nCopies(count, -1)).toList();
    return new Predictor(model, outside).predict(encodings, none);
  }

  /** Runs a model on windows of similar length and collects the labels of words. */
  private static final class Predictor {
    private final Encoder model;
    private final int outside;
    private double loss;
    private long count;

    Predictor(Encoder model, int outside) {
      this.model = model;
      this.outside = Math.max(0, outside);
    }

    double loss() {
      return loss / count;
    }

    private record Place(int sentence, WordWindows.Window window) {}

    List<List<WordLabel>> predict(List<WordWindows> encodings, List<List<Integer>> targets) {
      List<List<WordLabel>> found = new ArrayList<>();
      List<Place> all = new ArrayList<>();
      for (int i = 0; i < encodings.size(); i++) {
        found.add(
            new ArrayList<>(Collections.nCopies(targets.get(i).size(), new WordLabel(outside, 1))));
        for (WordWindows.Window window : encodings.get(i).windows()) {
          all.add(new Place(i, window));
        }
      }
      all.sort(Comparator.comparingInt(place -> place.window().length()));
      boolean learning = model.isTraining();
      model.train(false);
      try (Mode mode = Autograd.noGrad()) {
        for (int from = 0; from < all.size(); from += EVALUATED_TOGETHER) {
          List<Place> some = all.subList(from, Math.min(all.size(), from + EVALUATED_TOGETHER));
          try (Scope scope = Scope.open()) {
            batch(some, targets, found);
          }
        }
      } finally {
        model.train(learning);
      }
      return found;
    }

    private void batch(List<Place> some, List<List<Integer>> targets, List<List<WordLabel>> found) {
      TextBatch batch =
          TextBatch.of(some.stream().map(p -> p.window().ids()).toList(), model.padding());
      Tensor logits = model.logits(batch.ids(), batch.paddingMask()).to(DType.FLOAT32);
      int classes = (int) logits.size(2);
      int length = (int) logits.size(1);
      float[] probabilities = logits.softmax(2).toFloats();
      for (int row = 0; row < some.size(); row++) {
        WordWindows.Window window = some.get(row).window();
        int sentence = some.get(row).sentence();
        for (int word = window.firstWord(); word < window.firstWord() + window.words(); word++) {
          int place = window.place(word);
          if (place >= 0) {
            int at = (row * length + place) * classes;
            found.get(sentence).set(word, best(probabilities, at, classes));
            int target = targets.get(sentence).get(word);
            if (target >= 0) {
              loss -= Math.log(Math.max(Float.MIN_NORMAL, probabilities[at + target]));
              count++;
            }
          }
        }
      }
    }

    private static WordLabel best(float[] probabilities, int at, int classes) {
      int best = 0;
      for (int label = 1; label < classes; label++) {
        if (probabilities[at + label] > probabilities[at + best]) {
          best = label;
        }
      }
      return new WordLabel(best, probabilities[at + best]);
    }
  }
}
