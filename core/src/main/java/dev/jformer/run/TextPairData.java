package dev.jformer.run;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import io.soabase.recordbuilder.core.RecordBuilder;

/**
 * Configuration of the pairs of texts that a sentence encoder is trained on.
 *
 * @param source a file with two or three texts in each line and tabs between them, or a JSONL file
 *     with the fields anchor, positive and perhaps negative
 * @param validation share of the pairs that is held out, drawn at random
 * @param scale factor of cosines before the softmax, the inverse of a temperature
 */
@AutoService(DataConfig.class)
@RecordBuilder
public record TextPairData(String source, double validation, double scale)
    implements DataConfig, TextPairDataBuilder.With {
  /** Defaults: a tenth held out, a scale of 20. */
  public TextPairData() {
    this("", 0.1, 20);
  }

  /** Checks the values. */
  public TextPairData {
    Checks.part("validation", validation);
    Checks.moreThan("scale", scale, 0);
  }

  @Override
  public String type() {
    return "text-pairs";
  }

  @Override
  public TextPairData withSource(String source) {
    return TextPairDataBuilder.With.super.withSource(source);
  }
}
