package dev.jformer.run;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import io.soabase.recordbuilder.core.RecordBuilder;

/**
 * The texts and translations that an encoder-decoder learns from. A recipe's {@code training.batch}
 * is the most pairs of a batch, {@code tokens} the most tokens.
 *
 * @param source a file with a text a line, plain or compressed by gzip
 * @param target a file with the translation of each
 * @param validationSource texts to validate on; empty to hold some of the others out
 * @param validationTarget their translations
 * @param validation share of the pairs that is held out if there are none to validate on
 * @param tokenizer {@code bpe} to learn one vocabulary from both files, {@code byte}, or the path
 *     of a {@code tokenizer.json}
 * @param vocabulary how many tokens {@code bpe} learns
 * @param tokens the most tokens of a batch: its pairs times the longest text in it
 * @param smoothing share of each target that is spread over the vocabulary (arXiv 1512.00567)
 * @param select what decides which weights are kept
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
  /** What decides which weights are the best. */
  public enum Select {
    /** Greedy translations of the held-out texts, by {@link dev.jformer.metrics.Bleu BLEU}. */
    BLEU,
    /** Cross-entropy of the held-out translations. */
    LOSS
  }

  /** A vocabulary of 4096 tokens learned from both sides, batches of 4096 tokens. */
  public TranslationData() {
    this("", "", "", "", 0.02, "bpe", 4096, 4096, 0.1, Select.BLEU);
  }

  /** Checks the values. */
  public TranslationData {
    Checks.part("validation", validation);
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
  public TranslationData withSource(String source) {
    return TranslationDataBuilder.With.super.withSource(source);
  }
}
