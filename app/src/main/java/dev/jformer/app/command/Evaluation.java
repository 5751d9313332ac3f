package dev.jformer.app.command;

import dev.jformer.data.image.ImageFile;
import dev.jformer.data.text.Corpus;
import dev.jformer.data.text.LabelledTexts;
import dev.jformer.data.text.TokenFile;
import dev.jformer.data.tokenizer.Tokenizers;
import dev.jformer.io.FileTree;
import dev.jformer.metrics.ClassificationScores;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Encoder;
import dev.jformer.model.EncoderDecoder;
import dev.jformer.model.Model;
import dev.jformer.model.vision.ImageClassifier;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.train.LanguageModelling;
import dev.jformer.train.MaskedModelling;
import dev.jformer.train.TextClassification;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * How well a model does on some data.
 *
 * @param folder the model's
 * @param data what it is held to; null for what its training held out, where that is there
 * @param endings of the files of a text that count; empty for all
 * @param batch sequences at a time
 */
record Evaluation(
    Path folder, Path data, List<String> endings, int batch, boolean json, Console console) {
  /** What the figures are, in words or as JSON. */
  String of(Model model) throws IOException {
    if (model instanceof CausalLm lm) {
      return withTokens(tokens -> language(lm, tokens));
    }
    if (model instanceof Encoder encoder) {
      if (encoder.config().labels() > 0) {
        return texts(encoder);
      }
      if (!encoder.config().head().mlmHead()) {
        throw new CommandException(
            folder
                + " holds an encoder that neither fills in nor classifies: measure its embeddings"
                + " with --task sts");
      }
      return withTokens(tokens -> filling(encoder, tokens));
    }
    if (model instanceof ImageClassifier images) {
      return images(images);
    }
    if (model instanceof EncoderDecoder) {
      throw new CommandException(
          folder
              + " holds a translator: give texts with --source, their translations with --target");
    }
    throw new CommandException(
        folder
            + " holds a "
            + model.config().type()
            + ", which eval cannot measure: a forecaster is held to what came by 'jformer forecast"
            + " --backtest'");
  }

  private interface Measure {
    String of(TokenFile tokens);
  }

  private String withTokens(Measure measure) throws IOException {
    if (data == null) {
      Path held = folder.resolve("data");
      if (!Files.isDirectory(held)) {
        throw new CommandException(
            folder + " holds no text from its training: give some with --data");
      }
      try (TokenFile tokens = TokenFile.open(held);
          Mode mode = Autograd.inference()) {
        return measure.of(tokens);
      }
    }
    Path scratch = Files.createTempDirectory("jformer-eval");
    try (TokenFile tokens =
            TokenFile.prepare(
                scratch, Corpus.open(data, endings), Tokenizers.load(folder), 1, bytes -> {});
        Mode mode = Autograd.inference()) {
      return measure.of(tokens);
    } finally {
      FileTree.delete(scratch);
    }
  }

  private String language(CausalLm model, TokenFile tokens) {
    double loss = LanguageModelling.evaluate(model, tokens, batch, Long.MAX_VALUE);
    TokenFile.Header header = tokens.header();
    double perByte = loss * header.validationTokens() / header.validationBytes();
    return String.format(
        Locale.ROOT,
        json
            ? "{\"tokens\":%d,\"loss\":%.6f,\"perplexity\":%.4f,\"lossPerByte\":%.6f,\"bitsPerByte\":%.6f}"
            : "%,d tokens: loss %.4f nats per token (perplexity %.2f), %.4f nats or %.4f bits per byte",
        header.validationTokens(),
        loss,
        Math.exp(loss),
        perByte,
        perByte / Math.log(2));
  }

  private String filling(Encoder model, TokenFile tokens) {
    model.train(false);
    double loss = new MaskedModelling(model, tokens, batch, 1, Long.MAX_VALUE).evaluate().loss();
    return String.format(
        Locale.ROOT,
        json
            ? "{\"tokens\":%d,\"loss\":%.6f,\"perplexity\":%.4f}"
            : "%,d tokens, 15 %% asked for: loss %.4f nats per token asked for (perplexity %.2f)",
        tokens.header().validationTokens(),
        loss,
        Math.exp(loss));
  }

  private Path labelled() {
    if (data == null) {
      throw new CommandException("give what the model is held to with --data");
    }
    return data;
  }

  private String texts(Encoder model) throws IOException {
    Classes classes = Classes.load(folder, model.config().labels());
    LabelledTexts texts = LabelledTexts.read(labelled(), false);
    ClassificationScores scores =
        TextClassification.evaluate(
            model,
            ClassifiedTexts.of(
                texts, classes, Tokenizers.load(folder), model.config().length(), data.toString()));
    return describe(scores, "texts");
  }

  private String images(ImageClassifier model) throws IOException {
    Classes classes = Classes.load(folder, model.config().classes());
    Path scratch = Files.createTempDirectory("jformer-eval");
    try (ImageFile file =
        ImageAssignment.read(labelled(), scratch, model.config().size(), console)) {
      int[] numbers = classes.numbers(file.header().classes(), data.toString());
      return describe(
          dev.jformer.train.ImageClassification.evaluate(model, file, numbers), "images");
    } finally {
      FileTree.delete(scratch);
    }
  }

  private String describe(ClassificationScores scores, String unit) {
    return String.format(
        Locale.ROOT,
        json
            ? "{\"%s\":%d,\"accuracy\":%.6f,\"loss\":%.6f}"
            : "%2$,d %1$s: %3$.2f %% right, loss %4$.4f nats",
        unit,
        scores.count(),
        json ? scores.accuracy() : 100 * scores.accuracy(),
        scores.loss());
  }
}
