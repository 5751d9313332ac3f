package dev.jformer.run;

import dev.jformer.data.text.LabelledTexts;
import dev.jformer.data.text.TextBatch;
import dev.jformer.data.text.TextLines;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.model.Encoder;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.TextClassification;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Encodes texts as an encoder takes them. */
final class EncodedTexts {
  private EncodedTexts() {}

  /** Texts, and the lines of text files that are not blank. */
  static List<String> lines(List<String> texts, List<Path> files) {
    List<String> all = new ArrayList<>(texts);
    for (Path file : files) {
      TextLines.read(file).stream().filter(line -> !line.isBlank()).forEach(all::add);
    }
    return all;
  }

  /**
   * Tokenizes labelled texts and numbers their classes.
   *
   * @param longest the most tokens of a text, special ones included
   * @param source the name of their source, for messages
   */
  static List<TextClassification.Example> examples(
      LabelledTexts texts, ClassNames classes, Tokenizer tokenizer, int longest, String source) {
    int[] numbers = classes.numbers(texts.classes(), source);
    List<TextClassification.Example> examples = new ArrayList<>();
    for (int i = 0; i < texts.texts().size(); i++) {
      int[] ids = tokenizer.encodeWhole(texts.texts().get(i), longest);
      examples.add(new TextClassification.Example(ids, numbers[texts.labels().get(i)]));
    }
    return examples;
  }

  /**
   * Adds batches of texts to calibration data.
   *
   * @param classes the number of each text's class; empty if unknown
   */
  static void calibrate(
      CalibrationBatches batches,
      Encoder model,
      Tokenizer tokenizer,
      List<String> texts,
      List<Integer> classes) {
    int longest = model.config().length();
    int size = CalibrationBatches.BATCH;
    List<int[]> some = new ArrayList<>();
    List<Integer> targets = new ArrayList<>();
    for (int i = 0; i < texts.size() && some.size() < size * batches.most(); i++) {
      int[] ids = tokenizer.encodeWhole(texts.get(i), longest);
      if (ids.length > 0) {
        some.add(ids);
        if (!classes.isEmpty()) {
          targets.add(classes.get(i));
        }
      }
    }
    for (int from = 0; from < some.size(); from += size) {
      int to = Math.min(some.size(), from + size);
      TextBatch batch = TextBatch.of(some.subList(from, to), model.padding());
      Tensor target =
          targets.isEmpty()
              ? null
              : Tensor.of(targets.subList(from, to).stream().mapToLong(t -> t).toArray());
      batches.add(batch.ids(), batch.paddingMask(), target);
    }
  }
}
