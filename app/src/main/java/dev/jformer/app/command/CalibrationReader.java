package dev.jformer.app.command;

import dev.jformer.compress.CalibrationData;
import dev.jformer.data.image.ImageFile;
import dev.jformer.data.image.ImageSampler;
import dev.jformer.data.text.Corpus;
import dev.jformer.data.text.HeldOut;
import dev.jformer.data.text.LabelledTexts;
import dev.jformer.data.text.ScoredPairs;
import dev.jformer.data.text.TextBatch;
import dev.jformer.data.text.TokenFile;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.data.tokenizer.Tokenizers;
import dev.jformer.io.FileTree;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Encoder;
import dev.jformer.model.Model;
import dev.jformer.model.vision.ImageClassifier;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Batches of a user's data, of the kind that a model takes, to calibrate with. */
final class CalibrationReader implements CalibrationData, AutoCloseable {
  private static final int BATCH = 8;

  private final String source;
  private final Class<? extends Model> family;
  private final List<Batch> batches = new ArrayList<>();
  private final Console console;
  private final boolean causal;

  /** Ids or images; which of the ids are no padding, or null; classes or next ids, or null. */
  private record Batch(Tensor input, Tensor paddingMask, Tensor target) {}

  private CalibrationReader(Path source, Model model, Console console) {
    this.source = source.toString();
    this.family = model.getClass();
    this.console = console;
    this.causal = model instanceof CausalLm;
  }

  /**
   * Reads data for a model.
   *
   * @param folder the model's
   * @param data texts, labelled texts or images, as the model takes them
   * @param count the most batches
   */
  static CalibrationReader read(
      Model model, Path folder, Path data, List<String> endings, int count, Console console)
      throws IOException {
    CalibrationReader made = new CalibrationReader(data, model, console);
    try (Scope scope = Scope.open()) {
      if (model instanceof ImageClassifier images) {
        made.images(images, folder, data, count);
      } else if (model instanceof Encoder encoder && encoder.config().labels() > 0) {
        LabelledTexts labelled = LabelledTexts.read(data, false);
        made.texts(encoder, folder, labelled.texts(), made.classes(folder, labelled), count);
      } else if (ForwardBenchmark.embeds(model)) {
        List<String> texts = new ArrayList<>();
        for (Path file : StsEvaluation.files(data)) {
          texts.addAll(ScoredPairs.read(file).first());
        }
        made.texts((Encoder) model, folder, texts, List.of(), count);
      } else if (model instanceof CausalLm lm) {
        made.tokens(folder, data, endings, lm.config().length(), count);
      } else if (model instanceof Encoder encoder) {
        made.tokens(folder, data, endings, encoder.config().length(), count);
      } else {
        throw new CommandException(
            folder
                + " holds a "
                + model.config().type()
                + ", for which calibration data cannot be read: expected a model of texts or"
                + " images");
      }
    }
    if (made.batches.isEmpty()) {
      throw new CommandException(data + " is empty: there is nothing to calibrate with");
    }
    return made;
  }

  private void add(Tensor input, Tensor paddingMask, Tensor target, int most) {
    if (batches.size() < most) {
      batches.add(new Batch(input.copy().keep(), kept(paddingMask), kept(target)));
    }
  }

  private static Tensor kept(Tensor tensor) {
    return tensor == null ? null : tensor.copy().keep();
  }

  private void tokens(Path folder, Path data, List<String> endings, int length, int count)
      throws IOException {
    Path scratch = Files.createTempDirectory("jformer-calibration");
    try (TokenFile tokens =
        TokenFile.prepare(
            scratch, Corpus.open(data, endings), Tokenizers.load(folder), 1, bytes -> {})) {
      HeldOut.read(
          tokens,
          BATCH,
          length,
          count,
          // Only a model that predicts the next token is told what should follow.
          batch -> add(batch.inputs(), null, causal ? batch.targets() : null, count));
    } finally {
      FileTree.delete(scratch);
    }
  }

  /** The number that the model has for the class of each text; empty where that is not known. */
  private List<Integer> classes(Path folder, LabelledTexts texts) {
    if (!Classes.exists(folder)) {
      return List.of();
    }
    int[] numbers = Classes.load(folder).numbers(texts.classes(), source);
    return texts.labels().stream().map(label -> numbers[label]).toList();
  }

  private void texts(
      Encoder model, Path folder, List<String> texts, List<Integer> classes, int count)
      throws IOException {
    Tokenizer tokenizer = Tokenizers.load(folder);
    int longest = model.config().length();
    List<int[]> some = new ArrayList<>();
    List<Integer> targets = new ArrayList<>();
    for (int i = 0; i < texts.size() && some.size() < BATCH * count; i++) {
      int[] ids = tokenizer.encodeWhole(texts.get(i), longest);
      if (ids.length > 0) {
        some.add(ids);
        if (!classes.isEmpty()) {
          targets.add(classes.get(i));
        }
      }
    }
    for (int from = 0; from < some.size(); from += BATCH) {
      int to = Math.min(some.size(), from + BATCH);
      TextBatch batch = TextBatch.of(some.subList(from, to), model.padding());
      Tensor target =
          targets.isEmpty()
              ? null
              : Tensor.of(targets.subList(from, to).stream().mapToLong(t -> t).toArray());
      add(batch.ids(), batch.paddingMask(), target, count);
    }
  }

  private void images(ImageClassifier model, Path folder, Path data, int count) throws IOException {
    Path scratch = Files.createTempDirectory("jformer-calibration");
    try (ImageFile file = ImageAssignment.read(data, scratch, model.config().size(), console)) {
      int[] numbers =
          Classes.exists(folder)
              ? Classes.load(folder).numbers(file.header().classes(), source)
              : null;
      ImageSampler.all(
          file,
          (images, labels) -> {
            Tensor targets =
                numbers == null ? null : Tensor.of(numbers).to(DType.INT64).indexSelect(0, labels);
            add(images, null, targets, count);
          });
    } finally {
      FileTree.delete(scratch);
    }
  }

  /** On the first batch. */
  @Override
  public Tensor loss(Model model) {
    Batch first = batches.get(0);
    if (first.target() == null) {
      return CalibrationData.super.loss(model);
    }
    if (model instanceof CausalLm lm) {
      return lm.loss(first.input(), first.target());
    }
    Tensor logits = ForwardBenchmark.forward(model, first.input(), first.paddingMask());
    return Functional.crossEntropy(logits.to(DType.FLOAT32), first.target(), -1, 0);
  }

  @Override
  public void run(Model model) {
    if (!family.isInstance(model)) {
      throw new IllegalArgumentException(
          source
              + " was read for a "
              + family.getSimpleName()
              + ": it cannot calibrate a "
              + model.config().type());
    }
    try (Mode mode = Autograd.noGrad();
        Console.Bar bar = console.bar("calibrating", batches.size(), "batches")) {
      long done = 0;
      for (Batch batch : batches) {
        try (Scope scope = Scope.open()) {
          ForwardBenchmark.forward(model, batch.input(), batch.paddingMask());
        }
        bar.at(++done, "");
      }
    }
  }

  @Override
  public void close() {
    for (Batch batch : batches) {
      batch.input().close();
      if (batch.paddingMask() != null) {
        batch.paddingMask().close();
      }
      if (batch.target() != null) {
        batch.target().close();
      }
    }
  }
}
