package dev.jformer.run;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import io.soabase.recordbuilder.core.RecordBuilder;

/**
 * Configuration of the labelled texts that a classifier is trained on.
 *
 * @param source a file with a text, a tab and a label in each line, or a label, a tab and a text
 * @param header whether its first line surely names the columns; it is detected otherwise
 * @param tokenizer as {@link TextData}'s
 * @param vocabulary as {@link TextData}'s
 * @param validation share of each class that is held out
 */
@AutoService(DataConfig.class)
@RecordBuilder
public record LabelledTextData(
    String source, boolean header, String tokenizer, int vocabulary, double validation)
    implements DataConfig, LabelledTextDataBuilder.With {
  /** Defaults: a vocabulary learned from the texts, a tenth held out. */
  public LabelledTextData() {
    this("", false, "bpe", 4096, 0.1);
  }

  /** Checks the values. */
  public LabelledTextData {
    Checks.part("validation", validation);
    Checks.atLeast("vocabulary", vocabulary, 1);
  }

  @Override
  public String type() {
    return "labelled-text";
  }

  @Override
  public LabelledTextData withSource(String source) {
    return LabelledTextDataBuilder.With.super.withSource(source);
  }
}
