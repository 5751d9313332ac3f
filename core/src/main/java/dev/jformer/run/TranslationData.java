package dev.jformer.run;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import io.soabase.recordbuilder.core.RecordBuilder;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * Configuration of the texts and translations that an encoder-decoder is trained on. A recipe's
 * {@code training.batch} is the most pairs of a batch, {@code tokens} the most tokens.
 *
 * @param source a file with one text per line, plain or compressed by gzip
 * @param target a file with their translations
 * @param validationSource texts to validate on; empty to hold out some of the training pairs
 * @param validationTarget their translations
 * @param validation share of the pairs that is held out if there is no {@code validationSource}
 * @param tokenizer as {@link TextData}'s; one vocabulary is learned from both files
 * @param vocabulary the number of tokens to learn
 * @param tokens the most tokens of a batch: its pairs times the longest text in it
 * @param smoothing share of each target that is spread over the vocabulary (label smoothing, <a
 *     href="https://arxiv.org/abs/1512.00567">Rethinking the Inception Architecture for Computer
 *     Vision</a>)
 * @param select the measure that selects the best weights
 */
@AutoService(DataConfig.class)
@RecordBuilder
public record TranslationData(
    String source,
    String target,
    String validationSource,
    String validationTarget,
    double validation,
    String tokenizer,
    int vocabulary,
    int tokens,
    double smoothing,
    Select select)
    implements DataConfig, TranslationDataBuilder.With {
  /** The measure that selects the best weights. */
  public enum Select {
    /** {@link dev.jformer.metrics.Bleu BLEU} of greedy translations of the held-out texts. */
    BLEU,
    /** Cross-entropy of the held-out translations. */
    LOSS
  }

  /** Defaults: a vocabulary of 4096 tokens learned from both sides, batches of 4096 tokens. */
  public TranslationData() {
    this("", "", "", "", 0.02, "bpe", 4096, 4096, 0.1, Select.BLEU);
  }

  /** Checks the values. */
  public TranslationData {
    Checks.part("validation", validation);
    Checks.atLeast("vocabulary", vocabulary, 1);
    Checks.atLeast("tokens", tokens, 1);
    Checks.share("smoothing", smoothing);
    if (validationSource.isEmpty() != validationTarget.isEmpty()) {
      throw new IllegalArgumentException(
          "validationSource is '"
              + validationSource
              + "' and validationTarget is '"
              + validationTarget
              + "': expected both or neither");
    }
  }

  @Override
  public String type() {
    return "translation";
  }

  @Override
  public List<Path> inputs() {
    return Stream.of(source, target, validationSource, validationTarget)
        .filter(file -> !file.isEmpty())
        .map(Path::of)
        .toList();
  }

  @Override
  public TranslationData withSource(String source) {
    return TranslationDataBuilder.With.super.withSource(source);
  }
}
