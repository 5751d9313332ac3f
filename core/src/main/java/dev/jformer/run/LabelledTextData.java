package dev.jformer.run;

import com.google.auto.service.AutoService;

/**
 * The labelled texts that a classifier learns from.
 *
 * @param source a file with a text, a tab and a label in each line
 * @param header whether its first line names the columns
 * @param tokenizer as {@link TextData}'s
 * @param vocabulary as {@link TextData}'s
 * @param validation share of each class that is held out
 */
@AutoService(DataConfig.class)
public record LabelledTextData(
    String source, boolean header, String tokenizer, int vocabulary, double validation)
    implements DataConfig {
  /** A vocabulary learned from the texts, a tenth held out. */
  public LabelledTextData() {
    this("", false, "bpe", 4096, 0.1);
  }

  /** Checks the values. */
  public LabelledTextData {
    if (!(validation > 0 && validation < 1)) {
      throw new IllegalArgumentException(
          "validation is " + validation + ": expected a share between 0 and 1");
    }
  }

  @Override
  public String type() {
    return "labelled-text";
  }

  @Override
  public LabelledTextData withSource(String other) {
    return new LabelledTextData(other, header, tokenizer, vocabulary, validation);
  }
}
